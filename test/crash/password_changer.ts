/** Changes a profile's password back and forth, until it is killed. */
import { writeSync } from "node:fs";
import { changeProfilePassword } from "../../src/node/index.ts";

const [path = "", ...passwords] = process.argv.slice(2);
const options = (name: "from" | "to", password: string | undefined) => (password ? { [name]: password } : {});

for (let at = 0; ; at++) {
  const [from, to] = [passwords[at % passwords.length], passwords[(at + 1) % passwords.length]];
  writeSync(1, `changing ${at}\n`);
  await changeProfilePassword(path, { ...options("from", from), ...options("to", to) });
  writeSync(1, `changed ${at}\n`);
}
