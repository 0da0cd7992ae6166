import type { Logger } from "../env/logger.ts";

/** Event names to what their listeners are given. */
export type EventMap = Record<string, unknown>;

/** Ends a subscription; calling it again does nothing. */
export type Unsubscribe = () => void;

/**
 * Typed events, delivered synchronously and in the order of subscription. A listener that throws goes to the logger and
 * the others still hear the event.
 */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Array<(event: never) => unknown>>(); // grown by the app alone
  #logger: Logger | undefined;

  constructor(logger?: Logger) {
    this.#logger = logger;
  }

  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe {
    const listeners = [...(this.#listeners.get(name) ?? []), listener as (event: never) => unknown];
    this.#listeners.set(name, listeners);
    return () => this.off(name, listener);
  }

  once<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): Unsubscribe {
    const off = this.on(name, (event) => {
      off();
      return listener(event);
    });
    return off;
  }

  off<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => unknown): void {
    const listeners = this.#listeners.get(name);
    const at = listeners?.indexOf(listener as (event: never) => unknown) ?? -1;
    if (listeners && at >= 0) this.#listeners.set(name, listeners.toSpliced(at, 1));
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
    for (const listener of this.#listeners.get(name) ?? []) {
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

  #report(name: keyof Events, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#logger?.error("a listener failed", { event: String(name), reason });
  }
}
