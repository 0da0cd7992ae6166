import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether this process may mount; says so where it may not. */
export function canMount(otherwise: string): boolean {
  const probe = mkdtempSync(join(tmpdir(), "toxcore-ts-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "toxcore-ts-test", probe]).status === 0;
  if (mounted) execFileSync("umount", [probe]);
  rmSync(probe, { recursive: true });
  if (!mounted) console.warn(`${otherwise}: that needs the right to mount on Linux`);
  return mounted;
}

/** A disk of so many bytes, mounted on a folder until `unmount`. */
export class SmallDisk {
  readonly folder: string;

  constructor(folder: string, size: number) {
    this.folder = folder;
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "toxcore-ts-test", folder]);
  }

  unmount(): void {
    execFileSync("umount", [this.folder]);
  }

  fill(): void {
    spawnSync("dd", ["if=/dev/zero", `of=${join(this.folder, "filler")}`, "bs=4096"]);
  }

  empty(): void {
    rmSync(join(this.folder, "filler"));
  }

  remount(mode: "ro" | "rw"): void {
    execFileSync("mount", ["-o", `remount,${mode}`, this.folder]);
  }
}
