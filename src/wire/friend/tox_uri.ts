import { ToxError } from "../../util/tox_error.ts";
import { formatToxId, parseToxId } from "./tox_id.ts";

/** A link by which somebody is asked for friendship: `tox:` ‖ Tox ID, and `?message=…` in those of ours. */
export interface ToxUri {
  /** 76 upper-case hex digits. */
  readonly id: string;
  /** What to write with the request. */
  readonly message?: string;
}

/** Takes a bare Tox ID, too. Throws `invalid-id` or `checksum-mismatch`. */
export function parseToxUri(text: string): ToxUri {
  const [, id = "", query] = /^(?:tox:(?:\/\/)?)?([^/?#]*)\/?(?:\?([^#]*))?(?:#.*)?$/is.exec(text.trim()) ?? [];
  const message = new URLSearchParams(query ?? "").get("message") ?? "";
  return { id: formatToxId(parseToxId(id)), ...(message !== "" && { message }) };
}

export function formatToxUri({ id, message = "" }: ToxUri): string {
  return `tox:${formatToxId(parseToxId(id))}${message === "" ? "" : `?message=${encodeText(message)}`}`;
}

/** Half a surrogate pair is no text. */
function encodeText(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    throw new ToxError("invalid-argument", "Give a message of whole characters: it holds half of one.");
  }
}
