import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { routerInNetstat, routerInProc } from "../../../../src/node/port_mapping/default_router.ts";
import { decodeAddressResponse, decodeMapResponse } from "../../../../src/node/port_mapping/nat_pmp.ts";
import {
  decodeAnnounceResponse,
  decodePcpMapResponse,
  encodePcpMap,
  PCP_NONCE_SIZE,
} from "../../../../src/node/port_mapping/pcp.ts";
import { locationIn } from "../../../../src/node/port_mapping/ssdp.ts";
import { textOf, textsOf } from "../../../../src/node/port_mapping/xml.ts";
import { fromHex, toHex } from "../../../../src/util/bytes.ts";

const bytes = (hex: string) => fromHex(hex.replaceAll(" ", "")) ?? new Uint8Array();
const nonce = new Uint8Array(PCP_NONCE_SIZE).fill(0xab);

describe("NAT-PMP", () => {
  it("reads an outer address, and why there is none", () => {
    expect(decodeAddressResponse(bytes("00 80 0000 00000009 05060708"))).toEqual(Uint8Array.of(5, 6, 7, 8));
    expect(decodeAddressResponse(bytes("00 80 0003 00000009"))).toBe(3);
    expect(decodeAddressResponse(bytes("00 81 0000 00000009 05060708"))).toBeUndefined();
    expect(decodeAddressResponse(bytes("00 80 0000 00000009 050607"))).toBeUndefined();
    expect(decodeAddressResponse(new Uint8Array())).toBeUndefined();
  });

  it("takes a mapping of the protocol asked for only", () => {
    const answer = bytes("00 81 0000 00000009 82a5 82a6 00000708");
    expect(decodeMapResponse(answer, "udp")).toEqual({ result: 0, port: 33445, externalPort: 33446, lifetime: 1800 });
    expect(decodeMapResponse(answer, "tcp")).toBeUndefined();
  });
});

describe("PCP", () => {
  it("asks as RFC 6887 says", () => {
    const asked = {
      client: Uint8Array.of(10, 0, 0, 2),
      nonce,
      protocol: "udp",
      port: 33445,
      externalPort: 33445,
    } as const;
    expect(toHex(encodePcpMap({ ...asked, lifetime: 1800 })).toLowerCase()).toBe(
      `02010000000007080000000000000000${"0000"}ffff0a000002${"ab".repeat(12)}1100000082a582a5${"00".repeat(10)}ffff00000000`,
    );
  });

  it("takes the answer to this question only", () => {
    const answer = encodePcpMap({
      ...{ client: new Uint8Array(4), nonce, protocol: "udp", port: 1, externalPort: 2, lifetime: 3 },
    } as const);
    answer[1] = 129;
    expect(decodePcpMapResponse(answer, { nonce, protocol: "udp" })).toMatchObject({ result: 0, port: 1, lifetime: 3 });
    expect(decodePcpMapResponse(answer, { nonce, protocol: "tcp" })).toBeUndefined();
    expect(decodePcpMapResponse(answer, { nonce: new Uint8Array(12), protocol: "udp" })).toBeUndefined();
    expect(decodePcpMapResponse(answer.subarray(0, 59), { nonce, protocol: "udp" })).toBeUndefined();
  });

  it("reads no garbage, and never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (garbage) => {
        decodeAddressResponse(garbage);
        decodeMapResponse(garbage, "tcp");
        decodeAnnounceResponse(garbage);
        expect(decodePcpMapResponse(garbage, { nonce, protocol: "udp" })).toBeUndefined();
        expect(locationIn(garbage, "10.0.0.1")).toBeUndefined();
      }),
    );
  });
});

describe("SSDP", () => {
  const answer = (location: string, target = "urn:schemas-upnp-org:device:InternetGatewayDevice:2") =>
    Buffer.from(`HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nst: ${target}\r\nLOCATION: ${location}\r\n\r\n`);

  it("takes a description at the address of whoever told it, and no other", () => {
    expect(locationIn(answer("http://10.0.0.1:5000/root.xml"), "10.0.0.1")?.href).toBe("http://10.0.0.1:5000/root.xml");
    for (const location of [
      "http://10.0.0.2:5000/root.xml",
      "http://router.example/root.xml",
      "https://10.0.0.1/root.xml",
      "http://user@10.0.0.1/root.xml",
      "file:///etc/passwd",
      "http://[",
      "",
    ]) {
      expect(locationIn(answer(location), "10.0.0.1")).toBeUndefined();
    }
    expect(
      locationIn(answer("http://10.0.0.1/", "urn:schemas-upnp-org:device:MediaServer:1"), "10.0.0.1"),
    ).toBeUndefined();
    expect(locationIn(Buffer.from(`NOTIFY${answer("http://10.0.0.1/")}`), "10.0.0.1")).toBeUndefined();
  });
});

describe("XML", () => {
  it("reads texts as far as they go", () => {
    expect(textOf(textsOf("<a><s:b> 1 &lt; 2 </s:b><c><![CDATA[x]]></c></a>"), "b")).toBe("1 < 2");
    expect(textsOf("<a><b>1</b><c>2</a")).toEqual([{ name: "b", text: "1", around: ["a"] }]);
    expect(textsOf("not XML at all < > & ]]> </x>")).toEqual([]);
    expect(textsOf(`<!DOCTYPE a [<!ENTITY x "yyyy">]><a>&x;</a>`)[0]?.text).toBe("&x;");
  });

  it("is bounded", () => {
    expect(textsOf("<a>x".repeat(16_000))).toEqual([]);
    // The parser would look through all that is open for each of these.
    expect(textsOf(`<c>1</c>${"<a>".repeat(10_000)}${"</b>".repeat(8_000)}`)).toHaveLength(1);
    expect(textsOf(`<a>${"<b>x</b>".repeat(8_000)}</a>`)).toHaveLength(512);
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."<>/ab&;![]-?=\"' ") }), (text) => void textsOf(text)));
  });
});

describe("the default router", () => {
  it("is read from Linux's table, least metric first", () => {
    const line = (destination: string, gateway: string, flags: string, metric: number) =>
      `eth0\t${destination}\t${gateway}\t${flags}\t0\t0\t${metric}\t00000000\t0\t0\t0`;
    const table = [
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
      line("0000A8C0", "00000000", "0001", 0),
      line("00000000", "FE01A8C0", "0003", 600),
      line("00000000", "0100000A", "0003", 100),
      line("00000000", "00000000", "0001", 50),
    ].join("\n");
    expect(routerInProc(table, true)).toBe("10.0.0.1");
    expect(routerInProc("Iface\n", true)).toBeUndefined();
    expect(routerInProc(`x\n${line("00000000", "0A000001", "0003", 0)}`, false)).toBe("10.0.0.1");
  });

  it("is read from netstat on macOS and Windows", () => {
    expect(routerInNetstat("Internet:\nDestination Gateway Flags\ndefault   192.168.1.1   UGScg  en0\n")).toBe(
      "192.168.1.1",
    );
    expect(routerInNetstat("  0.0.0.0   0.0.0.0   192.168.2.254   192.168.2.7   25\r\n")).toBe("192.168.2.254");
    expect(routerInNetstat("default link#4 UCS\ndefault fe80::1%en0 UGc\n")).toBeUndefined();
  });
});
