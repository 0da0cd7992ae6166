import type { FileFailure } from "../friend/file_transfer.ts";

/** What went wrong with a disk, by the code that systems give it. */
const BY_CODE: Readonly<Record<string, FileFailure>> = {
  ENOSPC: "disk-full",
  EDQUOT: "disk-full",
  EFBIG: "disk-full",
  EEXIST: "file-exists",
  EACCES: "permission-denied",
  EPERM: "permission-denied",
  EROFS: "permission-denied",
};

export function failureOf(error: unknown, otherwise: FileFailure): FileFailure {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return (typeof code === "string" && Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined) ?? otherwise;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
