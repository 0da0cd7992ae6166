import { ToxError } from "../../util/tox_error.ts";

/** What the system says, as something to do. `aim` is what was being done to which file: "write /home/a/alice.tox". */
export function diskError(error: unknown, aim: string): ToxError {
  if (error instanceof ToxError) return error;
  const options = { cause: error };
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    const advice = "make room on the disk. What was there before is kept, and the next attempt may succeed";
    return new ToxError("disk-full", `There is no room to ${aim}: ${advice}.`, options);
  }
  return new ToxError("store-unavailable", `The system does not let us ${aim}: ${reasonOf(code, error)}.`, options);
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function reasonOf(code: string | undefined, error: unknown): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "this user may not. Allow it on the file and its folder, or choose another";
    case "EROFS":
      return "the disk is mounted for reading only. Mount it for writing, or choose another folder";
    case "ENOENT":
      return "there is no such folder. Make it first";
    case "ENOTDIR":
      return "a part of the path is a file. Choose another path";
    case "EISDIR":
      return "it is a folder. Name a file in it";
    case "EMFILE":
    case "ENFILE":
      return "too many files are open. Close some, or raise the limit";
    case "EIO":
      return "the disk fails. Save what is on it elsewhere";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
