import { parseBootstrapNode, Tox } from "toxcore-ts";

const nodes = process.argv.slice(2).map(parseBootstrapNode);
const tox = await Tox.create({ name: "Echo", statusMessage: "I repeat what you say", bootstrap: nodes });
console.log(`Add me: ${tox.id}`);

tox.on("connection", ({ state }) => console.log(`network: ${state}`));
tox.on("friendRequest", (request) => request.accept());
tox.on("friendConnection", ({ friend, state }) => console.log(`${friend.name || friend.publicKey}: ${state}`));

tox.on("message", async ({ friend, text }) => {
  const answer = friend.send(`You said: ${text}`);
  console.log(`${friend.name}: ${text} (answer ${await answer.delivered})`);
});

process.once("SIGINT", () => tox.close());
