import { Command } from "commander";
import { type BootstrapNode, type Friend, Tox, ToxError } from "../index.ts";
import { ChatScreen } from "./chat_screen.ts";
import { ChatSession } from "./chat_session.ts";
import { type DemoNetwork, startDemoNetwork } from "./demo.ts";
import { ownAddresses } from "./own_addresses.ts";
import { openProfile } from "./profile.ts";
import { sayAndHear } from "./say.ts";
import { addSharedFlags, bootstrapNodes, type SharedFlags, toxOptions } from "./shared_options.ts";
import { endSignal } from "./signals.ts";

interface ChatFlags extends SharedFlags {
  readonly demo?: boolean;
  readonly say?: string;
  readonly to?: string;
}

const NO_NODE = "No node to start from was named (--bootstrap, --nodes FILE or --public-nodes): ";
const FROM_YOU = "others can find you only if they start from you, see /node.";
const NOBODY = "without UDP nobody can find you then.";
/** How long (ms) nodes may take to answer before we say that none does. */
const NODE_PATIENCE = 10_000;

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
  const nodes = await bootstrapNodes(flags);
  expectFitting(flags, nodes);
  const options = toxOptions(flags);
  const signal = endSignal();
  await using profile = await openProfile(flags, process.stdin.isTTY && process.stdout.isTTY);
  const demo = flags.demo ? await startDemoNetwork() : undefined;
  try {
    await using tox = await Tox.create({ ...options, ...profile.options, ...demo?.options });
    const friendId = flags.to ?? demo?.echoId;
    const friend = friendId === undefined ? undefined : await friendWith(tox, friendId);
    if (flags.say === undefined) {
      await talk(tox, friend, demo, nodes, flags, signal);
      return 0;
    }
    if (!demo && nodes.length === 0)
      console.error("No node to start from was named: --bootstrap, --nodes or --public-nodes.");
    startFrom(tox, nodes, console.error);
    return friend === undefined
      ? 1
      : await sayAndHear(tox, friend, flags.say, flags.proxy === undefined ? 15_000 : 60_000);
  } finally {
    await demo?.close();
  }
}

/** The one with this ID, who may be a friend already. */
async function friendWith(tox: Tox, id: string): Promise<Friend> {
  const known = /^[0-9a-f]{76}$/i.test(id) ? tox.friend(id.slice(0, 64)) : undefined;
  return known ?? (await tox.addFriend(id, "Hello, let us talk."));
}

/** Refuses flags that would be passed over in silence. */
function expectFitting(flags: ChatFlags, nodes: readonly BootstrapNode[]): void {
  const wrong = (message: string) => new ToxError("invalid-argument", message);
  if (flags.say !== undefined && !flags.demo && flags.to === undefined) {
    throw wrong("--say needs --to ID, or --demo, to know whom to tell.");
  }
  if (flags.to !== undefined && flags.say === undefined)
    throw wrong("--to goes with --say; in the chat, /add ID asks somebody.");
  if (flags.demo && (nodes.length > 0 || flags.port !== undefined || flags.to !== undefined)) {
    throw wrong("--demo has a network and a friend of its own: leave --port, --to and the nodes out.");
  }
  if (flags.demo && flags.profile !== undefined) {
    throw wrong("--demo is over when the program ends, with all its friends: leave --profile out.");
  }
  if (flags.demo && (flags.proxy !== undefined || !flags.udp)) {
    throw wrong("--demo is a network on this machine, over UDP: leave --proxy and --no-udp out.");
  }
}

async function talk(
  tox: Tox,
  friend: Friend | undefined,
  demo: DemoNetwork | undefined,
  nodes: readonly BootstrapNode[],
  flags: ChatFlags,
  signal: AbortSignal,
): Promise<void> {
  const screen = new ChatScreen(process.stdin, process.stdout);
  const session = new ChatSession(tox, screen, addressesOf(tox, demo, flags));
  screen.print(
    flags.profile === undefined
      ? "Your Tox ID, for friends to add you, as long as this runs (--profile FILE keeps it):"
      : "Your Tox ID, for friends to add you:",
  );
  screen.print(`  ${tox.id}`);
  if (demo) {
    screen.print("This is the demo: a Tox network of three in this process, on 127.0.0.1. Nobody else is contacted.");
    screen.print("Your friend here is an echo. Write something and press Enter; /help shows the commands.");
  } else {
    if (nodes.length === 0) screen.print(NO_NODE + (tox.udpPort === 0 ? NOBODY : FROM_YOU));
    screen.print("/help shows the commands.");
  }
  startFrom(tox, nodes, (line) => screen.print(`* ${line}`));
  const patience = setTimeout(() => {
    if (nodes.length > 0 && tox.connection === "none") screen.print("* no node has answered yet; still trying");
  }, NODE_PATIENCE);
  if (friend) session.talkTo(friend);
  await session.run(signal);
  clearTimeout(patience);
}

/** Where others can start from us. */
function addressesOf(tox: Tox, demo: DemoNetwork | undefined, { ipv6 }: ChatFlags): readonly string[] {
  if (tox.udpPort === 0) return [];
  return demo ? ["127.0.0.1"] : ownAddresses(ipv6);
}

/** Begins with every node; one that cannot be used is named, and the others serve. */
function startFrom(tox: Tox, nodes: readonly BootstrapNode[], print: (line: string) => void): void {
  for (const node of nodes) {
    tox.bootstrap(node).catch((error: unknown) => {
      if (!(error instanceof ToxError && error.code === "closed")) print(`${node.host}: ${(error as Error).message}`);
    });
  }
}
