import type { Logger } from "../env/logger.ts";

/** Event names to what their listeners are given. */
export type EventMap = Record<string, unknown>;

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void;

/** One subscription: the same listener may have several. */
interface Subscription {
  readonly listener: (event: never) => unknown;
}

/**
 * Typed events, delivered synchronously and in the order of subscription. A listener that throws goes to the logger and
 * the others still hear the event.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, readonly Subscription[]>(); // grown by the app alone
  #logger: Logger | undefined;

  constructor(logger?: Logger) {
    this.#logger = logger;
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe {
    const subscription: Subscription = { listener: listener as (event: never) => unknown };
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), subscription]);
    return () => this.#remove(name, subscription);
  }

  once<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe {
    const off = this.on(name, (event) => {
      off();
      return listener(event);
    });
    return off;
  }

  /** Ends the listener's first subscription. */
  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void {
    this.#remove(
      name,
      this.#listeners.get(name)?.find((subscription) => subscription.listener === listener),
    );
  }

  listenerCount(name: keyof Events): number {
    return this.#listeners.get(name)?.length ?? 0;
  }

  /**
   * Tells every listener. Answers what the listeners returned, so that the one who emits can wait for asynchronous
   * handlers; a handler that throws or rejects counts as done.
   */
  emit<Name extends keyof Events>(name: Name, event: Events[Name]): Promise<void>[] {
    const pending: Promise<void>[] = [];
    for (const { listener } of this.#listeners.get(name) ?? []) {
      try {
        const result = (listener as (event: Events[Name]) => unknown)(event);
        if (result instanceof Promise) pending.push(result.catch((error: unknown) => this.#report(name, error)));
      } catch (error) {
        this.#report(name, error);
      }
    }
    return pending;
  }

  removeAll(): void {
    this.#listeners.clear();
  }

  /** Copies, so that an event under way still reaches those it began with. */
  #remove(name: keyof Events, subscription: Subscription | undefined): void {
    const subscriptions = this.#listeners.get(name);
    if (subscription === undefined || !subscriptions?.includes(subscription)) return;
    this.#listeners.set(
      name,
      subscriptions.filter((other) => other !== subscription),
    );
  }

  #report(name: keyof Events, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#logger?.error("a listener failed", { event: String(name), reason });
  }
}
