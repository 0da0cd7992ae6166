import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import {
  MAX_PENDING_REQUESTS,
  type PendingRequest,
  PendingRequests,
  REQUEST_TIMEOUT,
} from "../../../src/dht/pending_requests.ts";
import { Universe } from "../../../src/testing/index.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";

const KEY = new Uint8Array(32).fill(1) as Uint8Array as PublicKey;
const OTHER_KEY = new Uint8Array(32).fill(2) as Uint8Array as PublicKey;
const HERE = makeEndpoint(Uint8Array.of(198, 18, 0, 1), 33445);
const THERE = makeEndpoint(Uint8Array.of(198, 18, 0, 1), 33446);

function setUp() {
  const universe = new Universe();
  const { clock, random } = universe.host("a").edges;
  const silent: PendingRequest[] = [];
  const pending = new PendingRequests(clock, random, (request) => silent.push(request));
  return { universe, clock, pending, silent };
}

describe("pending requests", () => {
  it("take an answer once, from the key and the address that were asked, to the question that was put", () => {
    const { pending } = setUp();
    const { sendback } = pending.add("ping", KEY, HERE, undefined);
    expect(pending.take("ping", sendback ^ 1n, KEY, HERE)).toBeUndefined();
    expect(pending.take("ping", sendback, OTHER_KEY, HERE)).toBeUndefined();
    expect(pending.take("ping", sendback, KEY, THERE)).toBeUndefined();
    expect(pending.take("nodes", sendback, KEY, HERE)).toBeUndefined();
    expect(pending.take("ping", sendback, KEY, HERE)?.sendback).toBe(sendback);
    expect(pending.take("ping", sendback, KEY, HERE)).toBeUndefined();
  });

  it("tell of the silent after 5 s, each at its time, with one timer", async () => {
    const { pending, universe, silent, clock } = setUp();
    const first = pending.add("ping", KEY, HERE, undefined);
    await universe.run(1000);
    const second = pending.add("nodes", KEY, THERE, undefined);
    expect(clock.pending).toBe(1);
    await universe.run(REQUEST_TIMEOUT - 1000);
    expect(silent).toEqual([first]);
    await universe.run(1000);
    expect(silent).toEqual([first, second]);
    expect(clock.pending).toBe(0);
    expect(pending.take("nodes", second.sendback, KEY, THERE)).toBeUndefined();
  });

  it("keep their time when the silent are asked again at once", async () => {
    const universe = new Universe();
    const { clock, random } = universe.host("a").edges;
    const at: number[] = [];
    const pending = new PendingRequests(clock, random, (request) => {
      at.push(universe.now);
      if (at.length === 1) pending.add("ping", request.publicKey, request.endpoint, undefined);
    });
    pending.add("ping", KEY, HERE, undefined);
    await universe.run(100);
    pending.add("ping", OTHER_KEY, HERE, undefined);
    await universe.run(20_000);
    expect(at).toEqual([5000, 5100, 10_000]);
  });

  it("know who owes us which answer", () => {
    const { pending } = setUp();
    const request = pending.add("nodes", KEY, HERE, undefined);
    expect(pending.awaits("nodes", KEY, HERE)).toBe(true);
    expect(pending.awaits("nodes", OTHER_KEY, HERE)).toBe(false);
    expect(pending.awaits("nodes", new Uint8Array(3), HERE)).toBe(false);
    expect(pending.awaits("ping", KEY, HERE)).toBe(false);
    const first = pending.add("ping", KEY, HERE, undefined);
    const second = pending.add("ping", KEY, HERE, undefined);
    pending.take("ping", first.sendback, KEY, HERE);
    expect(pending.awaits("ping", KEY, HERE)).toBe(true);
    expect(pending.awaits("ping", KEY, THERE)).toBe(false);
    pending.take("ping", second.sendback, KEY, HERE);
    expect(pending.awaits("ping", KEY, HERE)).toBe(false);
    expect(pending.awaits("nodes", KEY, HERE)).toBe(true);
    pending.take("nodes", request.sendback, KEY, HERE);
    expect(pending.awaits("nodes", KEY, HERE)).toBe(false);
  });

  it("know who was asked just now and has not answered", async () => {
    const { pending, universe } = setUp();
    const first = pending.add("ping", KEY, HERE, undefined);
    await universe.run(900);
    expect(pending.wasAskedWithin(1000, KEY, HERE)).toBe(true);
    expect(pending.wasAskedWithin(1000, KEY, THERE)).toBe(false);
    await universe.run(200);
    expect(pending.wasAskedWithin(1000, KEY, HERE)).toBe(false);
    const second = pending.add("nodes", KEY, HERE, undefined);
    expect(pending.wasAskedWithin(1000, KEY, HERE)).toBe(true);
    pending.take("nodes", second.sendback, KEY, HERE);
    pending.take("ping", first.sendback, KEY, HERE);
    expect(pending.wasAskedWithin(1000, KEY, HERE)).toBe(false);
  });

  it("are bounded: the oldest goes", () => {
    const { pending } = setUp();
    const first = pending.add("ping", KEY, HERE, undefined);
    for (let i = 0; i < MAX_PENDING_REQUESTS; i++) pending.add("ping", OTHER_KEY, HERE, undefined);
    expect(pending.size).toBe(MAX_PENDING_REQUESTS);
    expect(pending.take("ping", first.sendback, KEY, HERE)).toBeUndefined();
    expect(pending.awaits("ping", KEY, HERE)).toBe(false);
  });
});
