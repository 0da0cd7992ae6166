import { ToxError } from "../index.ts";

export type Werift = typeof import("werift");

let loaded: Promise<Werift> | undefined;

/** Loaded when it is first needed: it takes 0.2 s. Rejects with `codec-unavailable`. */
export function loadWerift(): Promise<Werift> {
  loaded ??= import("werift").catch((cause: unknown) => {
    loaded = undefined;
    throw new ToxError("codec-unavailable", "WebRTC cannot be loaded: install the package werift 0.25.2.", { cause });
  });
  return loaded;
}
