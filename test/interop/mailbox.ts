import type { EventFields, EventName, PeerEvent } from "./peer/protocol.ts";

/** Fields that name bytes: compared in any case, and to be given as bytes too. */
const HEX_FIELDS = new Set(["friend", "publicKey", "hex"]);
type HexField = "friend" | "publicKey" | "hex";

/** Events that report a state: an older one says nothing any more once a newer one was taken. */
const STATE_EVENTS: ReadonlySet<EventName> = new Set<EventName>([
  "selfConnection",
  "friendConnection",
  "friendName",
  "friendStatusMessage",
  "friendStatus",
  "typing",
]);

type Fields<E extends EventName> = {
  [F in keyof EventFields[E]]?: F extends HexField ? string | Uint8Array : EventFields[E][F];
};

/** Which event is meant: the fields it must have, or a function that says so. */
export type Match<E extends EventName> = Fields<E> | ((event: PeerEvent<E>) => boolean);

type AnyEvent = PeerEvent<EventName>;

interface Waiter {
  name: EventName;
  matches: (event: AnyEvent) => boolean;
  give: (event: AnyEvent) => void;
  fail: (message: string) => void;
}

/** Events that came and were not taken yet, and those who wait for one. */
export class Mailbox {
  readonly #label: string;
  readonly #waiters = new Set<Waiter>();
  readonly #events = new Map<EventName, AnyEvent[]>();
  #closed: string | undefined;

  constructor(label: string) {
    this.#label = label;
  }

  /** Gives the event to the first who waits for it, or keeps it. */
  post(event: AnyEvent): void {
    for (const waiter of this.#waiters) {
      if (waiter.name !== event.event || !waiter.matches(event)) continue;
      this.#dropSuperseded(event);
      waiter.give(event);
      return;
    }
    this.#queue(event.event).push(event);
  }

  /** Everybody who waits, now or later, is told `reason`; events that came before can still be taken. */
  close(reason: string): void {
    this.#closed = reason;
    for (const waiter of [...this.#waiters]) waiter.fail(reason);
  }

  /** Takes the oldest event that matches, waiting for it if need be. */
  take<E extends EventName>(name: E, match: Match<E> | undefined, timeoutMs: number): Promise<PeerEvent<E>> {
    const error = new Error();
    const matches = predicateOf(match);
    const kept = this.#takeKept(name, matches);
    if (kept !== undefined) return Promise.resolve(kept as unknown as PeerEvent<E>);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        name,
        matches,
        give: (event) => {
          settle();
          resolve(event as unknown as PeerEvent<E>);
        },
        fail: (message) => {
          settle();
          reject(
            withMessage(error, `${this.#label}: ${message}, waiting for ${describeWanted(name, match)}${this.#kept()}`),
          );
        },
      };
      const timer = setTimeout(() => waiter.fail(`timeout after ${timeoutMs} ms`), timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
      };
      this.#waiters.add(waiter);
      if (this.#closed !== undefined) waiter.fail(this.#closed);
    });
  }

  /** Resolves after `durationMs` if no such event is there or comes; it is not taken. */
  async none<E extends EventName>(name: E, match: Match<E> | undefined, durationMs: number): Promise<void> {
    const error = new Error();
    const matches = predicateOf(match);
    const unwanted = await new Promise<AnyEvent | undefined>((resolve) => {
      const kept = this.#queue(name).find(matches);
      if (kept !== undefined) return resolve(kept);
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        resolve(undefined);
      }, durationMs);
      const waiter: Waiter = {
        name,
        // Watches without taking: says no to every event, so that it goes on to whom it is for.
        matches: (event) => {
          if (matches(event)) {
            clearTimeout(timer);
            this.#waiters.delete(waiter);
            resolve(event);
          }
          return false;
        },
        give: () => {},
        fail: () => {},
      };
      // Before the others, or one of them could take the event unseen.
      const others = [...this.#waiters];
      this.#waiters.clear();
      for (const each of [waiter, ...others]) this.#waiters.add(each);
    });
    if (unwanted !== undefined) throw withMessage(error, `${this.#label}: unwanted event ${JSON.stringify(unwanted)}`);
  }

  /** All events of that name that came and were not taken; they are taken now. */
  drain<E extends EventName>(name: E): PeerEvent<E>[] {
    const taken = this.#queue(name);
    this.#events.delete(name);
    return taken as unknown as PeerEvent<E>[];
  }

  #queue(name: EventName): AnyEvent[] {
    const queue = this.#events.get(name) ?? [];
    this.#events.set(name, queue);
    return queue;
  }

  #takeKept(name: EventName, matches: (event: AnyEvent) => boolean): AnyEvent | undefined {
    const queue = this.#queue(name);
    const index = queue.findIndex(matches);
    const [event] = index < 0 ? [] : queue.splice(index, 1);
    if (event !== undefined) this.#dropSuperseded(event);
    return event;
  }

  #dropSuperseded(taken: AnyEvent): void {
    if (!STATE_EVENTS.has(taken.event)) return;
    const kept = this.#queue(taken.event).filter((event) => event.at > taken.at || friendOf(event) !== friendOf(taken));
    this.#events.set(taken.event, kept);
  }

  #kept(): string {
    const kept = [...this.#events.values()].flat().sort((a, b) => a.at - b.at);
    if (kept.length === 0) return "; no other events came";
    const last = kept.slice(-10).map((event) => JSON.stringify(event));
    return `; ${kept.length} not taken, the last of them:\n  ${last.join("\n  ")}`;
  }
}

function friendOf(event: AnyEvent): string | undefined {
  return "friend" in event ? event.friend : undefined;
}

/** Only for events of the name that `match` is for. */
function predicateOf<E extends EventName>(match: Match<E> | undefined): (event: AnyEvent) => boolean {
  if (match === undefined) return () => true;
  if (typeof match === "function") return match as unknown as (event: AnyEvent) => boolean;
  const wanted = Object.entries(match).map(([field, value]) => [field, comparable(field, value)] as const);
  return (event) => {
    const fields = event as unknown as Record<string, unknown>;
    return wanted.every(([field, value]) => comparable(field, fields[field]) === value);
  };
}

function comparable(field: string, value: unknown): unknown {
  if (!HEX_FIELDS.has(field)) return value;
  return typeof value === "string" || value instanceof Uint8Array ? hexOf(value) : value;
}

/** Upper-case hex of bytes or of hex in any case. */
export function hexOf(value: string | Uint8Array): string {
  return (typeof value === "string" ? value : Buffer.from(value).toString("hex")).toUpperCase();
}

function describeWanted<E extends EventName>(name: E, match: Match<E> | undefined): string {
  if (match === undefined) return name;
  if (typeof match === "function") return `${name} ${match}`;
  return `${name} ${JSON.stringify(match, (_key, value) => (value instanceof Uint8Array ? hexOf(value) : value))}`;
}

/** Gives an error made where the test called the message of what happened later. */
export function withMessage<T extends Error>(error: T, message: string): T {
  const frames = error.stack?.split("\n").filter((line) => line.startsWith("    at "));
  error.message = message;
  error.stack = [`${error.name}: ${message}`, ...(frames ?? [])].join("\n");
  return error;
}
