import type { CloseReason, Session, SessionListener } from "../../src/net_crypto/session.ts";
import { readU32, writeU32 } from "../../src/util/bytes.ts";
import { expectThat } from "./broken.ts";

const LOSSLESS = 100;
const LOSSY = 200;
const SHORTEST = 9;

/** All sides that a program has brought about, by number. */
export type Sides = Map<number, Side>;

/** One side of a session: counts what it says, and checks what it hears of an honest other side. */
export class Side implements SessionListener {
  readonly number: number;
  readonly isHonest: boolean;
  session: Session | undefined;
  closed: CloseReason | undefined;
  /** How many packets it has said, and how many of them the other has. */
  said = 0;
  saidLossy = 0;
  acknowledged = 0;
  /** What it has heard, all of it from one other side. */
  heard = 0;
  other: Side | undefined;
  readonly #heardLossy = new Set<number>();
  readonly #sides: Sides;

  /** `isHonest`: whether the other side keeps the rules. */
  constructor(sides: Sides, isHonest: boolean) {
    this.number = sides.size + 1;
    this.isHonest = isHonest;
    this.#sides = sides;
    sides.set(this.number, this);
  }

  say(size: number): boolean {
    const mine = this.said;
    const packet = this.#numbered(LOSSLESS, mine, size);
    const isTaken = this.session?.send(packet, "message", () => this.#onReceipt(mine)) ?? false;
    if (isTaken) this.said++;
    return isTaken;
  }

  sayLossy(size: number): void {
    const packet = this.#numbered(LOSSY, this.saidLossy, size);
    if (this.session?.sendLossy(packet)) this.saidLossy++;
  }

  onEstablished(session: Session): void {
    expectThat(this.closed === undefined, "a session is established after its end");
    this.session = session;
  }

  onLossless(_: Session, packet: Uint8Array): void {
    const number = this.#hear(packet, LOSSLESS);
    if (number === undefined) return;
    expectThat(number === this.heard, () => `packet ${number} is delivered in place of ${this.heard}`);
    this.heard++;
  }

  onLossy(_: Session, packet: Uint8Array): void {
    const number = this.#hear(packet, LOSSY);
    if (number === undefined) return;
    expectThat(!this.#heardLossy.has(number), () => `lossy packet ${number} is delivered twice`);
    this.#heardLossy.add(number);
  }

  onClosed(_: Session, reason: CloseReason): void {
    expectThat(this.closed === undefined, "a session ends twice");
    this.closed = reason;
    if (!this.isHonest || reason !== "killed" || this.other === undefined) return;
    expectThat(this.other.closed !== undefined, "a session is killed, and not by the other side");
  }

  /** The number of a packet that an honest other side has said in this session. */
  #hear(packet: Uint8Array, id: number): number | undefined {
    expectThat(this.closed === undefined, "a packet is delivered after the end");
    if (!this.isHonest) return undefined;
    expectThat(packet[0] === id && packet.length >= SHORTEST, "something is delivered that nobody said");
    const from = this.#sides.get(readU32(packet, 1));
    expectThat(from !== undefined && from !== this, "something is delivered that nobody said");
    this.other ??= from;
    from.other ??= this;
    expectThat(this.other === from && from.other === this, "two sessions are mixed");
    return readU32(packet, 5);
  }

  #onReceipt(number: number): void {
    expectThat(this.closed === undefined, "a receipt comes after the end");
    expectThat(number === this.acknowledged, () => `the receipt of ${number} comes in place of ${this.acknowledged}`);
    this.acknowledged++;
    if (!this.isHonest || this.other === undefined) return;
    const { heard } = this.other;
    expectThat(number < heard, () => `a receipt for ${number}, of which ${heard} were heard`);
  }

  /** id ‖ this side u32 ‖ number u32 ‖ zeros: whoever hears it knows what it should be. */
  #numbered(id: number, number: number, size: number): Uint8Array {
    const packet = new Uint8Array(Math.max(SHORTEST, size));
    packet[0] = id;
    writeU32(packet, 1, this.number);
    writeU32(packet, 5, number);
    return packet;
  }
}
