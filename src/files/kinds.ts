import type { FileKind } from "../friend/file_transfer.ts";

/** toxcore's `TOX_FILE_KIND_*`, by number. */
const KINDS = ["data", "avatar", "sticker", "sha1", "sha256"] as const satisfies readonly FileKind[];

export const AVATAR_KIND = KINDS.indexOf("avatar");

export function kindOf(number: number): FileKind {
  return KINDS[number] ?? number;
}

/** Undefined for what is no kind. */
export function kindNumber(kind: FileKind): number | undefined {
  if (typeof kind === "number") {
    return Number.isInteger(kind) && kind >= 0 && kind <= 0xffff_ffff ? kind : undefined;
  }
  const number = KINDS.indexOf(kind);
  return number < 0 ? undefined : number;
}
