import { parseBootstrapNode, Tox } from "toxcore-ts";
import { CallMedia, wavSource } from "toxcore-ts/media";

const [file, ...nodes] = process.argv.slice(2);
if (file === undefined) {
  console.error("Usage: node examples/voice_bot.ts SPEECH.wav [HOST:PORT:KEY …]");
  process.exit(2);
}
await (await wavSource(file)).close?.(); // better now than in the first call

const bootstrap = nodes.map(parseBootstrapNode);
const tox = await Tox.create({ name: "Voice", statusMessage: "Call me", bootstrap });
console.log(`Add me: ${tox.id}`);
tox.on("connection", ({ state }) => console.log(`network: ${state}`));
tox.on("friendRequest", (request) => request.accept());

tox.on("incomingCall", async (call) => {
  const name = call.friend.name || call.friend.publicKey;
  call.answer();
  const media = await CallMedia.start(call, { audio: await wavSource(file) });
  console.log(`${name} listens`);
  void media.audioDone?.then(() => call.hangUp());
  const { reason } = await call.ended;
  console.log(`${name} has heard it (${reason})`);
});

process.once("SIGINT", () => tox.close());
