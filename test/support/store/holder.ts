/** Opens a store once its input has a line, says "held" or why not, and holds it until it is killed or its input ends. */
import { once } from "node:events";
import { fileStore } from "../../../src/node/index.ts";

const store = fileStore(process.argv[2] ?? "");
console.log("waiting");
await once(process.stdin, "data");
try {
  await store.append(Uint8Array.of(process.pid & 0xff));
  console.log("held");
} catch (error) {
  console.log((error as Error).message);
}
process.stdin.resume();
await once(process.stdin, "end");
await store.close();
