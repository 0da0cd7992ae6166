import type { Message } from "../../../src/core.ts";

export const CUSTOM_LOSSLESS = 160;
export const CUSTOM_LOSSY = 200;

/** Somebody at the end of a lane, when the story is over. */
export interface LaneEnd {
  /** Counts his instances. */
  readonly life: number;
  readonly isDurable: boolean;
  readonly mayCrash: boolean;
}

export interface Sent {
  readonly text: string;
  readonly message: Message;
  /** Of the sender's instance. */
  readonly life: number;
}

export interface Shown {
  readonly text: string;
  /** Of the receiver's instance. */
  readonly life: number;
  handled: boolean;
}

/** What went from one person to another. */
export class Lane {
  readonly sent: Sent[] = []; // these bounded by the story
  readonly shown: Shown[] = [];
  readonly delivered = new Set<string>();
  readonly customShown: Array<{ readonly id: number; readonly count: number; readonly life: number }> = [];
  customs = 0;

  /** What is wrong with what was shown, now that all is said. `from` and `to`: the two as they are now. */
  problems(from: LaneEnd, to: LaneEnd): string[] {
    return [...this.#messageProblems(from, to), ...this.#customProblems()];
  }

  *#messageProblems(from: LaneEnd, to: LaneEnd): Iterable<string> {
    const position = new Map(this.sent.map(({ text }, i) => [text, i]));
    const shownAt = new Map<string, number>();
    let last = { at: -1, life: 0 };
    for (const { text, life } of this.shown) {
      const at = position.get(text);
      if (at === undefined) {
        yield `"${short(text)}" was never sent`;
        return;
      }
      // A receiver who crashed may be shown again what his app was not done with.
      const begins = life !== last.life;
      if (!begins && at <= last.at) yield `"${short(text)}" is shown twice or late`;
      if (shownAt.has(text) && !to.mayCrash) yield `"${short(text)}" twice`;
      shownAt.set(text, life);
      last = { at, life };
    }
    for (const { text, message, life } of this.sent) {
      const mayBeLost = life !== from.life && !from.isDurable;
      if (!shownAt.has(text) && !mayBeLost) yield `"${short(text)}" is lost (${message.state})`;
    }
  }

  *#customProblems(): Iterable<string> {
    let last = -1;
    const lossy = new Set<number>();
    for (const { id, count } of this.customShown) {
      if (id === CUSTOM_LOSSLESS) {
        if (count <= last) yield `packet ${count} behind ${last}`;
        last = count;
      } else if (lossy.has(count)) {
        yield `lossy packet ${count} twice`;
      }
      lossy.add(count);
    }
  }
}

/** A message as problems name it. */
export function short(text: string): string {
  return text.trim().slice(0, 20);
}
