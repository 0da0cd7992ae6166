import { beforeEach, describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import type { RelayClient } from "../../../src/relay/relay_client.ts";
import { isOpening, pathOver, RelayRoute } from "../../../src/relay/relay_route.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { place } from "./pool_world.ts";

const PEER = new Uint8Array(32).fill(9) as Uint8Array as PublicKey;
const keyOf = (i: number) => new Uint8Array(32).fill(i) as Uint8Array as PublicKey;
const node = (i: number): PackedNode => ({
  publicKey: keyOf(i),
  endpoint: place(`203.0.${i}.1`, 443),
  transport: "tcp",
});

/** A connection to relay `i`, on which the peer is or is not. */
function connection(i: number) {
  const sent: string[] = [];
  const state = { online: false, sent };
  const client = {
    publicKey: keyOf(i),
    isPeerOnline: () => state.online,
    sendTo: (_peer: PublicKey, packet: Uint8Array) => sent.push(`data ${packet[0]}`) > 0,
    sendOob: (_peer: PublicKey, packet: Uint8Array) => sent.push(`oob ${packet[0]}`) > 0,
  } as unknown as RelayClient;
  return { client, path: pathOver(client, PEER), state, sent };
}

let timeline: Timeline;
let clock: VirtualClock;
let heard: string[];
let wanted: number[];
let stopped: number;
let route: RelayRoute;

beforeEach(() => {
  timeline = new Timeline();
  clock = new VirtualClock(timeline, 1_700_000_000);
  heard = [];
  wanted = [];
  stopped = 0;
  route = new RelayRoute(
    PEER,
    {
      onPath: ({ relay }) => heard.push(`path ${relay[0]}`),
      onLost: ({ relay }) => heard.push(`lost ${relay[0]}`),
    },
    {
      clock,
      mayConnectTo: ({ port }) => port === 443,
      knows: ({ publicKey }) => wanted.includes(publicKey[0] ?? 0),
      wants: (nodes) => wanted.push(...nodes.map(({ publicKey }) => publicKey[0] ?? 0)),
      changed: () => heard.push("changed"),
      stopped: () => stopped++,
    },
  );
});

const needed = () => [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((i) => route.needs(keyOf(i), clock.monotonic()));

function pass(ms: number): void {
  const end = timeline.now + ms;
  while (timeline.step(end));
  timeline.advance(end);
}

describe("the ways to one peer over relays", () => {
  it("are wanted over the last six relays that he names, of those that he may", () => {
    route.suggest([node(1), { ...node(2), transport: "udp" }, { ...node(3), endpoint: place("203.0.3.1", 25) }]);
    expect([wanted, needed()]).toEqual([[1], [1]]);
    for (const i of [2, 3, 4, 5, 6]) route.suggest([node(i)]);
    route.suggest([node(1)]);
    route.suggest([node(7)]);
    expect(needed()).toEqual([1, 3, 4, 5, 6, 7]);
    const before = [...needed()];
    route.suggest([node(8), node(9), node(7)], { from: undefined, mayTakeNew: () => false });
    expect(needed()).toEqual(before);
    expect(wanted.at(-1)).toBe(7);
  });

  it("are told when he comes, and by suspicion when he is said to be there; once each", () => {
    const [one, two] = [connection(1), connection(2)];
    route.offer(one.client, one.path);
    expect(heard).toEqual([]);
    route.suggest([node(2)]);
    route.offer(two.client, two.path);
    route.suggest([node(1)]);
    expect(heard).toEqual(["path 2", "path 1"]);
    one.state.online = true;
    route.peerIs(one.client, true);
    route.peerIs(one.client, true);
    expect([route.isOver(one.client), route.isOver(two.client)]).toEqual([true, false]);
    route.peerIs(one.client, false);
    route.peerIs(one.client, false);
    expect(heard.slice(2)).toEqual(["path 1", "lost 1"]);
  });

  it("carry what opens a session to who may be there, and the rest to who is", () => {
    const { path, state, sent } = connection(1);
    for (const id of [0x18, 0x19, 0x1a, 0x1b]) path.send(Uint8Array.of(id));
    expect(sent).toEqual(["oob 24", "oob 25", "oob 26"]);
    state.online = true;
    path.send(Uint8Array.of(0x1b));
    expect(sent.at(-1)).toBe("data 27");
    expect(isOpening(new Uint8Array(1025).fill(0x18))).toBe(false);
    expect(isOpening(new Uint8Array())).toBe(false);
  });

  it("belong to a connection: news of an older one changes nothing", () => {
    const [old, fresh] = [connection(1), connection(1)];
    route.offer(old.client, old.path);
    route.peerIs(old.client, true);
    route.lost(old.client);
    route.offer(fresh.client, fresh.path);
    route.lost(old.client);
    route.peerIs(old.client, true);
    expect(heard).toEqual(["path 1", "lost 1"]);
    route.peerIs(fresh.client, true);
    expect(heard.at(-1)).toBe("path 1");
  });

  it("are told of at leisure when a relay cannot make up its mind, and rightly in the end", () => {
    const { client, path, state } = connection(1);
    route.offer(client, path);
    const flip = (online: boolean) => {
      state.online = online;
      route.peerIs(client, online);
    };
    for (let i = 0; i < 1000; i++) flip(i % 2 === 0);
    expect(heard.length).toBe(16);
    flip(true);
    expect(heard.length).toBe(16);
    pass(2000);
    expect(heard.slice(16)).toEqual(["path 1"]);
    flip(false);
    flip(true);
    flip(false);
    pass(10_000);
    expect(heard.slice(17)).toEqual(["lost 1"]);
    expect(clock.pending).toBe(0);
  });

  it("are needed for a while after he is reached directly", () => {
    route.suggest([node(1)]);
    route.direct = true;
    route.direct = true;
    expect(heard).toEqual(["changed"]);
    pass(29_999);
    expect(needed()).toEqual([1]);
    expect(route.needsUntil).toBe(30_000);
    pass(1);
    expect(needed()).toEqual([]);
    route.direct = false;
    expect(needed()).toEqual([1]);
    expect(route.needsUntil).toBeUndefined();
  });

  it("end at once when they are stopped, in a listener as well", () => {
    const [one, two] = [connection(1), connection(2)];
    for (const { client, path } of [one, two]) route.offer(client, path);
    const { push } = heard;
    heard.push = (...what) => {
      route.stop();
      return push.apply(heard, what);
    };
    route.suggest([node(1), node(2)]);
    route.peerIs(two.client, true);
    route.offer(one.client, one.path);
    route.direct = true;
    route.stop();
    route.lost(one.client);
    expect([...heard]).toEqual(["path 1"]);
    expect(stopped).toBe(1);
    expect([needed(), clock.pending]).toEqual([[], 0]);
  });
});
