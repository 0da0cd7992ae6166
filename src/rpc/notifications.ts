import type { Tox, ToxEvents } from "../index.ts";
import { hexOf } from "./params.ts";

/** Tells `notify` of every event, in the words of `docs/rpc.md`. A message counts as handled when `notify` is done with it. */
export function forwardEvents(tox: Tox, notify: (method: string, params: object) => Promise<void>): void {
  const forward = <Name extends keyof ToxEvents>(name: Name, params: (event: ToxEvents[Name]) => object): void => {
    tox.on(name, (event) => notify(name, params(event)));
  };
  forward("connection", ({ state }) => ({ state }));
  forward("friendRequest", ({ publicKey, message }) => ({ publicKey, message }));
  forward("friendConnection", ({ friend, state }) => ({ friend: friend.publicKey, state }));
  forward("message", ({ friend, text, action, id }) => ({
    ...{ friend: friend.publicKey, text, action },
    ...(id !== undefined && { id }),
  }));
  forward("delivered", ({ friend, message }) => ({ friend: friend.publicKey, messageId: message.id }));
  forward("expired", ({ friend, message }) => ({ friend: friend.publicKey, messageId: message.id }));
  forward("typing", ({ friend, on }) => ({ friend: friend.publicKey, on }));
  forward("friendName", ({ friend, name }) => ({ friend: friend.publicKey, name }));
  forward("friendStatusMessage", ({ friend, statusMessage }) => ({ friend: friend.publicKey, statusMessage }));
  forward("friendStatus", ({ friend, status }) => ({ friend: friend.publicKey, status }));
  forward("friendAvatar", ({ friend, avatar }) => ({ friend: friend.publicKey, hash: avatar?.hash ?? null }));
  forward("packet", ({ friend, bytes }) => ({ friend: friend.publicKey, hex: hexOf(bytes) }));
}
