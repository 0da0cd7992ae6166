import type { Friend, Tox } from "../index.ts";
import { safeText } from "./safe_text.ts";

/** Sends one message to a friend, prints his first answer as `NAME: TEXT` and answers the exit code. */
export async function sayAndHear(tox: Tox, friend: Friend, text: string, patienceMs: number): Promise<number> {
  const reply = new Promise<string>((resolve) => {
    tox.on("message", (message) => {
      if (message.friend === friend) resolve(message.text);
    });
  });
  const message = friend.send(text);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs);
  });
  const heard = await Promise.race([reply, timeout]);
  clearTimeout(timer);
  if (heard === undefined) {
    console.error(`No reply within ${patienceMs / 1000} s: ${whyNot(tox, friend, message.state)}`);
    return 1;
  }
  console.log(`${safeText(friend.name)}: ${safeText(heard)}`);
  return 0;
}

function whyNot(tox: Tox, friend: Friend, messageState: string): string {
  if (tox.connection === "none") return "the network does not answer. Name a node that runs with --bootstrap.";
  if (friend.connection === "none") return "the friend is not online.";
  return messageState === "delivered"
    ? "the friend has the message and says nothing."
    : "the message was not delivered.";
}
