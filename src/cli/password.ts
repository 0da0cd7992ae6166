import { Command } from "commander";
import { ToxError } from "../index.ts";
import { changeProfilePassword, fileStore } from "../node/index.ts";
import { askPassword } from "./ask_password.ts";
import { readPassword, withPassword } from "./profile.ts";

interface PasswordFlags {
  readonly passwordFile?: string;
  readonly newPasswordFile?: string;
  readonly remove?: boolean;
}

export function passwordCommand(): Command {
  return new Command("password")
    .description("set, change or take away the password of a profile")
    .argument("<PROFILE>", "the .tox file, which no program has open; what lies beside it follows")
    .option("--password-file <FILE>", "a file with the password that it has; asked for at the terminal when left out")
    .option("--new-password-file <FILE>", "a file with the one that it gets; asked for, twice, when left out")
    .option("--remove", "no password any more: whoever has the files can read them")
    .action(changePassword);
}

async function changePassword(path: string, { passwordFile, newPasswordFile, remove }: PasswordFlags): Promise<void> {
  if (remove && newPasswordFile !== undefined) {
    throw new ToxError("invalid-argument", "Leave out --remove, or --new-password-file: it is one or the other.");
  }
  const mayAsk = process.stdin.isTTY && process.stdout.isTTY;
  const from = await withPassword(path, passwordFile, mayAsk, (password) => proven(path, password));
  const to = remove ? undefined : await newPassword(path, newPasswordFile, mayAsk);
  try {
    await changeProfilePassword(path, { ...(from !== undefined && { from }), ...(to !== undefined && { to }) });
  } finally {
    from?.fill(0);
    to?.fill(0);
  }
  console.log(remove ? `${path} has no password any more.` : `${path} has the new password.`);
}

/** The same password, once it has opened the profile. */
async function proven(path: string, password: Uint8Array | undefined): Promise<Uint8Array | undefined> {
  const store = fileStore(path, password === undefined ? {} : { password });
  try {
    if ((await store.read("profile")) !== undefined) return password;
    throw new ToxError("invalid-argument", `There is no profile ${path}: name one that is there.`);
  } finally {
    await store.close();
  }
}

async function newPassword(path: string, file: string | undefined, mayAsk: boolean): Promise<Uint8Array> {
  if (file !== undefined) return await readPassword(file);
  const refuse = (message: string) => new ToxError("invalid-argument", message);
  if (!mayAsk) throw refuse("Give the new password with --new-password-file FILE, or none any more with --remove.");
  const password = await askPassword(`New password of ${path}: `);
  if (password.length === 0) throw refuse("Nothing was changed: --remove takes the password away.");
  const again = await askPassword("Once more: ");
  if (Buffer.compare(password, again) !== 0) throw refuse("Nothing was changed: these are two different passwords.");
  return password;
}
