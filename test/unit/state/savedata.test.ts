import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { asPublicKey, asSecretKey } from "../../../src/crypto/keys.ts";
import { SAVED_FRIEND_SIZE, type SavedFriend } from "../../../src/state/saved_friend.ts";
import { decodeSavedata, encodeSavedata, type Savedata } from "../../../src/state/savedata.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";
import { utf8 } from "../../../src/util/text.ts";
import { ToxError } from "../../../src/util/tox_error.ts";
import type { PackedNode } from "../../../src/wire/packed_node.ts";
import { golden } from "../../support/golden.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const upTo = (length: number) => fc.uint8Array({ maxLength: length });
const key = bytes(32).map(asPublicKey);
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const status = fc.constantFrom("none", "away", "busy");

const friend: fc.Arbitrary<SavedFriend> = fc.oneof(
  fc.record({
    kind: fc.constant("confirmed" as const),
    publicKey: key,
    name: upTo(128),
    statusMessage: upTo(1007),
    status,
    lastOnline: fc.option(fc.integer({ min: 1, max: 0xffff_ffff }), { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant("asked" as const),
    publicKey: key,
    nospam: u32,
    message: upTo(1024),
    sent: fc.boolean(),
  }),
);

const node = (transport: "udp" | "tcp"): fc.Arbitrary<PackedNode> =>
  fc.record({
    publicKey: key,
    endpoint: fc
      .tuple(fc.oneof(bytes(4), bytes(16)), fc.integer({ min: 1, max: 65535 }))
      .map(([address, port]) => makeEndpoint(address, port)),
    transport: fc.constant(transport),
  });

/** In the order of their types, as they are written. */
const sections = (...types: number[]) =>
  fc
    .array(fc.record({ type: fc.constantFrom(...types), bytes: upTo(64) }), { maxLength: 4 })
    .map((made) => made.sort((a, b) => a.type - b.type));

const savedata: fc.Arbitrary<Savedata> = fc.record({
  nospam: u32,
  publicKey: key,
  secretKey: bytes(32).map(asSecretKey),
  friends: fc.array(friend, { maxLength: 8 }),
  name: upTo(128),
  statusMessage: upTo(1007),
  status,
  dhtNodes: fc.array(node("udp"), { maxLength: 4 }),
  relays: fc.array(node("tcp"), { maxLength: 4 }),
  pathNodes: fc.array(node("udp"), { maxLength: 4 }),
  dhtOthers: sections(0, 1, 3, 5, 99, 0xffff),
  others: sections(7, 8, 20, 21, 200, 254, 300),
});

const EMPTY: Savedata = {
  nospam: 1,
  publicKey: asPublicKey(new Uint8Array(32).fill(2)),
  secretKey: asSecretKey(new Uint8Array(32).fill(3)),
  friends: [],
  name: utf8("me"),
  statusMessage: utf8(""),
  status: "none",
  dhtNodes: [],
  dhtOthers: [],
  relays: [],
  pathNodes: [],
  others: [],
};
const ALICE: SavedFriend = {
  kind: "confirmed",
  publicKey: asPublicKey(new Uint8Array(32).fill(9)),
  name: utf8("alice"),
  statusMessage: utf8("there"),
  status: "away",
  lastOnline: 1_700_000_000,
};

function codeOf(fn: () => unknown): string | undefined {
  try {
    fn();
    return undefined;
  } catch (error) {
    if (error instanceof ToxError) return error.code;
    throw error;
  }
}

/** Where the body of the section begins. */
function bodyOf(profile: Uint8Array, type: number): number {
  const view = new DataView(profile.buffer);
  for (let at = 8; at < profile.length; at += 8 + view.getUint32(at, true)) {
    if (view.getUint16(at + 4, true) === type) return at + 8;
  }
  throw new Error(`no section ${type}`);
}

describe("savedata", () => {
  it("comes back as it was written, whatever it holds", () => {
    fc.assert(
      fc.property(savedata, (data) => {
        expect(decodeSavedata(encodeSavedata(data))).toEqual(data);
      }),
    );
  });

  it("is read without an end, and what lies behind the end is not", () => {
    const profile = encodeSavedata(EMPTY);
    expect(decodeSavedata(profile.subarray(0, profile.length - 8))).toEqual(EMPTY);
    expect(decodeSavedata(Uint8Array.of(...profile, 1, 2, 3))).toEqual(EMPTY);
  });

  it("says that it is damaged wherever it is cut off within a section", () => {
    const profile = encodeSavedata({ ...EMPTY, friends: [ALICE] });
    const ends = new Set([...Array(profile.length).keys()].filter((size) => isWhole(profile, size)));
    for (let size = 0; size < profile.length; size++) {
      const code = codeOf(() => decodeSavedata(profile.subarray(0, size)));
      expect(code, `${size} bytes`).toBe(ends.has(size) && size > bodyOf(profile, 1) ? undefined : "profile-damaged");
    }
  });

  it("is refused or read with any bit changed, and never anything else happens", () => {
    const profile = encodeSavedata({ ...EMPTY, friends: [ALICE] });
    for (let bit = 0; bit < 8 * profile.length; bit++) {
      const spoilt = profile.slice();
      spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect([undefined, "profile-damaged"]).toContain(codeOf(() => decodeSavedata(spoilt)));
    }
  });

  it("takes any bytes for damaged, and is quick about it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4096 }), (noise) => {
        const framed = Uint8Array.of(0, 0, 0, 0, 0x1f, 0x1b, 0xed, 0x15, ...noise);
        expect(["profile-damaged", undefined]).toContain(codeOf(() => decodeSavedata(framed)));
      }),
    );
  });

  it.each([
    ["a section that claims to be longer than the file", 3, -8, [0xff, 0xff, 0xff, 0xff]],
    ["ten million friends in a file of one", 3, -8, [0x00, 0x1f, 0x26, 0x05]],
    ["half a friend", 3, -8, [100, 0, 0, 0]],
    ["a friend in a state that there is not", 3, 0, [9]],
    ["a friend whose name is longer than names are", 3, 1188, [0, 129]],
    ["a friend whose status message is too long", 3, 2198, [0xff, 0xff]],
    ["keys that are cut short", 1, -8, [67, 0, 0, 0]],
    ["a section with another cookie", 4, -2, [0, 0]],
  ])("is damaged: %s", (_what, type, offset, patch) => {
    const profile = encodeSavedata({ ...EMPTY, friends: [ALICE] });
    profile.set(patch, bodyOf(profile, type) + offset);
    expect(codeOf(() => decodeSavedata(profile))).toBe("profile-damaged");
  });

  it("has no two sections of one kind, and never none with keys", () => {
    const profile = encodeSavedata(EMPTY);
    expect(codeOf(() => decodeSavedata(Uint8Array.of(...profile.subarray(0, -8), ...profile.subarray(8))))).toBe(
      "profile-damaged",
    );
    expect(codeOf(() => decodeSavedata(profile.subarray(0, 8)))).toBe("profile-damaged");
  });

  it("has no thousand sections, however short they are", () => {
    const others = Array.from({ length: 1_100 }, () => ({ type: 200, bytes: new Uint8Array(0) }));
    expect(codeOf(() => decodeSavedata(encodeSavedata({ ...EMPTY, others })))).toBe("profile-damaged");
    expect(decodeSavedata(encodeSavedata({ ...EMPTY, others: others.slice(0, 1_000) })).others).toHaveLength(1_000);
  });

  it("of libtoxcore 0.2.18 is written again as it was, up to the room that it leaves behind the end", () => {
    for (const name of ["alice", "bob"] as const) {
      const theirs = golden(name);
      const ours = encodeSavedata(decodeSavedata(theirs));
      expect(ours).toEqual(theirs.subarray(0, ours.length));
      expect(theirs.subarray(ours.length).every((byte) => byte === 0)).toBe(true);
    }
  });

  it("says so when it is encrypted", () => {
    expect(codeOf(() => decodeSavedata(utf8("toxEsave and more")))).toBe("password-missing");
  });

  it("leaves out free places in the list, and nodes that make no sense", () => {
    const profile = encodeSavedata({ ...EMPTY, friends: [ALICE, ALICE] });
    profile[bodyOf(profile, 3)] = 0;
    expect(decodeSavedata(profile).friends).toEqual([ALICE]);
    const [relay] = fc.sample(node("tcp"), 1);
    const other = encodeSavedata({ ...EMPTY, relays: relay ? [relay] : [] });
    other[bodyOf(other, 10)] = 77;
    expect(decodeSavedata(other).relays).toEqual([]);
    expect(SAVED_FRIEND_SIZE).toBe(2216);
  });
});

function isWhole(profile: Uint8Array, size: number): boolean {
  const view = new DataView(profile.buffer);
  let at = 8;
  while (at < size) at += 8 + view.getUint32(at, true);
  return at === size;
}
