import { Crypto } from "../../../src/crypto/crypto.ts";
import { nobleProvider } from "../../../src/crypto/noble.ts";
import type { FilePort } from "../../../src/env/file.ts";
import { memoryStore } from "../../../src/env/memory_store.ts";
import { MemoryMetrics } from "../../../src/env/metrics.ts";
import type { Store } from "../../../src/env/store.ts";
import type { FriendAvatar } from "../../../src/files/avatars.ts";
import { Files } from "../../../src/files/files.ts";
import type { FileOffer } from "../../../src/files/offer.ts";
import type { FileTransfer, Friend } from "../../../src/friend/friend.ts";
import type { Friends } from "../../../src/friend/friends.ts";
import type { FriendPacketHandler } from "../../../src/friend/packet_handlers.ts";
import type { FriendPipe } from "../../../src/friend/plugged_floors.ts";
import type { BulkPacket } from "../../../src/net_crypto/session.ts";
import { MemoryLogger } from "../../../src/testing/memory_logger.ts";
import { SeededRandom } from "../../../src/testing/seeded_random.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { decodeFileControl, encodeFileControl, type FileControl } from "../../../src/wire/friend/file_control.ts";
import { encodeFileData } from "../../../src/wire/friend/file_data.ts";
import { decodeFileRequest, encodeFileRequest, type FileRequest } from "../../../src/wire/friend/file_request.ts";
import { FriendPacketId } from "../../../src/wire/friend/packet_ids.ts";

/** The files of one instance with all its friends, whose packets the test writes and reads. */
export class FilesWorld {
  readonly timeline: Timeline;
  readonly logger = new MemoryLogger();
  readonly metrics = new MemoryMetrics();
  readonly store: Store;
  readonly offers: FileOffer[] = [];
  readonly resumed: FileTransfer[] = [];
  readonly avatars: { readonly friend: Friend; readonly avatar: FriendAvatar | undefined }[] = [];
  readonly handlers = new Map<number, FriendPacketHandler>();
  files!: Files;

  private constructor(store: Store, timeline: Timeline) {
    this.store = store;
    this.timeline = timeline;
  }

  static async start(store = memoryStore(), port?: FilePort, timeline = new Timeline()): Promise<FilesWorld> {
    const world = new FilesWorld(store, timeline);
    const friends = {
      plugIn: () => {},
      onPacket: (first: number, _last: number, handler: FriendPacketHandler) => {
        world.handlers.set(first, handler);
        return () => {};
      },
    } as unknown as Friends;
    world.files = await Files.create({
      ...{ friends, store, port, logger: world.logger, metrics: world.metrics },
      clock: new VirtualClock(timeline, 1_700_000_000),
      crypto: new Crypto(nobleProvider, new SeededRandom(1)),
    });
    world.files.events.on("fileOffer", (offer) => void world.offers.push(offer));
    world.files.events.on("fileResumed", ({ transfer }) => void world.resumed.push(transfer));
    world.files.events.on("friendAvatar", (event) => void world.avatars.push(event));
    return world;
  }

  friend(letter: string): OneOfFriends {
    return new OneOfFriends(this, letter);
  }

  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }
}

/** A friend, who is there at once. */
export class OneOfFriends {
  readonly handle: Friend;
  /** What was said to him, but for data. */
  readonly said: Uint8Array[] = [];
  #pull: (() => BulkPacket | undefined) | undefined;
  readonly #world: FilesWorld;

  constructor(world: FilesWorld, letter: string) {
    this.#world = world;
    this.handle = { publicKey: letter.repeat(64) } as Friend;
    this.up();
  }

  up(capabilities = 0): void {
    const pipe: FriendPipe = {
      online: true,
      capabilities,
      roundTripMs: 0,
      send: (packet) => this.said.push(packet.slice()) > 0,
      sendLossy: () => true,
      setBulkSource: (pull) => {
        this.#pull = pull;
      },
      bulkReady: () => {},
    };
    this.#world.files.up(this.handle, pipe);
  }

  down(): void {
    this.#pull = undefined;
    this.#world.files.down(this.handle);
  }

  offer(slot: number, request: Partial<FileRequest> = {}): void {
    const name = new TextEncoder().encode("photo.jpg");
    const whole = { slot, kind: 0, size: 10_000n, fileId: new Uint8Array(32), name, ...request };
    this.#handle(FriendPacketId.FileSendRequest, encodeFileRequest(whole));
  }

  control(control: FileControl["control"], slot: number, byReceiver: boolean, position = 0n): void {
    this.#handle(FriendPacketId.FileControl, encodeFileControl({ control, slot, byReceiver, position }));
  }

  data(slot: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 1371) {
      this.#handle(FriendPacketId.FileData, encodeFileData({ slot, data: bytes.subarray(at, at + 1371) }));
    }
  }

  pull(): Uint8Array | undefined {
    const pulled = this.#pull?.();
    return pulled instanceof Uint8Array ? pulled : pulled?.data;
  }

  /** The controls said since the last call. */
  controls(): FileControl[] {
    return this.said.splice(0).flatMap((packet) => decodeFileControl(packet, () => undefined) ?? []);
  }

  /** The offers said since the last call. */
  offered(): FileRequest[] {
    return this.said.splice(0).flatMap((packet) => decodeFileRequest(packet, () => undefined) ?? []);
  }

  #handle(id: number, packet: Uint8Array): void {
    this.#world.handlers.get(id)?.(this.handle, packet);
  }
}

/** Waits for a real disk. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`not so after 2000 turns: ${what}`);
}
