import type { PublicKey } from "../crypto/keys.ts";
import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import { ToxError } from "../util/tox_error.ts";
import type { DropReason } from "../wire/drop.ts";
import {
  MAX_SESSION_DATA_SIZE,
  plainBufferStart,
  plainDataAt,
  plainPacketNumber,
} from "../wire/net_crypto/crypto_data.ts";
import { isLosslessId, isLossyId, SessionPacketId } from "../wire/net_crypto/session_ids.ts";
import { DueTimer } from "./due_timer.ts";
import type { OpenedHandshake } from "./handshake_crypto.ts";
import { type HandshakeVerdict, KeyAgreement } from "./key_agreement.ts";
import { REQUEST_INTERVAL, SHORTEST_REPETITION } from "./limits.ts";
import { Opening } from "./opening.ts";
import { type Arrived, type Path, Paths } from "./paths.ts";
import type { RelayPath } from "./ports.ts";
import { Receiver } from "./receiver.ts";
import { RoundTrip } from "./round_trip.ts";
import { sendDataPacket, sendPlainPacket } from "./send_packet.ts";
import { Sender } from "./sender.ts";
import type { BulkPacket, CloseReason, LosslessClass, Session, SessionListener, SessionState } from "./session.ts";
import type { SessionHost } from "./session_host.ts";

/** A session over the life of its keys: opening, encryption, and who hears of what. c-toxcore `net_crypto.c`. */
export class CryptoSession implements Session {
  readonly peer: PublicKey;
  readonly dhtPublicKey: PublicKey;
  readonly #host: SessionHost<CryptoSession>;
  readonly #listener: SessionListener;
  readonly #agreement: KeyAgreement;
  readonly #paths: Paths;
  readonly #opening: Opening;
  readonly #timer: DueTimer;
  readonly #roundTrip = new RoundTrip();
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #state: SessionState = "cookie";
  #lastReceivedAt = Number.NEGATIVE_INFINITY;
  #triedOthersAt = Number.NEGATIVE_INFINITY;
  /** The peer's keys are of small order. */
  #isHopeless = false;

  constructor(host: SessionHost<CryptoSession>, peer: PublicKey, dhtPublicKey: PublicKey, listener: SessionListener) {
    this.#host = host;
    this.peer = peer.slice() as Uint8Array as PublicKey;
    this.dhtPublicKey = dhtPublicKey.slice() as Uint8Array as PublicKey;
    this.#listener = listener;
    this.#agreement = new KeyAgreement(host, this.peer, this.dhtPublicKey);
    this.#paths = new Paths({
      bind: (endpoint) => host.bind(endpoint, this),
      unbind: (endpoint) => host.unbind(endpoint, this),
    });
    this.#opening = new Opening(this.#paths, (path, packet) => sendPlainPacket(host, path, packet));
    this.#timer = new DueTimer(host.clock, () => this.#onTime());
    this.#receiver = new Receiver(this.#roundTrip, host.receiveBudget);
    this.#sender = new Sender(
      {
        transmit: (packetNumber, data) => this.#sendData(this.#paths.active, packetNumber, data),
        guard: (callback) => this.#guard(callback),
      },
      this.#roundTrip,
    );
  }

  get state(): SessionState {
    return this.#state;
  }

  get endpoint(): Endpoint | undefined {
    return this.#paths.active?.endpoint;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTrip.measured;
  }

  get lastReceivedAt(): number {
    return this.#lastReceivedAt;
  }

  get sendQueueLength(): number {
    return this.#sender.length;
  }

  /** Begins to ask for a cookie, by the paths there are and those to come. */
  open(): void {
    const request = this.#agreement.cookieRequest();
    if (request === undefined) {
      this.#isHopeless = true;
      this.#timer.fireBy(this.#now);
      return;
    }
    this.#opening.requestCookies(request, this.#now);
    this.#arm();
  }

  addEndpoint(endpoint: Endpoint): void {
    if (this.#state === "closed" || endpoint.port === 0 || !this.#host.network.has(endpoint.family)) return;
    const known = this.#paths.findEndpoint(endpoint);
    if (known === undefined) this.#tryPath(this.#paths.addEndpoint(endpoint, undefined, this.#now));
    else if (this.#paths.wantsBetter(this.#now)) this.#sayHere(known);
  }

  get socket(): DatagramSocket | undefined {
    return this.#paths.active?.socket;
  }

  sayAt(endpoint: Endpoint, socket?: DatagramSocket): boolean {
    const { channel } = this.#agreement;
    if (this.#state !== "established" || channel === undefined) return false;
    const request = Uint8Array.of(SessionPacketId.Request);
    const { bufferStart } = this.#receiver;
    return sendDataPacket(this.#host, channel, { endpoint, socket }, bufferStart, this.#sender.bufferEnd, request);
  }

  addRelay(relay: RelayPath): void {
    if (this.#state === "closed") return;
    this.#tryPath(this.#paths.findRelay(relay) ?? this.#paths.addRelay(relay, this.#now));
  }

  removeRelay(relay: RelayPath): void {
    const path = this.#paths.findRelay(relay);
    if (path === undefined) return;
    const wasInUse = path === this.#paths.active;
    this.#paths.remove(path);
    if (!wasInUse || this.#state !== "established") return;
    this.#sender.pathChanged(this.#now);
    this.#guard(() => this.#listener.onPathChange?.(this));
  }

  send(packet: Uint8Array, cls: LosslessClass, onAcknowledged?: () => void): boolean {
    checkPacket(packet, isLosslessId);
    if (this.#state !== "established") return false;
    if (!this.#sender.queue(packet.slice(), cls, onAcknowledged)) return false;
    this.#pump();
    return true;
  }

  sendLossy(packet: Uint8Array): boolean {
    checkPacket(packet, isLossyId);
    if (this.#state !== "established") return false;
    return this.#sendData(this.#paths.active, this.#sender.bufferEnd, packet);
  }

  setBulkSource(pull: (() => BulkPacket | undefined) | undefined): void {
    this.#sender.setBulkSource(pull);
    this.bulkReady();
  }

  bulkReady(): void {
    if (this.#state === "established") this.#pump();
  }

  kill(reason: "local" | "timeout" = "local"): void {
    this.close(reason);
  }

  /** The network takes packets again. */
  onNetworkWritable(): void {
    if (this.#state !== "established") return;
    this.#sender.unblock(this.#now);
    this.#arm();
  }

  /** Ends everything; the peer is told unless it was the one to say so. */
  close(reason: CloseReason): void {
    if (this.#state === "closed") return;
    if (this.#agreement.channel !== undefined && reason !== "killed") this.#sendKill();
    this.#state = "closed";
    this.#timer.stop();
    this.#opening.stop();
    this.#sender.close();
    this.#receiver.close();
    this.#paths.clear();
    this.#agreement.wipe();
    this.#host.forget(this);
    this.#guard(() => this.#listener.onClosed(this, reason));
  }

  /** Takes a cookie response that came by one of our paths. Answers why it is not for this session, if so. */
  receiveCookieResponse(packet: Uint8Array, arrived: Arrived): DropReason | undefined {
    const path = this.#paths.find(arrived);
    if (path === undefined || (this.#state !== "cookie" && this.#state !== "handshake")) return "unsolicited";
    const cookie = this.#agreement.openCookieResponse(packet);
    if (typeof cookie === "string") return cookie;
    const now = this.#now;
    this.#measureOpening(path, now);
    path.answered = true;
    if (this.#state === "handshake") {
      this.#opening.sendNow(path, now); // the peer is there too; where it answers first is where we stay
    } else {
      this.#paths.use(path);
      this.#state = "handshake";
      this.#sendHandshakes(cookie, now);
    }
    this.#arm();
    return undefined;
  }

  judgeHandshake(handshake: OpenedHandshake, arrived: Arrived): HandshakeVerdict {
    return this.#agreement.judge(handshake, this.#state === "established", this.#paths.find(arrived) !== undefined);
  }

  /** Takes a handshake that was judged `take` or `again`. False when its session key is weak. */
  receiveHandshake(handshake: OpenedHandshake, arrived: Arrived, verdict: "take" | "again"): boolean {
    const now = this.#now;
    const known = this.#paths.find(arrived);
    if (verdict === "again" && known !== undefined) {
      if (now - known.triedAt < SHORTEST_REPETITION) return true; // our answer may be under way
      this.#opening.sendNow(known, now);
      this.#sendRequest(now);
      return true;
    }
    if (!this.#agreement.take(handshake)) return false;
    if (known !== undefined && this.#state === "handshake") this.#measureOpening(known, now);
    const path = known ?? this.#paths.add(arrived, now);
    path.answered = true;
    this.#paths.use(path);
    const hasSent = known !== undefined && this.#state !== "cookie";
    this.#state = "unconfirmed";
    if (!hasSent) this.#sendHandshakes(handshake.cookie, now);
    this.#sendRequest(now);
    this.#arm();
    return true;
  }

  /** Whether a packet from an address that is not the peer's may be his: he is not heard where he was. */
  get missesPeer(): boolean {
    return this.#state === "established" && this.#paths.wantsBetter(this.#now);
  }

  /** Opens a data packet of the right size, and handles it. Answers why it could not, if so. */
  receiveData(packet: Uint8Array, arrived: Arrived, scratch: Uint8Array): DropReason | undefined {
    const known = this.#paths.find(arrived);
    const { channel } = this.#agreement;
    // A relay brings what comes from this peer's DHT key only; an address that is new may be anybody's.
    const mayBeHis = known !== undefined || "relay" in arrived || this.missesPeer;
    if (channel === undefined || !mayBeHis) return "unsolicited";
    const size = channel.open(packet, scratch);
    if (typeof size === "string") return size;
    const now = this.#now;
    const fate = this.#sender.acknowledge(plainBufferStart(scratch), now);
    if (fate === "outside") return "out-of-window";
    if (this.#isClosed) return undefined; // by an acknowledgement's callback
    const dataAt = plainDataAt(scratch, size);
    if (dataAt === size) return "malformed";
    this.#lastReceivedAt = now;
    const path = known ?? this.#paths.add(arrived, now);
    if ("socket" in arrived) path.socket = arrived.socket;
    if (this.#paths.received(path, now)) {
      this.#sender.pathChanged(now);
      this.#sendRequest(now); // so that the peer hears at once that this way works
      this.#guard(() => this.#listener.onPathChange?.(this));
    }
    if (this.#isClosed) return undefined;
    const drop = this.#handlePlain(scratch.subarray(dataAt, size), plainPacketNumber(scratch), fate === "stale", now);
    if (this.#isClosed) return undefined;
    this.#sender.pump(now);
    if (this.#sender.takeWritable()) this.#guard(() => this.#listener.onWritable?.(this));
    if (this.#isClosed) return undefined;
    if (this.#receiver.acknowledgesNow(now)) this.#sendRequest(now);
    this.#arm();
    return drop;
  }

  #handlePlain(data: Uint8Array, number: number, stale: boolean, now: number): DropReason | undefined {
    const id = data[0] ?? SessionPacketId.Padding;
    if (id === SessionPacketId.Kill) {
      this.close("killed");
      return undefined;
    }
    if (this.#state === "unconfirmed") this.#confirm(now);
    if (this.#isClosed) return undefined;
    if (isLosslessId(id)) {
      const arrival = this.#receiver.accept(number, data, now, this.#deliver);
      return arrival === "taken" ? undefined : arrival;
    }
    if (id === SessionPacketId.Request) {
      // A stale request lists numbers from a buffer_start that is gone: a newer one has told us more.
      if (!stale) this.#sender.handleRequest(data, now);
      this.#receiver.extend(number, now);
      return undefined;
    }
    if (!isLossyId(id)) return "unknown-id";
    this.#receiver.extend(number, now);
    this.#guard(() => this.#listener.onLossy(this, data));
    return undefined;
  }

  readonly #deliver = (data: Uint8Array): boolean => {
    try {
      this.#listener.onLossless(this, data);
    } catch (error) {
      this.#report(error);
    }
    return !this.#isClosed;
  };

  #confirm(now: number): void {
    const { active } = this.#paths;
    if (active !== undefined && this.#roundTrip.measured === undefined) this.#measureOpening(active, now);
    this.#state = "established";
    this.#opening.stop();
    this.#host.metrics.count("netCrypto.established");
    this.#guard(() => this.#listener.onEstablished(this));
  }

  #onTime(): void {
    const now = this.#now;
    const repeats = this.#opening.nextDue() <= now;
    if (this.#isHopeless || !this.#opening.onTime(now)) {
      this.close("handshake-failed");
      return;
    }
    if (this.#agreement.channel !== undefined) {
      // Beside a repeated handshake, for the first request may have overtaken the first handshake and been dropped.
      const withHandshake = repeats && this.#state === "unconfirmed";
      if (withHandshake || now >= Math.min(this.#receiver.nextDue(), this.#othersDue())) this.#sendRequest(now);
    }
    if (this.#state === "established") this.#sender.onTime(now);
    const resent = this.#sender.takeResent();
    if (resent > 0) this.#host.metrics.count("netCrypto.resent", resent);
    this.#arm();
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer.fireBy(this.#opening.nextDue());
    if (this.#agreement.channel !== undefined) this.#timer.fireBy(this.#receiver.nextDue());
    if (this.#state === "established") this.#timer.fireBy(Math.min(this.#sender.nextDue(), this.#othersDue()));
  }

  /** When the path in use falls silent, the others are tried at once; later once a second. */
  #othersDue(): number {
    const { silentAt } = this.#paths;
    return this.#state === "established" && this.#triedOthersAt < silentAt ? silentAt : Number.POSITIVE_INFINITY;
  }

  #pump(): void {
    this.#sender.pump(this.#now);
    this.#arm();
  }

  #tryPath(path: Path): void {
    const now = this.#now;
    if (this.#state === "cookie") {
      this.#opening.sendNow(path, now);
    } else if (this.#state === "handshake") {
      path.answered = true; // the cookie holds wherever we come from
      this.#opening.sendNow(path, now);
    } else if (this.#paths.wantsBetter(now)) {
      this.#sayHere(path);
    }
    this.#arm();
  }

  #sendHandshakes(cookie: Uint8Array, now: number): void {
    const packet = this.#agreement.handshake(cookie);
    if (packet !== undefined) this.#opening.sendHandshakes(packet, now);
  }

  /** Says what is missing and what has arrived, which with nothing missing keeps the session alive. */
  #sendRequest(now: number): void {
    const { requestScratch } = this.#host;
    const size = this.#receiver.encodeRequest(requestScratch, now);
    const request = requestScratch.subarray(0, size);
    const number = this.#sender.bufferEnd;
    this.#sendData(this.#paths.active, number, request);
    if (this.#state !== "established" || !this.#paths.wantsBetter(now)) return;
    if (now < this.#triedOthersAt + REQUEST_INTERVAL && now < this.#othersDue()) return;
    this.#triedOthersAt = now;
    for (const path of this.#paths.worthTrying(now)) this.#sendData(path, number, request);
  }

  /** An empty request by one path: to whom it arrives, that path lives. */
  #sayHere(path: Path): void {
    if (this.#agreement.channel === undefined) return;
    this.#sendData(path, this.#sender.bufferEnd, Uint8Array.of(SessionPacketId.Request));
  }

  #sendKill(): void {
    this.#sendData(this.#paths.active, this.#sender.bufferEnd, Uint8Array.of(SessionPacketId.Kill));
  }

  #sendData(path: Path | undefined, number: number, data: Uint8Array): boolean {
    const { channel } = this.#agreement;
    if (path === undefined || channel === undefined) return false;
    if (path === this.#paths.active) this.#roundTrip.relayed = path.relay !== undefined;
    const sent = sendDataPacket(this.#host, channel, path, this.#receiver.bufferStart, number, data);
    if (sent) this.#receiver.acknowledgedByData(this.#now);
    return sent;
  }

  /** One question, one answer: the time between them is a round trip. */
  #measureOpening(path: Path, now: number): void {
    if (path.tries === 1) this.#roundTrip.sample(now - path.triedAt, now);
  }

  get #now(): number {
    return this.#host.clock.monotonic();
  }

  /** A getter, since callbacks change the state behind the type checker's back. */
  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#host.logger.error("a session's listener failed", { reason });
  }
}

function checkPacket(packet: Uint8Array, isId: (id: number) => boolean): void {
  if (packet.length > MAX_SESSION_DATA_SIZE) {
    const message = `A packet is at most ${MAX_SESSION_DATA_SIZE} bytes long; this one has ${packet.length}.`;
    throw new ToxError("packet-too-long", message);
  }
  const id = packet[0];
  if (id === undefined || !isId(id)) {
    throw new ToxError("packet-id-reserved", `Packets that begin with ${id} cannot be sent this way.`);
  }
}
