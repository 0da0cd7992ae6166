import type { PublicKey } from "../crypto/keys.ts";
import type { FileSource } from "../env/file.ts";
import { readU32 } from "../util/bytes.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import { ToxError } from "../util/tox_error.ts";
import { friendRequestPacket } from "../wire/friend/friend_request.ts";
import {
  bareFriendPacket,
  customPacketKind,
  FriendPacketId,
  MAX_FRIEND_PACKET_SIZE,
} from "../wire/friend/packet_ids.ts";
import { decodeShareRelays } from "../wire/friend/share_relays.ts";
import type { CallOptions } from "./call.ts";
import type { FriendContext, FriendLink } from "./context.ts";
import type { ExtensionExtras } from "./extension_extras.ts";
import type { SendFileOptions } from "./file_transfer.ts";
import { type Call, type ConnectionState, type FileTransfer, Friend, type FriendBehind } from "./friend.ts";
import { FriendConnection } from "./friend_connection.ts";
import type { KnownFriend } from "./known_friend.ts";
import { Messages } from "./messages.ts";
import { OutgoingRequest } from "./outgoing_request.ts";
import type { FriendPipe } from "./plugged_floors.ts";
import type { FriendSessionListener } from "./ports.ts";
import { Presence } from "./presence.ts";

/** Each ONLINE is answered with all that we tell of ourselves, and the app hears of it: so many at once … */
const COMINGS = 16;
/** … and one in so many ms in the long run. */
const COMING_MS = 2_000;

/** Everything about one friend, behind the handle that apps hold: wires the parts and hands out packets. */
export class FriendCore implements FriendBehind {
  readonly publicKey: PublicKey;
  readonly handle: Friend;
  readonly presence: Presence;
  readonly messages: Messages;
  readonly #context: FriendContext;
  /** A new one each time that a block ends. */
  #connection: FriendConnection;
  readonly #comings = new TokenBucket(COMINGS, COMING_MS);
  readonly #pipe: FriendPipe;
  #request: OutgoingRequest | undefined;
  #stopped = false;

  constructor(context: FriendContext, publicKey: PublicKey) {
    this.publicKey = publicKey;
    this.#context = context;
    this.handle = new Friend(this);
    this.#connection = this.#newConnection();
    const link = this.#makeLink();
    this.messages = new Messages(context, this.handle, publicKey, link, this.#makeExtras());
    this.presence = new Presence(context, this.handle, link, () => this.messages.hello());
    this.#pipe = this.#makePipe();
  }

  get connection(): ConnectionState {
    return this.presence.online ? this.#connection.transport : "none";
  }

  /** The request that goes out until the friend is there: nospam ‖ message. */
  get requestData(): Uint8Array | undefined {
    return this.#request?.data;
  }

  /** What is to be kept of him. */
  get known(): KnownFriend {
    const { publicKey } = this;
    const { name, statusMessage, status, lastOnline } = this.presence.known;
    if (this.#request === undefined) return { publicKey, name, statusMessage, status, lastOnline };
    const { data, sent } = this.#request;
    const request = { nospam: readU32(data, 0), message: data.subarray(4), sent };
    return { publicKey, name, statusMessage, status, lastOnline, request };
  }

  get blocked(): boolean {
    return this.#context.blocked.has(this.publicKey);
  }

  start(): void {
    if (!this.blocked) this.#connection.start();
  }

  block(on: boolean): void {
    this.#context.block(this.publicKey, on);
  }

  /** He has just been blocked: he sees us leave, and we look for him no more. */
  shutOut(): void {
    const blocked = this.#connection;
    blocked.send(bareFriendPacket(FriendPacketId.Offline), "control");
    this.#connection = this.#newConnection();
    blocked.stop();
    this.#left();
  }

  /** The block has ended. */
  letIn(): void {
    this.#connection.start();
  }

  /** Asks for friendship, or asks anew under another nospam. `sent`: an earlier instance has asked. */
  request(data: Uint8Array, sent = false): void {
    if (this.#request) {
      this.#request.replace(data);
      return;
    }
    this.#request = new OutgoingRequest(this.#context.clock, data, sent, (bytes) => this.#sendRequest(bytes));
    this.#request.trySend();
  }

  incoming(dhtPublicKey: PublicKey): FriendSessionListener | undefined {
    return this.#connection.incoming(dhtPublicKey);
  }

  /** Throws `closed` or `unknown-friend`. */
  checkUsable(): void {
    if (this.#context.isClosed()) throw new ToxError("closed", "Create a new instance: this one is closed.");
    if (this.#stopped) throw new ToxError("unknown-friend", "Add the friend again: he has been removed.");
  }

  remove(): void {
    this.#context.remove(this.handle);
  }

  /** See `Friend.sendFile`. */
  sendFile(source: FileSource, options: SendFileOptions): FileTransfer {
    const { fileSender } = this.#context;
    if (fileSender === undefined) throw new ToxError("closed", "Create a new instance: this one sends no files.");
    return fileSender.send(this.handle, source, options);
  }

  /** See `Friend.call`. */
  call(options: CallOptions): Call {
    const { callMaker } = this.#context;
    if (callMaker === undefined) throw new ToxError("closed", "Create a new instance: this one makes no calls.");
    return callMaker.call(this.handle, options);
  }

  /** Sends an app's own packet, see `Friend.sendPacket`. */
  sendCustom(bytes: Uint8Array): void {
    const [id] = bytes;
    if (id === undefined) throw new ToxError("invalid-argument", "Give a packet of at least one byte, its id.");
    const kind = customPacketKind(id);
    if (kind === undefined) {
      throw new ToxError("packet-id-reserved", `Take an id from 160–191 or 200–254: ${id} belongs to the protocol.`);
    }
    if (bytes.length > MAX_FRIEND_PACKET_SIZE) {
      const advice = `Split the packet: it has ${bytes.length} bytes, and ${MAX_FRIEND_PACKET_SIZE} fit.`;
      throw new ToxError("packet-too-long", advice);
    }
    if (!this.presence.online) throw new ToxError("friend-offline", "Wait for the friend to come online.");
    if (kind === "lossy") this.#connection.sendLossy(bytes);
    else if (!this.#connection.send(bytes, "message")) {
      throw new ToxError("queue-full", "Wait a moment: the session's send queue is full.");
    }
  }

  /** Says OFFLINE and ends the session. Messages that wait are settled with the outcome. */
  stop(outcome: "closed" | "cancelled"): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.messages.stop(outcome);
    if (this.presence.online) this.#context.floors.down(this.handle);
    if (outcome === "cancelled") this.#context.floors.removed(this.handle);
    this.#connection.send(bareFriendPacket(FriendPacketId.Offline), "control");
    this.#connection.stop();
    this.#request?.stop();
  }

  #newConnection(): FriendConnection {
    return new FriendConnection(this.#context, this.publicKey, {
      onReachable: () => this.#request?.found(),
      onUp: () => this.#sessionUp(),
      onDown: () => this.#left(),
      onLossless: (packet) => this.#handleLossless(packet),
      onLossy: (packet) => this.#handleLossy(packet),
      onWritable: () => this.#writable(),
      onPathChange: () => this.presence.pathChanged(),
    });
  }

  /** The way over whichever connection there is. */
  #makeLink(): FriendLink {
    return {
      send: (packet, priority, onAcknowledged) => this.#connection.send(packet, priority, onAcknowledged),
      sendLossy: (packet) => this.#connection.sendLossy(packet),
      setBulkSource: (pull) => this.#connection.setBulkSource(pull),
      bulkReady: () => this.#connection.bulkReady(),
      restart: (reason) => this.#connection.restart(reason),
    };
  }

  #makeExtras(): ExtensionExtras {
    const core = this;
    return {
      get capabilities() {
        return core.#connection.extras.capabilities;
      },
      peerHas: (capabilities) => this.#connection.extras.peerHas(capabilities),
      handle: (packet) => this.#connection.extras.handle(packet),
    };
  }

  #sendRequest(data: Uint8Array): boolean {
    if (this.#connection.established) return this.#connection.send(friendRequestPacket(data), "control");
    return this.#connection.sendRequestThroughOnion(data) > 0;
  }

  #sessionUp(): void {
    this.presence.sessionUp();
    this.#request?.trySend();
  }

  #left(): void {
    const wasOnline = this.presence.online;
    this.messages.sessionLost();
    this.#connection.setBulkSource(undefined);
    this.presence.handleOffline();
    if (wasOnline) this.#context.floors.down(this.handle);
  }

  #writable(): void {
    this.presence.flush();
    this.messages.writable();
    if (this.presence.online) this.#context.floors.writable(this.handle);
  }

  #makePipe(): FriendPipe {
    const core = this;
    return {
      get online() {
        return core.presence.online;
      },
      get capabilities() {
        return core.messages.peerCapabilities;
      },
      send: (packet, priority, onAcknowledged) =>
        this.presence.online && this.#connection.send(packet, priority, onAcknowledged),
      sendLossy: (packet) => this.presence.online && this.#connection.sendLossy(packet),
      get roundTripMs() {
        return core.#connection.roundTripMs;
      },
      setBulkSource: (pull) => {
        if (this.presence.online) this.#connection.setBulkSource(pull);
      },
      bulkReady: () => {
        if (this.presence.online) this.#connection.bulkReady();
      },
    };
  }

  #handleLossless(packet: Uint8Array): void {
    const id = packet[0];
    if (this.presence.online) this.messages.observe(packet);
    switch (id) {
      case FriendPacketId.Alive:
        break;
      case FriendPacketId.ShareRelays:
        this.#connection.takeRelays(decodeShareRelays(packet, this.#context.drop) ?? []);
        break;
      case FriendPacketId.FriendRequest:
        this.#context.requests.receive(this.publicKey, packet.subarray(1));
        break;
      case FriendPacketId.Online:
        this.#handleOnline(packet);
        break;
      default:
        if (this.presence.online) this.#handleOfOnline(packet);
        else this.#context.drop("unsolicited");
    }
  }

  #handleOnline(packet: Uint8Array): void {
    if (packet.length !== 1) {
      this.#context.drop("oversized");
    } else if (this.presence.online) {
      return;
    } else if (!this.#comings.take(this.#context.clock.monotonic())) {
      this.#context.drop("rate-limited");
      this.#connection.restart("a friend who comes and goes without end");
    } else {
      this.#request?.stop();
      this.#request = undefined;
      this.presence.handleOnline();
      if (!this.presence.online) return;
      this.#context.floors.up(this.handle, this.#pipe);
      if (this.presence.online) this.presence.announceConnection(); // whoever hears of it may call him at once
    }
  }

  #handleOfOnline(packet: Uint8Array): void {
    switch (packet[0]) {
      case FriendPacketId.Offline:
        if (packet.length === 1) this.#left();
        else this.#context.drop("oversized");
        break;
      case FriendPacketId.Message:
      case FriendPacketId.Action:
        this.messages.handlePlain(packet);
        break;
      case FriendPacketId.Extension:
        this.messages.handleExtension(packet);
        break;
      default:
        if (!this.presence.handle(packet)) this.#handleOther(packet, true);
    }
  }

  #handleLossy(packet: Uint8Array): void {
    if (this.presence.online) this.#handleOther(packet, false);
    else this.#context.drop("unsolicited");
  }

  #handleOther(packet: Uint8Array, lossless: boolean): void {
    const { handlers, events, drop } = this.#context;
    if (packet.length > MAX_FRIEND_PACKET_SIZE) {
      drop("oversized");
    } else if (customPacketKind(packet[0] ?? 0) === (lossless ? "lossless" : "lossy")) {
      if (events.listenerCount("packet") === 0) return;
      events.emit("packet", { friend: this.handle, bytes: packet.slice(), lossless });
    } else if (!handlers.handle(this.handle, packet)) {
      drop("unknown-id");
    }
  }
}
