/**
 * The error enums of `tox.h`: for each, the names behind `TOX_ERR_<ENUM>_` in the order of their values (0 is OK).
 */
const ERRORS = {
  OPTIONS_NEW: ["OK", "MALLOC"],
  NEW: [
    "OK",
    "NULL",
    "MALLOC",
    "PORT_ALLOC",
    "PROXY_BAD_TYPE",
    "PROXY_BAD_HOST",
    "PROXY_BAD_PORT",
    "PROXY_NOT_FOUND",
    "LOAD_ENCRYPTED",
    "LOAD_BAD_FORMAT",
  ],
  BOOTSTRAP: ["OK", "NULL", "BAD_HOST", "BAD_PORT"],
  SET_INFO: ["OK", "NULL", "TOO_LONG"],
  FRIEND_ADD: [
    "OK",
    "NULL",
    "TOO_LONG",
    "NO_MESSAGE",
    "OWN_KEY",
    "ALREADY_SENT",
    "BAD_CHECKSUM",
    "SET_NEW_NOSPAM",
    "MALLOC",
  ],
  FRIEND_DELETE: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_BY_PUBLIC_KEY: ["OK", "NULL", "NOT_FOUND"],
  FRIEND_GET_PUBLIC_KEY: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_GET_LAST_ONLINE: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_QUERY: ["OK", "NULL", "FRIEND_NOT_FOUND"],
  SET_TYPING: ["OK", "FRIEND_NOT_FOUND"],
  FRIEND_SEND_MESSAGE: ["OK", "NULL", "FRIEND_NOT_FOUND", "FRIEND_NOT_CONNECTED", "SENDQ", "TOO_LONG", "EMPTY"],
  FRIEND_CUSTOM_PACKET: [
    "OK",
    "NULL",
    "FRIEND_NOT_FOUND",
    "FRIEND_NOT_CONNECTED",
    "INVALID",
    "EMPTY",
    "TOO_LONG",
    "SENDQ",
  ],
  CONFERENCE_NEW: ["OK", "INIT"],
  CONFERENCE_TITLE: ["OK", "CONFERENCE_NOT_FOUND", "INVALID_LENGTH", "FAIL_SEND"],
  FILE_SEND: ["OK", "NULL", "FRIEND_NOT_FOUND", "FRIEND_NOT_CONNECTED", "NAME_TOO_LONG", "TOO_MANY"],
  FILE_CONTROL: [
    "OK",
    "FRIEND_NOT_FOUND",
    "FRIEND_NOT_CONNECTED",
    "NOT_FOUND",
    "NOT_PAUSED",
    "DENIED",
    "ALREADY_PAUSED",
    "SENDQ",
  ],
  FILE_SEEK: ["OK", "FRIEND_NOT_FOUND", "FRIEND_NOT_CONNECTED", "NOT_FOUND", "DENIED", "INVALID_POSITION", "SENDQ"],
  FILE_GET: ["OK", "NULL", "FRIEND_NOT_FOUND", "NOT_FOUND"],
  GET_PORT: ["OK", "NOT_BOUND"],
} as const;

export type ErrorEnum = keyof typeof ERRORS;

/** The same of `toxav.h`, behind `TOXAV_ERR_<ENUM>_`. */
const TOXAV_ERRORS = {
  NEW: ["OK", "NULL", "MALLOC", "MULTIPLE"],
  CALL: [
    "OK",
    "MALLOC",
    "SYNC",
    "FRIEND_NOT_FOUND",
    "FRIEND_NOT_CONNECTED",
    "FRIEND_ALREADY_IN_CALL",
    "INVALID_BIT_RATE",
  ],
  ANSWER: ["OK", "SYNC", "CODEC_INITIALIZATION", "FRIEND_NOT_FOUND", "FRIEND_NOT_CALLING", "INVALID_BIT_RATE"],
  CALL_CONTROL: ["OK", "SYNC", "FRIEND_NOT_FOUND", "FRIEND_NOT_IN_CALL", "INVALID_TRANSITION"],
  BIT_RATE_SET: ["OK", "SYNC", "INVALID_BIT_RATE", "FRIEND_NOT_FOUND", "FRIEND_NOT_IN_CALL"],
  SEND_FRAME: [
    "OK",
    "NULL",
    "FRIEND_NOT_FOUND",
    "FRIEND_NOT_IN_CALL",
    "SYNC",
    "INVALID",
    "PAYLOAD_TYPE_DISABLED",
    "RTP_FAILED",
  ],
} as const;

export type ToxavErrorEnum = keyof typeof TOXAV_ERRORS;

/** A call into libtoxcore that failed, or (code `HARNESS`) a request that the child could not understand. */
export class CallError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "CallError";
    this.code = code;
  }
}

/** Runs a C function that reports its error through an out-parameter. */
export function checked<T>(errors: ErrorEnum, call: (error: [number]) => T): T {
  return checkedBy(`TOX_ERR_${errors}`, ERRORS[errors], call);
}

/** The same for a function of toxav. */
export function checkedAv<T>(errors: ToxavErrorEnum, call: (error: [number]) => T): T {
  return checkedBy(`TOXAV_ERR_${errors}`, TOXAV_ERRORS[errors], call);
}

function checkedBy<T>(prefix: string, names: readonly string[], call: (error: [number]) => T): T {
  const error: [number] = [0];
  const result = call(error);
  if (error[0] === 0) return result;
  const code = `${prefix}_${names[error[0]] ?? error[0]}`;
  throw new CallError(code, code);
}
