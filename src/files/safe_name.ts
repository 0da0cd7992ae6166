import { utf8 } from "../util/text.ts";

/** A disk takes 255 bytes; this leaves room for ` (2)` and `.2.part`. */
const LONGEST = 240;
/** An ending longer than this is no extension worth keeping. */
const LONGEST_EXTENSION = 32;

/** What separates or selects on some system, control characters, and what turns the order of letters around or is not seen. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}/\\:*?"<>|\u115f\u1160\u2800\u3164\uffa0]/gu;
/** Marks that are not seen either; some are part of many an emoji, which is seen without them as well. */
const UNSEEN_MARKS = /\u034f|\u17b4|\u17b5|[\u180b-\u180d]|\u180f|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/gu;
/** What Windows takes for a device, whatever its extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])[ .]*(?:\.|$)/i;

/**
 * A name that a stranger chose, made one that names a file in the folder where it is put, on any system: no separators, no
 * hidden file, no device, at most 240 bytes, and what is seen is what it is.
 */
export function safeFileName(raw: string): string {
  const plain = raw
    .replace(UNSAFE, "_")
    .replace(UNSEEN_MARKS, "")
    .replace(/^[\s.]+/, "")
    .replace(/[\s.]+$/, "");
  const name = cut(DEVICE.test(plain) ? `_${plain}` : plain);
  return name === "" ? "file" : name;
}

/** Keeps the extension, which says what the file is. */
function cut(name: string): string {
  if (utf8(name).length <= LONGEST) return name;
  const dot = name.lastIndexOf(".");
  const ending = dot > 0 ? name.slice(dot) : "";
  const extension = utf8(ending).length <= LONGEST_EXTENSION ? ending : "";
  const room = LONGEST - utf8(extension).length;
  let stem = "";
  let size = 0;
  for (const character of extension === "" ? name : name.slice(0, dot)) {
    size += utf8(character).length;
    if (size > room) break;
    stem += character;
  }
  return stem.replace(/[\s.]+$/, "") + extension;
}
