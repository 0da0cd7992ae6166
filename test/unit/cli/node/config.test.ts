import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNodeConfig, readNodeConfig } from "../../../../src/cli/node/config.ts";
import { ToxError } from "../../../../src/index.ts";

const KEY = "AB".repeat(32);
const LIBCONFIG = `// a comment
port = 33446 # another
/* and
one more */
enable_ipv6 = FALSE;
tcp_relay_ports = [443, 0xD3D]
motd = "joined " "and\\t\\x41"
bootstrap_nodes = ( { address = "127.0.0.1", port = 1, public_key = "${KEY}" } )
`;

describe("a node's configuration", () => {
  it("is read alike from libconfig and JSON", () => {
    const json = JSON.stringify({
      port: 33446,
      enable_ipv6: false,
      tcp_relay_ports: [443, 3389],
      motd: "joined and\tA",
      bootstrap_nodes: [{ address: "127.0.0.1", port: 1, public_key: KEY }],
    });
    const config = parseNodeConfig(LIBCONFIG, "a");
    expect(config).toEqual(parseNodeConfig(json, "b"));
    expect(config).toMatchObject({ port: 33446, ipv6: false, relayPorts: [443, 3389], motd: "joined and\tA" });
  });

  it("has tox-bootstrapd's defaults", () => {
    expect(parseNodeConfig("", "none")).toMatchObject({ port: 33445, relayPorts: [443, 3389, 33445], ipv6: true });
  });

  it("serves metrics only when asked, and then on loopback", () => {
    expect(parseNodeConfig("", "none").metrics).toBeUndefined();
    expect(parseNodeConfig("metrics = {}", "f").metrics).toEqual({ host: "127.0.0.1", port: 9733 });
  });

  it("asks the router for ports only when told to", () => {
    expect(parseNodeConfig("", "none").portMapping).toBe(false);
    expect(parseNodeConfig("enable_port_mapping = true", "f").portMapping).toBe(true);
  });

  it("loads the examples", async () => {
    for (const name of ["node.conf", "node.json"]) await readNodeConfig(join("examples/node", name));
  });

  it.each([
    ["port = 1\nprot = 2", "f, line 2: there is no key"],
    ["port = 1\nprot = 2", "did you mean port?"],
    [
      "\n\nenable_ipv4_falback = true",
      'f, line 3: there is no key "enable_ipv4_falback"; did you mean enable_ipv4_fallback?',
    ],
    ['{ "MOTD": "a" }', "did you mean motd?"],
    ['bootstrap_nodes = ( {\n adress = "a" } )', 'f, line 2: there is no key "adress"; did you mean address?'],
    ["something_else = 2", "allowed are port, keys_file_path"],
    ["port = true", "port has a wrong value"],
    ["port = 0", "1 to 65535"],
    ['{\n"port": 1,\n}', "f, line 3"],
    ['motd = "open', "not closed"],
    ['motd = "\\q"', "no escape"],
    [`a=${"(".repeat(50)}`, "levels"],
    ["port = 1 port = 2", "set twice"],
  ])("refuses %j", (text, why) => {
    expect(() => parseNodeConfig(text, "f")).toThrow(why);
  });

  it("is refused with config-invalid, whatever it holds", () => {
    const pieces = fc.constantFrom(
      "port",
      "=",
      ":",
      "{",
      "}",
      "(",
      ")",
      "[",
      '"',
      "\\",
      ",",
      "1",
      "/*",
      "#",
      "\n",
      "-",
      "true",
      "metrics",
      "bootstrap_nodes",
      "tcp_relay_ports",
    );
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(pieces).map((all) => all.join("")),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          parseNodeConfig(given, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(ToxError);
          expect((error as ToxError).code).toBe("config-invalid");
          expect((error as ToxError).message).toMatch(/^f, line \d+: /);
        }
      }),
    );
  });
});
