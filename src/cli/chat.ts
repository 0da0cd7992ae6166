import { Command } from "commander";
import { type Friend, Tox } from "../index.ts";
import { ChatScreen } from "./chat_screen.ts";
import { ChatSession } from "./chat_session.ts";
import { type DemoNetwork, startDemoNetwork } from "./demo.ts";
import { sayAndHear } from "./say.ts";
import { addSharedFlags, type SharedFlags, toxOptions } from "./shared_options.ts";

interface ChatFlags extends SharedFlags {
  readonly demo?: boolean;
  readonly say?: string;
  readonly to?: string;
}

export function chatCommand(): Command {
  const command = new Command("chat")
    .description("talk in the terminal")
    .option("--demo", "talk with an echo in a network of its own on this machine; nobody else is contacted")
    .option("--say <TEXT>", "send one message, print the answer and exit")
    .option("--to <ID>", "with --say: the Tox ID to send to (with --demo, the echo)");
  return addSharedFlags(command).action(async (flags: ChatFlags) => {
    process.exitCode = await chat(flags);
  });
}

async function chat(flags: ChatFlags): Promise<number> {
  if (flags.say !== undefined && !flags.demo && flags.to === undefined) {
    console.error("--say needs --to ID, or --demo, to know whom to tell.");
    return 1;
  }
  const demo = flags.demo ? await startDemoNetwork() : undefined;
  try {
    await using tox = await Tox.create({ ...(await toxOptions(flags)), ...demo?.options });
    const friendId = flags.to ?? demo?.echoId;
    const friend = friendId === undefined ? undefined : await tox.addFriend(friendId, "Hello, let us talk.");
    if (flags.say !== undefined && friend !== undefined) return await sayAndHear(tox, friend, flags.say);
    await talk(tox, friend, demo, flags);
    return 0;
  } finally {
    await demo?.close();
  }
}

async function talk(
  tox: Tox,
  friend: Friend | undefined,
  demo: DemoNetwork | undefined,
  flags: ChatFlags,
): Promise<void> {
  const screen = new ChatScreen(process.stdin, process.stdout);
  const session = new ChatSession(tox, screen);
  screen.print("Your Tox ID, for friends to add you:");
  screen.print(`  ${tox.id}`);
  if (demo) {
    screen.print("This is the demo: a Tox network of three in this process, on 127.0.0.1. Nobody else is contacted.");
    screen.print("Your friend here is an echo. Write something and press Enter; /help shows the commands.");
  } else {
    const nodes = (await toxOptions(flags)).bootstrap ?? [];
    if (nodes.length === 0) {
      screen.print(
        "No node to start from was named (--bootstrap, --nodes FILE or --public-nodes): waiting to be found.",
      );
    }
    screen.print("/help shows the commands.");
  }
  if (friend) session.talkTo(friend);
  await session.run();
}
