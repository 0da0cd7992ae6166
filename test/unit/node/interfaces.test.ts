import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { neighbourTexts, nodeInterfaces } from "../../../src/node/interfaces.ts";
import { formatEndpoint } from "../../../src/util/endpoint.ts";

const ipv4 = (address: string, netmask: string, internal = false): NetworkInterfaceInfo => {
  return { family: "IPv4", address, netmask, internal, mac: "", cidr: null };
};
const ipv6 = (address: string, scopeid = 0, internal = false): NetworkInterfaceInfo => {
  return { family: "IPv6", address, netmask: "", internal, mac: "", cidr: null, scopeid };
};

const TABLE = {
  lo: [ipv4("127.0.0.1", "255.0.0.0", true), ipv6("::1", 0, true)],
  eth0: [ipv4("192.168.1.17", "255.255.255.0"), ipv6("2001:db8::17"), ipv6("fe80::1", 2)],
  wlan0: [ipv4("10.1.2.3", "255.255.240.0"), ipv6("fe80::2", 3)],
  tunnel: [ipv4("10.9.9.9", "255.255.255.255"), ipv4("10.9.9.1", "255.255.255.254")],
};

describe("the addresses that reach everybody near", () => {
  it("are each network's broadcast address, this machine's own, and the general one", () => {
    expect(neighbourTexts(4, TABLE)).toEqual(["127.0.0.1", "192.168.1.255", "10.1.15.255", "255.255.255.255"]);
    expect(neighbourTexts(4, { lo: TABLE.lo })).toEqual(["127.0.0.1"]);
  });

  it("are all nodes of each link, by the interface's name or, on Windows, its number", () => {
    expect(neighbourTexts(6, TABLE, "linux")).toEqual(["::1", "ff02::1%eth0", "ff02::1%wlan0"]);
    expect(neighbourTexts(6, TABLE, "win32")).toEqual(["::1", "ff02::1%2", "ff02::1%3"]);
  });

  it("are some, however many interfaces there are", () => {
    const many = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`veth${i}`, [ipv4(`10.0.${i % 256}.1`, "255.255.255.0")]]),
    );
    expect(neighbourTexts(4, many).length).toBe(17);
  });

  it("are those of this machine", () => {
    expect(nodeInterfaces.neighbours(4, 5).map(formatEndpoint)).toContain("127.0.0.1:5");
  });
});
