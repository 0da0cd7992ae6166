/** What strangers write becomes text, and text is made fit for a terminal. */
import { safeText } from "../../src/cli/safe_text.ts";
import { fromHex, sameBytes, toHex } from "../../src/util/bytes.ts";
import { fromUtf8, utf8 } from "../../src/util/text.ts";
import { broken } from "../codec.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function fuzz(data: Uint8Array): void {
  const text = fromUtf8(data);
  if (!text.isWellFormed()) broken("the text has half a surrogate pair", data);
  if (isUtf8(data) !== sameBytes(utf8(text), data)) broken("UTF-8 changes on its way through a string", data);
  if (!sameBytes(fromHex(toHex(data)) ?? broken("no hex"), data)) broken("hex changes bytes", data);

  const safe = safeText(text);
  for (const character of safe) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) broken(`control character ${code} reaches the terminal`, data);
  }
  if (safeText(safe) !== safe) broken("safe text is not safe", data);
}

export function* corpus(): Iterable<Uint8Array> {
  for (const text of ["", "hello", "\ufeffno mark is lost", "naïve 日本 😀", "a\r\nb\nc", "\u001b[2J\u202etxt.exe"]) {
    yield utf8(text);
  }
  yield Uint8Array.of(0xe2, 0x82, 0x0a, 0xff, 0xed, 0xa0, 0x80);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
