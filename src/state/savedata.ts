/**
 * toxcore's savedata, the plain content of a `.tox` file. c-toxcore `state.h`, `Messenger.c`, `DHT.c`, `tox.c`.
 *
 *    4  0
 *    4  0x15ed1b1f, little-endian
 *   --  sections, cookie 0x01ce
 *
 *     1  nospam, as in the Tox ID ‖ 32 public key ‖ 32 secret key
 *     2  the DHT: 0x0159000d ‖ sections, cookie 0x11ce, of which 4 holds packed nodes; others are kept as they came
 *     3  friends, 2216 bytes each
 *     4  name          5  status message          6  status, 1 byte
 *     7  NGC groups   10  TCP relays              11  path nodes          20  conferences
 *   255  the end
 */
import { asPublicKey, asSecretKey, PUBLIC_KEY_SIZE, type PublicKey, type SecretKey } from "../crypto/keys.ts";
import { isEncryptedProfile } from "../crypto/profile_encryption.ts";
import { readU32, writeU32 } from "../util/bytes.ts";
import { ToxError } from "../util/tox_error.ts";
import { MAX_NAME_SIZE, MAX_STATUS_MESSAGE_SIZE, type UserStatus } from "../wire/friend/presence.ts";
import { decodePackedNodes, encodePackedNodes, type PackedNode, packedNodeSize } from "../wire/packed_node.ts";
import { decodeSavedFriend, encodeSavedFriend, SAVED_FRIEND_SIZE, type SavedFriend, STATUSES } from "./saved_friend.ts";
import {
  damaged,
  draftOf,
  readSections,
  type Section,
  type SectionDraft,
  sizeOfSections,
  writeSections,
} from "./sections.ts";

const HEADER_SIZE = 8;
const COOKIE = 0x15ed_1b1f;
const SECTION_COOKIE = 0x01ce;
const DHT_COOKIE = 0x0159_000d;
const DHT_SECTION_COOKIE = 0x11ce;
const DHT_NODES = 4;
const KEYS_SIZE = 4 + 2 * PUBLIC_KEY_SIZE;
/** More than toxcore ever keeps of either kind; the rest of a longer list is left out. */
const MAX_NODES = 4096;

const Type = {
  Keys: 1,
  Dht: 2,
  Friends: 3,
  Name: 4,
  StatusMessage: 5,
  Status: 6,
  Groups: 7,
  Relays: 10,
  PathNodes: 11,
  Conferences: 20,
  End: 255,
} as const;

/** What a profile holds. Texts are bytes, since toxcore does not ask whether they are UTF-8. */
export interface Savedata {
  /** u32. */
  readonly nospam: number;
  readonly publicKey: PublicKey;
  readonly secretKey: SecretKey;
  readonly friends: readonly SavedFriend[];
  readonly name: Uint8Array;
  readonly statusMessage: Uint8Array;
  readonly status: UserStatus;
  readonly dhtNodes: readonly PackedNode[];
  /** What else the DHT's section holds, as it came. */
  readonly dhtOthers: readonly Section[];
  readonly relays: readonly PackedNode[];
  readonly pathNodes: readonly PackedNode[];
  /** NGC groups, conferences and what nobody knows yet, as they came. */
  readonly others: readonly Section[];
}

/**
 * Reads a plain profile; what it holds are copies. Nodes that make no sense are left out, anything else that makes none
 * throws `profile-damaged`; an encrypted profile throws `password-missing`.
 */
export function decodeSavedata(bytes: Uint8Array): Savedata {
  if (isEncryptedProfile(bytes)) {
    throw new ToxError("password-missing", "The profile is encrypted: decrypt it with its password first.");
  }
  if (bytes.length < HEADER_SIZE) throw damaged(`it has ${bytes.length} bytes`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  if (header.getUint32(0, true) !== 0 || header.getUint32(4, true) !== COOKIE) throw damaged("it is no Tox profile");
  const known = new Map<number, Uint8Array>();
  const others: Section[] = [];
  for (const section of readSections(bytes, HEADER_SIZE, SECTION_COOKIE, Type.End)) {
    if (!isRead(section.type)) others.push({ type: section.type, bytes: section.bytes.slice() });
    else if (known.has(section.type)) throw damaged(`there are two sections ${section.type}`);
    else known.set(section.type, section.bytes);
  }
  const part = (type: number) => known.get(type) ?? new Uint8Array(0);
  return {
    ...keysOf(known.get(Type.Keys)),
    friends: friendsOf(part(Type.Friends)),
    name: textOf(part(Type.Name), MAX_NAME_SIZE, "name"),
    statusMessage: textOf(part(Type.StatusMessage), MAX_STATUS_MESSAGE_SIZE, "status message"),
    status: STATUSES[part(Type.Status)[0] ?? 0] ?? "none",
    ...dhtOf(part(Type.Dht)),
    relays: nodesOf(part(Type.Relays)),
    pathNodes: nodesOf(part(Type.PathNodes)),
    others,
  };
}

/** The bytes of a plain profile, sections in toxcore's order. */
export function encodeSavedata(data: Savedata): Uint8Array {
  const sections = [
    keysIn(data),
    dhtIn(data),
    friendsIn(data.friends),
    draftOf({ type: Type.Name, bytes: data.name }),
    draftOf({ type: Type.StatusMessage, bytes: data.statusMessage }),
    draftOf({ type: Type.Status, bytes: Uint8Array.of(STATUSES.indexOf(data.status)) }),
    nodesIn(Type.Relays, data.relays),
    nodesIn(Type.PathNodes, data.pathNodes),
    ...data.others.map(draftOf),
  ];
  sections.sort((a, b) => a.type - b.type); // a stable sort
  sections.push(draftOf({ type: Type.End, bytes: new Uint8Array(0) }));
  const bytes = new Uint8Array(HEADER_SIZE + sizeOfSections(sections));
  new DataView(bytes.buffer).setUint32(4, COOKIE, true);
  writeSections(bytes, HEADER_SIZE, SECTION_COOKIE, sections);
  return bytes;
}

function isRead(type: number): boolean {
  if (type === Type.Relays || type === Type.PathNodes) return true;
  return type >= Type.Keys && type <= Type.Status;
}

function keysOf(bytes: Uint8Array | undefined): Pick<Savedata, "nospam" | "publicKey" | "secretKey"> {
  if (bytes?.length !== KEYS_SIZE) throw damaged(bytes === undefined ? "it has no keys" : "its keys are cut short");
  return {
    nospam: readU32(bytes, 0),
    publicKey: asPublicKey(bytes.slice(4, 4 + PUBLIC_KEY_SIZE)),
    secretKey: asSecretKey(bytes.slice(4 + PUBLIC_KEY_SIZE)),
  };
}

function keysIn({ nospam, publicKey, secretKey }: Savedata): SectionDraft {
  const write = (into: Uint8Array) => {
    writeU32(into, 0, nospam);
    into.set(publicKey, 4);
    into.set(secretKey, 4 + PUBLIC_KEY_SIZE);
  };
  return { type: Type.Keys, size: KEYS_SIZE, write };
}

function friendsOf(bytes: Uint8Array): SavedFriend[] {
  if (bytes.length % SAVED_FRIEND_SIZE !== 0) throw damaged("the list of friends is cut short");
  const friends: SavedFriend[] = [];
  for (let at = 0; at < bytes.length; at += SAVED_FRIEND_SIZE) {
    const friend = decodeSavedFriend(bytes.subarray(at, at + SAVED_FRIEND_SIZE));
    if (friend) friends.push(friend);
  }
  return friends;
}

/** Most of a profile: written where it stays. */
function friendsIn(friends: readonly SavedFriend[]): SectionDraft {
  const write = (into: Uint8Array) => {
    let at = 0;
    for (const friend of friends) at = encodeSavedFriend(into, at, friend);
  };
  return { type: Type.Friends, size: friends.length * SAVED_FRIEND_SIZE, write };
}

function textOf(bytes: Uint8Array, limit: number, what: string): Uint8Array {
  if (bytes.length > limit) throw damaged(`its ${what} has ${bytes.length} bytes, and ${limit} fit`);
  return bytes.slice();
}

function dhtOf(bytes: Uint8Array): Pick<Savedata, "dhtNodes" | "dhtOthers"> {
  const dhtNodes: PackedNode[] = [];
  const dhtOthers: Section[] = [];
  for (const { type, bytes: body } of dhtSections(bytes)) {
    if (type === DHT_NODES) dhtNodes.push(...nodesOf(body).slice(0, MAX_NODES - dhtNodes.length));
    else dhtOthers.push({ type, bytes: body.slice() });
  }
  return { dhtNodes, dhtOthers };
}

function dhtSections(bytes: Uint8Array): Section[] {
  if (bytes.length < 4 || new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) !== DHT_COOKIE) return [];
  try {
    return readSections(bytes, 4, DHT_SECTION_COOKIE);
  } catch {
    return []; // others are found without them
  }
}

function dhtIn({ dhtNodes, dhtOthers }: Savedata): SectionDraft {
  const sections = [nodesIn(DHT_NODES, dhtNodes), ...dhtOthers.map(draftOf)].sort((a, b) => a.type - b.type);
  const write = (into: Uint8Array) => {
    new DataView(into.buffer, into.byteOffset).setUint32(0, DHT_COOKIE, true);
    writeSections(into, 4, DHT_SECTION_COOKIE, sections);
  };
  return { type: Type.Dht, size: 4 + sizeOfSections(sections), write };
}

function nodesOf(bytes: Uint8Array): PackedNode[] {
  return decodePackedNodes(bytes, 0, MAX_NODES)?.nodes ?? [];
}

function nodesIn(type: number, nodes: readonly PackedNode[]): SectionDraft {
  const size = nodes.reduce((sum, node) => sum + packedNodeSize(node), 0);
  return { type, size, write: (into) => encodePackedNodes(into, 0, nodes) };
}
