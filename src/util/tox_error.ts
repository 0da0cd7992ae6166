/**
 * Every mistake that the library reports to its caller, by its literal code. What a remote peer does is never among them.
 * `docs/errors.md` has a heading for each.
 */
export type ToxErrorCode =
  | "closed"
  | "invalid-argument"
  | "invalid-id"
  | "checksum-mismatch"
  | "own-id"
  | "already-friend"
  | "unknown-friend"
  | "friend-offline"
  | "message-empty"
  | "message-too-long"
  | "name-too-long"
  | "status-message-too-long"
  | "request-message-too-long"
  | "packet-too-long"
  | "packet-id-reserved"
  | "queue-full"
  | "block-list-full"
  | "unknown-file"
  | "already-in-call"
  | "no-call"
  | "weak-key"
  | "port-in-use"
  | "permission-denied"
  | "family-unavailable"
  | "network-unavailable"
  | "host-not-found"
  | "connection-failed"
  | "proxy-failed"
  | "config-invalid"
  | "profile-in-use"
  | "profile-damaged"
  | "password-missing"
  | "password-wrong"
  | "disk-full"
  | "store-unavailable"
  | "crypto-unavailable"
  | "codec-unavailable"
  | "device-unavailable"
  | "aborted";

/** An error with a code for the program and a sentence that tells the person what to do. */
export class ToxError extends Error {
  override readonly name = "ToxError";
  readonly code: ToxErrorCode;

  constructor(code: ToxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
