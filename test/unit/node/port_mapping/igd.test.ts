import { afterEach, describe, expect, it } from "vitest";
import { openIgd } from "../../../../src/node/port_mapping/igd.ts";
import { SeededRandom } from "../../../../src/testing/seeded_random.ts";
import { type FakeIgdOptions, fakeIgd, usualDescription } from "../../../support/fake_igd.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const signal = new AbortController().signal;

async function world(options: FakeIgdOptions = {}) {
  const igd = await fakeIgd(options);
  open.push(igd);
  const asked = { location: igd.location, address: "127.0.0.1", random: new SeededRandom(1) };
  return { igd, find: () => openIgd(asked, signal) };
}

describe("a UPnP gateway", () => {
  it("maps a port and gives it back", async () => {
    const { igd, find } = await world();
    const gateway = await find();
    const grant = await gateway.map("udp", 33445, 1800, signal);
    expect(grant).toEqual({ externalPort: 33445, externalAddress: Uint8Array.of(5, 6, 7, 8), lifetime: 1800 });
    await gateway.unmap("udp", 33445, 33445, signal);
    expect(igd.of("AddPortMapping")).toEqual([
      {
        NewRemoteHost: "",
        NewExternalPort: "33445",
        NewProtocol: "UDP",
        NewInternalPort: "33445",
        NewInternalClient: "127.0.0.1",
        NewEnabled: "1",
        NewPortMappingDescription: "Tox",
        NewLeaseDuration: "1800",
      },
    ]);
    expect(igd.of("DeletePortMapping")).toEqual([{ NewRemoteHost: "", NewExternalPort: "33445", NewProtocol: "UDP" }]);
  });

  it("is asked for another port where that one is taken, and for that again", async () => {
    const { igd, find } = await world({
      refuse: ({ name, values }) => (name === "AddPortMapping" && values.NewExternalPort === "33445" ? 718 : undefined),
    });
    const gateway = await find();
    const { externalPort } = await gateway.map("udp", 33445, 1800, signal);
    expect(externalPort).not.toBe(33445);
    expect((await gateway.map("udp", 33445, 1800, signal)).externalPort).toBe(externalPort);
    expect(igd.of("AddPortMapping")).toHaveLength(3);
  });

  it("has every port taken: four tries, no more", async () => {
    const { igd, find } = await world({ refuse: ({ name }) => (name === "AddPortMapping" ? 718 : undefined) });
    await expect((await find()).map("udp", 33445, 1800, signal)).rejects.toThrow("718");
    expect(igd.of("AddPortMapping")).toHaveLength(4);
  });

  it("maps for ever where it knows nothing else", async () => {
    const { find } = await world({
      refuse: ({ name, values }) => (name === "AddPortMapping" && values.NewLeaseDuration !== "0" ? 725 : undefined),
    });
    expect((await (await find()).map("tcp", 3389, 1800, signal)).lifetime).toBe(0);
  });

  it("has several connections, of which the one in use is taken", async () => {
    const [idle, used] = [usualDescription("/idle"), usualDescription("/used")];
    const two = idle.replace("</root>", used.slice(used.indexOf("<device>")));
    let asked = "";
    const { find } = await world({
      description: () => two,
      instead: (request, response) => {
        asked = request.url ?? "";
        if (request.url !== "/idle") return false;
        response.end("<NewExternalIPAddress>0.0.0.0</NewExternalIPAddress>");
        return true;
      },
    });
    await (await find()).map("udp", 33445, 1800, signal);
    expect(asked).toBe("/used");
  });
});

describe("a hostile UPnP gateway", () => {
  it.each([
    ["malformed XML", "<root><device><serviceList><service><serviceType>urn"],
    ["nothing", ""],
    ["no connection service", usualDescription("/control", "urn:schemas-upnp-org:service:Evil:1")],
    [
      "a service that breaks out of its header",
      usualDescription("/c", "urn:schemas-upnp-org:service:WANIPConnection:1\r\nX: 1"),
    ],
    ["a control URL elsewhere", usualDescription("http://192.0.2.1/control")],
    ["a control URL of another kind", usualDescription("file:///etc/passwd")],
    ["a base elsewhere", `<root><URLBase>http://192.0.2.1/</URLBase></root>${usualDescription("http://192.0.2.1/x")}`],
  ])("is left alone: %s", async (_what, description) => {
    const { igd, find } = await world({ description: () => description });
    await expect(find()).rejects.toThrow("no connection");
    expect(igd.actions).toEqual([]);
  });

  it("sends a body without an end, and is cut off", async () => {
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    const { find } = await world({
      instead: (_request, response) => {
        response.on("close", () => closed.resolve());
        const pour = () => {
          sent += 16_384;
          if (!response.destroyed) response.write("x".repeat(16_384), () => setImmediate(pour));
        };
        pour();
        return true;
      },
    });
    await expect(find()).rejects.toThrow("does not end");
    await closed.promise;
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it("redirects to somebody else, and is not followed", async () => {
    const { find } = await world({
      instead: (_request, response) => {
        response.writeHead(302, { location: "http://192.0.2.1/" }).end();
        return true;
      },
    });
    await expect(find()).rejects.toThrow("status 302");
  });

  it("changes to another protocol, and is given up", async () => {
    const { find } = await world({
      instead: (request) => {
        request.socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n");
        return true;
      },
    });
    await expect(find()).rejects.toThrow("hung up");
  });

  it("answers nothing, and is given up when told to", async () => {
    const abort = new AbortController();
    const { igd } = await world({
      instead: () => {
        abort.abort(new Error("enough"));
        return true;
      },
    });
    const options = { location: igd.location, address: "127.0.0.1", random: new SeededRandom(1) };
    await expect(openIgd(options, abort.signal)).rejects.toThrow();
  });

  it("names nonsense as its address: it is not believed, the port is mapped all the same", async () => {
    let asked = 0;
    const { find } = await world({
      instead: (request, response) => {
        if (!/GetExternal/.test(String(request.headers.soapaction)) || asked++ === 0) return false;
        response.end("<NewExternalIPAddress>999.1.1.1; rm -rf</NewExternalIPAddress>");
        return true;
      },
    });
    expect(await (await find()).map("udp", 33445, 60, signal)).toMatchObject({ externalAddress: undefined });
  });
});
