import type { PublicKey } from "../crypto/keys.ts";
import type { Cancel } from "../env/clock.ts";
import { concatBytes } from "../util/bytes.ts";
import { encodeHandled, type MessageFragment, type MessageMark } from "../wire/friend/extension.ts";
import { MAX_MESSAGE_SIZE } from "../wire/friend/message.ts";
import type { FriendContext, FriendLink } from "./context.ts";
import type { MessageHistory } from "./journal_replay.ts";

/** Messages whose listeners may be at work at once. Four times what a sender of ours leaves unanswered. */
const MAX_UNHANDLED = 4096;
/** While messages pour in, one answer covers this many of them … */
const ACKNOWLEDGE_EVERY = 64;
/** … or this much time. The first one after a pause is answered at once. */
const ACKNOWLEDGE_WITHIN_MS = 5;

/** Shows a message to the app, and answers the promises of its listeners. */
export type ShowMessage = (text: Uint8Array, action: boolean, mark: MessageMark) => Promise<void>[];

interface Unhandled {
  readonly mark: MessageMark;
  done: boolean;
}

/**
 * One friend's numbered messages: shown once each and in order, and acknowledged in order when the app's listeners are done.
 */
export class Inbox {
  readonly #context: FriendContext;
  readonly #friend: PublicKey;
  readonly #link: FriendLink;
  readonly #show: ShowMessage;
  readonly #unhandled: Unhandled[] = []; // at most MAX_UNHANDLED
  /** What an earlier instance was done with before what precedes it; not to be shown when it comes again. */
  #early = new Set<bigint>(); // at most MAX_UNHANDLED, of one epoch
  #earlyEpoch: bigint | undefined;
  #seen: MessageMark | undefined;
  #handled: MessageMark | undefined;
  /** As much of that as the store has. Only this is acknowledged: then nothing is lost when we are killed. */
  #safe: MessageMark | undefined;
  /** A message of which more is to come. At most MAX_MESSAGE_SIZE bytes. */
  #partial: { readonly mark: MessageMark; readonly bytes: Uint8Array } | undefined;
  #unacknowledged = 0;
  #acknowledgedAt = Number.NEGATIVE_INFINITY;
  #timer: Cancel | undefined;
  #stopped = false;

  constructor(
    context: FriendContext,
    friend: PublicKey,
    link: FriendLink,
    show: ShowMessage,
    history: Pick<MessageHistory, "handled" | "handledEarly"> | undefined,
  ) {
    this.#context = context;
    this.#friend = friend;
    this.#link = link;
    this.#show = show;
    const { handled, handledEarly = [] } = history ?? {};
    this.#seen = handled;
    this.#handled = handled;
    this.#safe = handled;
    this.#earlyEpoch = handledEarly[0]?.epoch;
    for (const { sequence } of handledEarly) this.#early.add(sequence);
  }

  /** How far the app is done with the friend's messages. */
  get handled(): MessageMark | undefined {
    return this.#handled;
  }

  /** What it is done with though not with all before it. */
  get handledEarly(): MessageMark[] {
    const marks: MessageMark[] = [];
    if (this.#earlyEpoch !== undefined)
      for (const sequence of this.#early) marks.push({ epoch: this.#earlyEpoch, sequence });
    for (const { mark, done } of this.#unhandled) if (done && mark.epoch === this.#seen?.epoch) marks.push(mark);
    return marks;
  }

  /** The same, as far as the friend may forget them. */
  get safe(): MessageMark | undefined {
    return this.#safe;
  }

  receive(fragment: MessageFragment): void {
    if (this.#isKnown(fragment)) {
      this.#context.drop("replayed");
      if (!fragment.more) this.#acknowledgeSoon();
      return;
    }
    const text = this.#complete(fragment);
    if (text === undefined) return;
    if (this.#unhandled.length >= MAX_UNHANDLED) {
      // Taking a later message would lose this one. Nobody who waits for answers gets here.
      this.#context.drop("rate-limited");
      this.#link.restart("a flood of messages");
      return;
    }
    const mark = { epoch: fragment.epoch, sequence: fragment.sequence };
    this.#seen = mark;
    this.#wait(mark, this.#wasHandledEarly(mark) ? [] : this.#show(text, fragment.action, mark));
  }

  /** The rest of a message that was cut off by the end of the session comes again from its start. */
  sessionLost(): void {
    this.#partial = undefined;
    this.#unacknowledged = 0; // the next hello says it
    this.#cancelTimer();
  }

  /** There is room in the session again. */
  writable(): void {
    if (this.#unacknowledged > 0 && this.#timer === undefined) this.#acknowledge();
  }

  /** Says for the last time how far we are; listeners that finish later are of no consequence. */
  stop(): void {
    if (this.#unacknowledged > 0) this.#acknowledge();
    this.#stopped = true;
    this.#cancelTimer();
  }

  #isKnown(mark: MessageMark): boolean {
    return this.#seen !== undefined && this.#seen.epoch === mark.epoch && mark.sequence <= this.#seen.sequence;
  }

  #wasHandledEarly({ epoch, sequence }: MessageMark): boolean {
    if (epoch === this.#earlyEpoch) return this.#early.delete(sequence);
    this.#earlyEpoch = undefined; // the sender has begun anew
    this.#early.clear();
    return false;
  }

  #complete(fragment: MessageFragment): Uint8Array | undefined {
    const partial = this.#partial;
    this.#partial = undefined;
    const continues = partial?.mark.epoch === fragment.epoch && partial.mark.sequence === fragment.sequence;
    const bytes = partial && continues ? concatBytes(partial.bytes, fragment.text) : fragment.text;
    if (bytes.length > MAX_MESSAGE_SIZE) return this.#context.drop("oversized");
    if (!fragment.more) return bytes;
    this.#partial = { mark: { epoch: fragment.epoch, sequence: fragment.sequence }, bytes: bytes.slice() };
    return undefined;
  }

  #wait(mark: MessageMark, listeners: Promise<void>[]): void {
    if (listeners.length === 0 && this.#unhandled.length === 0) {
      this.#advance(mark, 1);
      return;
    }
    const unhandled = { mark, done: listeners.length === 0 };
    this.#unhandled.push(unhandled);
    if (unhandled.done) {
      this.#noteEarly(mark);
      return;
    }
    Promise.all(listeners).then(() => {
      unhandled.done = true;
      if (this.#unhandled[0] === unhandled) this.#drain();
      else this.#noteEarly(mark);
    });
  }

  /** Killed before those that precede it are handled, we are sent it again with them: it must not be shown again. */
  #noteEarly(mark: MessageMark): void {
    if (mark.epoch !== this.#seen?.epoch || this.#stopped) return;
    this.#context.journal.handledEarly(this.#friend, mark);
  }

  #drain(): void {
    let finished = 0;
    while (this.#unhandled[finished]?.done) finished++;
    const last = this.#unhandled.splice(0, finished).at(-1);
    if (last) this.#advance(last.mark, finished);
  }

  /**
   * Noted in the turn in which the listeners are done: what they have appended to the same store is committed together with it,
   * so an app that keeps its history there is handed each message once, though the process be killed.
   */
  #advance(mark: MessageMark, count: number): void {
    if (mark.epoch !== this.#seen?.epoch || this.#stopped) return; // the sender began anew meanwhile
    this.#handled = mark;
    const stored = this.#context.journal.handled(this.#friend, mark);
    if (stored === undefined) this.#becomeSafe(mark, count);
    else void stored.then(() => this.#becomeSafe(mark, count));
  }

  #becomeSafe(mark: MessageMark, count: number): void {
    if (mark.epoch !== this.#seen?.epoch) return;
    const safe = this.#safe;
    if (safe?.epoch !== mark.epoch || safe.sequence < mark.sequence) this.#safe = mark; // a later one may have been noted first
    this.#acknowledgeSoon(count);
  }

  #acknowledgeSoon(count = 1): void {
    if (this.#stopped) return;
    this.#unacknowledged += count;
    const due = this.#acknowledgedAt + ACKNOWLEDGE_WITHIN_MS;
    if (this.#unacknowledged >= ACKNOWLEDGE_EVERY || this.#context.clock.monotonic() >= due) this.#acknowledge();
    else this.#timer ??= this.#context.clock.at(due, () => this.#acknowledge());
  }

  #acknowledge(): void {
    this.#cancelTimer();
    const safe = this.#safe;
    if (safe === undefined || safe.epoch !== this.#seen?.epoch) return;
    this.#acknowledgedAt = this.#context.clock.monotonic();
    if (this.#link.send(encodeHandled(safe), "control")) this.#unacknowledged = 0;
  }

  #cancelTimer(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}
