import { checked } from "./errors.ts";
import { copyBytes, type Library, type LoadedLibrary, type Pointer } from "./library.ts";
import { CONNECTION_STATES, type EventFields, type EventName, USER_STATUSES } from "./protocol.ts";
import { hexOf, nameOf, PUBLIC_KEY_SIZE, toHex } from "./values.ts";

export type Notify = <E extends EventName>(event: E, fields: EventFields[E]) => void;

/** Turns the callbacks of the C library into notifications. */
export function registerCallbacks(library: LoadedLibrary, tox: Pointer, notify: Notify): void {
  const { tox: c, callback } = library;
  const friendKey = (friend: number) => friendPublicKey(c, tox, friend);
  const friendBytes = <E extends EventName>(event: E, fields: (friend: string, bytes: Buffer) => EventFields[E]) =>
    callback("friendBytes", (_tox, friend, data, length) => {
      notify(event, fields(friendKey(friend), copyBytes(data, length)));
    });

  c.onSelfConnectionStatus(
    tox,
    callback("connection", (_tox, state) => notify("selfConnection", { state: nameOf(CONNECTION_STATES, state) })),
  );
  c.onFriendRequest(
    tox,
    callback("request", (_tox, key, data, length) => {
      const bytes = copyBytes(data, length);
      notify("friendRequest", {
        publicKey: toHex(copyBytes(key, PUBLIC_KEY_SIZE)),
        message: bytes.toString(),
        hex: toHex(bytes),
      });
    }),
  );
  c.onFriendConnectionStatus(
    tox,
    callback("friendInt", (_tox, friend, state) => {
      notify("friendConnection", { friend: friendKey(friend), state: nameOf(CONNECTION_STATES, state) });
    }),
  );
  c.onFriendStatus(
    tox,
    callback("friendInt", (_tox, friend, status) => {
      notify("friendStatus", { friend: friendKey(friend), status: nameOf(USER_STATUSES, status) });
    }),
  );
  c.onFriendName(
    tox,
    friendBytes("friendName", (friend, bytes) => ({ friend, name: bytes.toString() })),
  );
  c.onFriendStatusMessage(
    tox,
    friendBytes("friendStatusMessage", (friend, bytes) => ({ friend, statusMessage: bytes.toString() })),
  );
  c.onFriendTyping(
    tox,
    callback("friendBool", (_tox, friend, on) => notify("typing", { friend: friendKey(friend), on })),
  );
  c.onFriendMessage(
    tox,
    callback("message", (_tox, friend, type, data, length) => {
      const bytes = copyBytes(data, length);
      notify("message", {
        friend: friendKey(friend),
        text: bytes.toString(),
        hex: toHex(bytes),
        action: type === 1,
      });
    }),
  );
  c.onFriendReadReceipt(
    tox,
    callback("friendUint", (_tox, friend, messageId) => {
      notify("receipt", { friend: friendKey(friend), messageId });
    }),
  );
  c.onFriendLosslessPacket(
    tox,
    friendBytes("lossless", (friend, bytes) => ({ friend, hex: toHex(bytes) })),
  );
  c.onFriendLossyPacket(
    tox,
    friendBytes("lossy", (friend, bytes) => ({ friend, hex: toHex(bytes) })),
  );
}

/** Hex. */
export function friendPublicKey(c: Library, tox: Pointer, friend: number): string {
  return hexOf(PUBLIC_KEY_SIZE, (out) =>
    checked("FRIEND_GET_PUBLIC_KEY", (error) => c.friendGetPublicKey(tox, friend, out, error)),
  );
}
