import type { Tox, ToxEvents } from "../../src/core.ts";

/** Everything that an instance tells. */
export const HEARD_EVENTS = [
  "connection",
  "friendRequest",
  "friendConnection",
  "message",
  "delivered",
  "expired",
  "typing",
  "friendName",
  "friendStatusMessage",
  "friendStatus",
  "packet",
  "fileResumed",
  "friendAvatar",
  "incomingCall",
] as const satisfies readonly (keyof ToxEvents)[];

interface Waiter {
  readonly name: keyof ToxEvents;
  readonly matches: (event: never) => boolean;
  readonly resolve: (event: never) => void;
}

/** Everything a Tox instance told, from the start; a test takes from it what it expects, in real or virtual time. */
export class Heard {
  readonly #events: { name: keyof ToxEvents; event: ToxEvents[keyof ToxEvents] }[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(tox: Tox) {
    for (const name of HEARD_EVENTS) tox.on(name, (event) => this.#post(name, event));
  }

  /** All events of that name which were not taken. */
  all<Name extends keyof ToxEvents>(name: Name): ToxEvents[Name][] {
    return this.#events.filter((one) => one.name === name).map((one) => one.event as ToxEvents[Name]);
  }

  /** Takes the oldest that matches, if it is there. */
  take<Name extends keyof ToxEvents>(
    name: Name,
    matches: (event: ToxEvents[Name]) => boolean = () => true,
  ): ToxEvents[Name] | undefined {
    const at = this.#events.findIndex((one) => one.name === name && matches(one.event as ToxEvents[Name]));
    return at < 0 ? undefined : (this.#events.splice(at, 1)[0]?.event as ToxEvents[Name]);
  }

  /** Takes the oldest that matches, waiting for it in real time. */
  async waitFor<Name extends keyof ToxEvents>(
    name: Name,
    matches: (event: ToxEvents[Name]) => boolean = () => true,
    timeoutMs = 30_000,
  ): Promise<ToxEvents[Name]> {
    const there = this.take(name, matches);
    if (there !== undefined) return there;
    const failure = new Error(`No event "${name}" ${matches} within ${timeoutMs} ms`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const others = this.#events.slice(-8).map((one) => one.name);
        failure.message += `; not taken: ${others.join(", ") || "nothing"}`;
        reject(failure);
      }, timeoutMs);
      const waiter: Waiter = {
        name,
        matches: matches as (event: never) => boolean,
        resolve: (event) => {
          clearTimeout(timer);
          resolve(event);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #post<Name extends keyof ToxEvents>(name: Name, event: ToxEvents[Name]): void {
    for (const waiter of this.#waiters) {
      if (waiter.name !== name || !waiter.matches(event as never)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(event as never);
      return;
    }
    this.#events.push({ name, event });
  }
}
