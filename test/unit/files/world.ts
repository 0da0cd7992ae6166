import { nobleProvider } from "../../../src/crypto/noble.ts";
import { silentLogger } from "../../../src/env/logger.ts";
import { type FilesContext, FriendFiles } from "../../../src/files/friend_files.ts";
import type { IncomingTransfer } from "../../../src/files/incoming.ts";
import { SharedSources } from "../../../src/files/shared_reads.ts";
import type { Friend } from "../../../src/friend/friend.ts";
import type { FriendPipe } from "../../../src/friend/plugged_floors.ts";
import type { BulkPacket } from "../../../src/net_crypto/session.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import type { DropReason } from "../../../src/wire/drop.ts";
import { decodeFileControl, encodeFileControl, type FileControl } from "../../../src/wire/friend/file_control.ts";
import { encodeFileData } from "../../../src/wire/friend/file_data.ts";
import { encodeFileRequest } from "../../../src/wire/friend/file_request.ts";

/** The files with one friend, whose packets the test writes and reads. */
export class OneFriend {
  readonly timeline = new Timeline();
  readonly offers: IncomingTransfer[] = [];
  readonly drops: DropReason[] = [];
  /** What was said to him, but for data. */
  readonly said: Uint8Array[] = [];
  readonly friend = { publicKey: "F".repeat(64) } as Friend;
  readonly files: FriendFiles;
  /** Whether the session takes what we say. */
  takes = true;
  /** What his hello says; looked at when he comes. */
  capabilities = 0;
  #pull: (() => BulkPacket | undefined) | undefined;

  constructor(sources = new SharedSources()) {
    const context: FilesContext = {
      clock: new VirtualClock(this.timeline, 1_700_000_000),
      logger: silentLogger,
      crypto: nobleProvider,
      sources,
      drop: (reason) => {
        this.drops.push(reason);
        return undefined;
      },
      offered: (transfer) => void this.offers.push(transfer),
      avatarOffered: (_friend, _request, decide) => decide(undefined),
      changed: () => {},
    };
    this.files = new FriendFiles(context, this.friend);
    this.up();
  }

  up(): void {
    const pipe: FriendPipe = {
      online: true,
      capabilities: this.capabilities,
      roundTripMs: undefined,
      sendLossy: () => true,
      send: (packet) => {
        if (this.takes) this.said.push(packet.slice());
        return this.takes;
      },
      setBulkSource: (pull) => {
        this.#pull = pull;
      },
      bulkReady: () => {},
    };
    this.files.up(pipe);
  }

  down(): void {
    this.#pull = undefined;
    this.files.down();
  }

  /** Lets time pass, and what is due in it happen. */
  pass(ms: number): void {
    const end = this.timeline.now + ms;
    while (this.timeline.step(end));
    this.timeline.advance(end);
  }

  /** Whether the session asks for data. */
  get asks(): boolean {
    return this.#pull !== undefined;
  }

  pull(): Uint8Array | undefined {
    const pulled = this.#pull?.();
    return pulled instanceof Uint8Array ? pulled : pulled?.data;
  }

  /** The controls said since the last call. */
  controls(): FileControl[] {
    return this.said.splice(0).flatMap((packet) => decodeFileControl(packet, () => undefined) ?? []);
  }

  request(slot: number, { size = 10_000n, kind = 0, id = slot, name = "x" } = {}): void {
    const fileId = new Uint8Array(32);
    fileId[0] = id & 0xff;
    fileId[1] = id >> 8;
    this.files.handleRequest(encodeFileRequest({ slot, kind, size, fileId, name: new TextEncoder().encode(name) }));
  }

  control(control: FileControl["control"], slot: number, byReceiver: boolean, position = 0n): void {
    this.files.handleControl(encodeFileControl({ control, slot, byReceiver, position }));
  }

  data(slot: number, data: Uint8Array): void {
    this.files.handleData(encodeFileData({ slot, data }));
  }
}

/** Lets what was promised happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}
