import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNodesFile, shippedNodes } from "../../../src/cli/nodes.ts";
import { safeText } from "../../../src/cli/safe_text.ts";
import { parseBootstrapNode } from "../../../src/index.ts";

const KEY = "AB".repeat(32);

describe("--bootstrap", () => {
  it("takes names, IPv4 and bracketed IPv6 addresses", () => {
    expect(parseBootstrapNode(`tox.example:33445:${KEY}`)).toEqual({
      host: "tox.example",
      port: 33445,
      publicKey: KEY,
    });
    expect(parseBootstrapNode(`127.0.0.1:1:${KEY}`).host).toBe("127.0.0.1");
    expect(parseBootstrapNode(`[2001:db8::1]:443:${KEY}`)).toEqual({ host: "2001:db8::1", port: 443, publicKey: KEY });
  });

  it.each(["", "host", `host:0:${KEY}`, `host:65536:${KEY}`, `host:1:${KEY.slice(1)}`, `::1:33445:${KEY}`])(
    "refuses %j",
    (text) => {
      expect(() => parseBootstrapNode(text)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
    },
  );
});

describe("--nodes", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "toxcore-ts-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const read = async (content: string) => {
    const path = join(folder, "nodes.json");
    await writeFile(path, content);
    return readNodesFile(path);
  };

  it("takes what nodes.tox.chat publishes, both addresses of each node that is up", async () => {
    const nodes = [
      { ipv4: "192.0.2.1", ipv6: "2001:db8::1", port: 33445, public_key: KEY, status_udp: true },
      { ipv4: "name.example", ipv6: "-", port: 443, public_key: KEY, status_udp: true },
      { ipv4: "192.0.2.3", port: 33445, public_key: KEY, status_udp: false },
      { ipv4: "192.0.2.4", port: 0, public_key: KEY },
      { ipv4: "192.0.2.5", port: 33445, public_key: "short" },
      null,
    ];
    expect((await read(JSON.stringify({ nodes }))).map(({ host }) => host)).toEqual([
      "192.0.2.1",
      "2001:db8::1",
      "name.example",
    ]);
  });

  it("takes the TCP ports where they are told, without what is no port", async () => {
    const nodes = [
      { ipv4: "192.0.2.1", port: 33445, public_key: KEY, tcp_ports: [443, 0, "3389", 33445] },
      { ipv4: "192.0.2.2", port: 33445, public_key: KEY, tcp_ports: [] },
      { ipv4: "192.0.2.3", port: 33445, public_key: KEY },
    ];
    const known = await read(JSON.stringify({ nodes }));
    expect(known.map(({ tcpPorts }) => tcpPorts)).toEqual([[443, 33445], [], undefined]);
  });

  it.each(["{", "[]", '{"nodes":3}'])("refuses %j with a sentence", async (content) => {
    await expect(read(content)).rejects.toMatchObject({ code: "invalid-argument" });
  });
});

describe("the list that is shipped", () => {
  it("is made of whole nodes", () => {
    const nodes = shippedNodes();
    expect(nodes.length).toBeGreaterThan(10);
    for (const { host, port, publicKey } of nodes) {
      expect(host).not.toBe("");
      expect(port).toBeGreaterThan(0);
      expect(publicKey).toMatch(/^[0-9A-F]{64}$/);
    }
  });
});

describe("text for the terminal", () => {
  it("keeps what people write", () => {
    expect(safeText("Grüße 👋 שלום e\u0301 👩‍👩‍👧")).toBe("Grüße 👋 שלום e\u0301 👩‍👩‍👧");
  });

  it("shows no escape sequence, no carriage return and no mark that reorders a line", () => {
    expect(safeText("\u001b[2J\u009b31m\u202egnp.exe\u0000\u0007")).toBe("\ufffd[2J\ufffd31m\ufffdgnp.exe\ufffd\ufffd");
    expect(safeText("a\r\nb\nc\rd\u2028e")).toBe("a / b / c / d / e");
  });
});
