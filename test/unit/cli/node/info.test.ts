import { expect, it } from "vitest";
import { versionText } from "../../../../src/cli/node/info.ts";

it("versions are told as toxcore writes them", () => {
  expect([versionText(1_000_002_018), versionText(7)]).toEqual(["0.2.18", "7"]);
});
