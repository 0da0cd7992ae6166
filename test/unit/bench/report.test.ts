import { expect, test } from "vitest";
import type { Row } from "../../../bench/peer/bench.ts";
import { json, table } from "../../../bench/peer/report.ts";
import { median } from "../../../bench/support/statistics.ts";

const ROWS: readonly Row[] = [
  { work: "round trip", unit: "ms", ours: 0.25, theirs: 50, note: "on loopback" },
  { work: "bare loop", unit: "MiB/s", ours: 104.4, theirs: null },
  { work: "receipts", unit: "/s", ours: 31_449, theirs: 1_650 },
];

test("the JSON holds the rows and nothing else, null where there is no other side", () => {
  expect(JSON.parse(json(ROWS))).toEqual({
    rows: [
      { work: "round trip", unit: "ms", ours: 0.25, theirs: 50, ratio: 0.005 },
      { work: "bare loop", unit: "MiB/s", ours: 104.4, theirs: null, ratio: null },
      { work: "receipts", unit: "/s", ours: 31_449, theirs: 1_650, ratio: 31_449 / 1_650 },
    ],
  });
});

test("the table gives three digits, and the notes below", () => {
  expect(table(ROWS, "0.2.18").split("\n")).toEqual([
    "| work       | unit  |   ours | libtoxcore 0.2.18 | ratio |",
    "| ---------- | ----- | -----: | ----------------: | ----: |",
    "| round trip | ms    |   0.25 |                50 | 0.005 |",
    "| bare loop  | MiB/s |    104 |                   |       |",
    "| receipts   | /s    | 31,400 |             1,650 |  19.1 |",
    "",
    "round trip: on loopback.",
  ]);
});

test("the median is the middle one, of an even number the upper", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(3);
  expect(median([])).toBeNaN();
});
