import { Command } from "commander";
import { expect, it } from "vitest";
import { addSharedFlags, type SharedFlags, toxOptions } from "../../../src/cli/shared_options.ts";

const optionsOf = (...args: string[]) => {
  const command = addSharedFlags(new Command()).parse(args, { from: "user" });
  return toxOptions(command.opts<SharedFlags>());
};
const proxy = ["--proxy", "socks5://127.0.0.1:1"];

it.each([
  [["--no-udp", "--port", "34567"], "--port with --no-udp"],
  [["--no-udp", "--lan"], "--lan with --no-udp"],
  [["--no-udp", "--map-ports"], "--map-ports with --no-udp"],
  [[...proxy, "--port", "34567"], "--port with --proxy"],
  [[...proxy, "--no-udp", "--lan"], "--lan with --proxy"],
  [[...proxy, "--relay-port", "0"], "--relay-port with --proxy"],
  [[...proxy, "--map-ports"], "--map-ports with --proxy"],
])("refuses %j in the words of flags", (args, words) => {
  expect(() => optionsOf(...args)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  expect(() => optionsOf(...args)).toThrow(`Leave out ${words}: `);
});

it("takes a relay's port without UDP, mapped or not, and any UDP port for none", () => {
  expect(optionsOf("--no-udp", "--relay-port", "34567", "--map-ports")).toMatchObject({
    udp: false,
    relayPort: 34567,
    portMapping: true,
  });
  expect(optionsOf("--no-udp", "--port", "0")).toMatchObject({ udp: false, port: 0 });
  expect(optionsOf("--lan", "--map-ports", "--port", "34567")).toMatchObject({ udp: true, lan: true, port: 34567 });
});
