import { setTimeout as delay } from "node:timers/promises";
import { type Friend, parseToxUri, type Tox, ToxError, type ToxEvents } from "../index.ts";
import { ChatBlocks } from "./chat_blocks.ts";
import { ChatCalls } from "./chat_calls.ts";
import { ChatFiles } from "./chat_files.ts";
import { ChatOutbox } from "./chat_outbox.ts";
import type { ChatScreen } from "./chat_screen.ts";
import { safeText } from "./safe_text.ts";

type FriendRequest = ToxEvents["friendRequest"];

interface Command {
  readonly usage: string;
  readonly help: string;
  readonly run: (argument: string) => void | Promise<void>;
}

/** Usages whose first word in capitals stands without brackets. */
const NEEDS_ARGUMENT = /^\/\w+ [A-Z]/;

/** What others chose is cut to this many characters, so that it fills no screen. */
const LONGEST_NAME = 32;
const LONGEST_STATUS = 120;

/** Requests that wait for an answer; the oldest is forgotten beyond that. */
const MAX_PENDING_REQUESTS = 64;

/** What a person sees and says in `chat`: shows the events of a Tox instance and carries out what is typed. */
export class ChatSession {
  readonly #tox: Tox;
  readonly #screen: ChatScreen;
  readonly #addresses: readonly string[];
  readonly #requests: FriendRequest[] = []; // bounded by MAX_PENDING_REQUESTS
  readonly #files: ChatFiles;
  readonly #calls: ChatCalls;
  readonly #outbox: ChatOutbox;
  readonly #blocks: ChatBlocks;
  readonly #commands: Record<string, Command>;
  /** As they were last shown. */
  readonly #names = new WeakMap<Friend, string>();
  #partner: Friend | undefined;
  /** Lines are carried out one after another, each when the one before it is done. */
  #turn: Promise<void> = Promise.resolve();

  /** `addresses`: where this machine can be reached, as `--bootstrap` takes them. */
  constructor(tox: Tox, screen: ChatScreen, addresses: readonly string[]) {
    this.#tox = tox;
    this.#addresses = addresses;
    this.#screen = screen;
    this.#files = new ChatFiles({ tox, screen, label, partner: () => this.#expectPartner() });
    this.#calls = new ChatCalls({ tox, screen, label, partner: () => this.#expectPartner() });
    this.#outbox = new ChatOutbox({ tox, screen, label });
    this.#blocks = new ChatBlocks({ tox, screen, label, find: (who) => this.#find(who) });
    this.#commands = this.#makeCommands();
    for (const friend of tox.friends) this.#names.set(friend, label(friend));
    this.#listen();
  }

  /** Makes `friend` the one to whom plain lines go. */
  talkTo(friend: Friend): void {
    this.#partner = friend;
    this.#screen.prompt = `${label(friend)}> `;
  }

  /** Until the person leaves. Where no terminal is, what was sent is given time to be delivered and answered. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#screen.read((line) => this.#takeLine(line.trim()), signal);
    await this.#turn;
    if (!this.#screen.interactive) await this.#finish();
  }

  #takeLine(line: string): void {
    if (line === "") return;
    this.#turn = this.#turn
      .then(() => this.#carryOut(line))
      .catch((error: unknown) => {
        this.#screen.print(error instanceof ToxError ? error.message : String(error));
      });
  }

  async #carryOut(line: string): Promise<void> {
    if (!line.startsWith("/") || line.startsWith("//")) return this.#say(line.replace(/^\/\//, "/"), false);
    const [, name = "", argument = ""] = /^\/(\S*)\s*(.*)$/.exec(line) ?? [];
    const command = Object.hasOwn(this.#commands, name) ? this.#commands[name] : undefined;
    if (command === undefined) this.#screen.print(`There is no /${safeText(name)}. /help shows the commands.`);
    else if (argument === "" && NEEDS_ARGUMENT.test(command.usage)) this.#screen.print(`Write ${command.usage}`);
    else await command.run(argument);
  }

  #makeCommands(): Record<string, Command> {
    return {
      help: { usage: "/help", help: "shows this", run: () => this.#showHelp() },
      id: { usage: "/id", help: "shows your Tox ID", run: () => this.#screen.print(this.#tox.id) },
      nospam: {
        usage: "/nospam",
        help: "gives you another Tox ID: whoever has the old one can ask you no more",
        run: () => this.#changeId(),
      },
      node: {
        usage: "/node",
        help: "shows what others pass to --bootstrap to start from you",
        run: () => this.#showNode(),
      },
      add: {
        usage: "/add ID [MESSAGE]",
        help: "asks somebody to be your friend",
        run: (argument) => this.#add(argument),
      },
      requests: { usage: "/requests", help: "lists those who ask you", run: () => this.#listRequests() },
      accept: {
        usage: "/accept [N]",
        help: "accepts a request, the first when no number is given",
        run: (n) => this.#accept(n),
      },
      friends: { usage: "/friends", help: "lists your friends", run: () => this.#listFriends() },
      to: {
        usage: "/to FRIEND",
        help: "talks to this friend: a name, the start of a key, or a number of /friends",
        run: (who) => this.talkTo(this.#find(who)),
      },
      outbox: { usage: "/outbox", help: "lists what waits to be delivered", run: () => this.#outbox.list() },
      unsend: {
        usage: "/unsend N",
        help: "takes back a message of /outbox",
        run: (n) => this.#outbox.takeBack(n),
      },
      me: { usage: "/me TEXT", help: "says what you do", run: (text) => this.#say(text, true) },
      name: { usage: "/name NAME", help: "changes your name", run: (name) => this.#rename(name) },
      status: {
        usage: "/status [TEXT]",
        help: "changes your status message, or clears it",
        run: (text) => this.#setStatusMessage(text),
      },
      away: { usage: "/away", help: "says that you are away", run: () => this.#setStatus("away") },
      busy: { usage: "/busy", help: "says that you are busy", run: () => this.#setStatus("busy") },
      back: { usage: "/back", help: "says that you are there", run: () => this.#setStatus("none") },
      send: { usage: "/send FILE", help: "offers a file to the friend", run: (path) => this.#files.send(path) },
      take: {
        usage: "/take [N] [PATH]",
        help: "takes an offered file, the first when no number is given",
        run: (argument) => this.#files.take(argument),
      },
      reject: { usage: "/reject [N]", help: "refuses an offered file", run: (n) => this.#files.reject(n) },
      files: { usage: "/files", help: "lists offers, and files on their way", run: () => this.#files.list() },
      pause: { usage: "/pause [N]", help: "stops a file of /files for a while", run: (n) => this.#files.pause(n) },
      resume: { usage: "/resume [N]", help: "lets it go on", run: (n) => this.#files.resume(n) },
      cancel: { usage: "/cancel [N]", help: "gives it up", run: (n) => this.#files.cancel(n) },
      call: { usage: "/call", help: "calls the friend", run: () => this.#calls.call() },
      answer: { usage: "/answer", help: "takes a call", run: () => this.#calls.answer() },
      hangup: { usage: "/hangup", help: "ends a call, or rejects it", run: () => this.#calls.hangUp() },
      mute: { usage: "/mute", help: "turns your microphone off, and on again", run: () => this.#calls.mute() },
      remove: { usage: "/remove FRIEND", help: "ends a friendship", run: (who) => this.#remove(who) },
      block: {
        usage: "/block WHO",
        help: "hears and tells nothing of a friend, or of a stranger by key",
        run: (who) => this.#block(who),
      },
      unblock: { usage: "/unblock WHO", help: "ends that", run: (who) => this.#unblock(who) },
      blocked: { usage: "/blocked", help: "lists who is blocked", run: () => this.#blocks.list() },
      quit: { usage: "/quit", help: "leaves", run: () => this.#screen.close() },
    };
  }

  #listen(): void {
    const print = (line: string) => this.#screen.print(line);
    this.#tox.on("connection", ({ state }) => {
      print(state === "none" ? "* the network does not answer any more" : "* connected to the Tox network");
    });
    this.#tox.on("friendRequest", (request) => this.#noteRequest(request));
    this.#tox.on("friendConnection", ({ friend, state }) => {
      print(`* ${label(friend)} is ${state === "none" ? "offline" : "online"}`);
    });
    this.#tox.on("friendName", ({ friend, name }) => {
      if (name !== "") print(`* ${this.#names.get(friend) ?? shortKey(friend)} is called ${label(friend)}`);
      this.#names.set(friend, label(friend));
      if (friend === this.#partner) this.talkTo(friend);
    });
    this.#tox.on("friendStatus", ({ friend, status }) => {
      print(`* ${label(friend)} is ${status === "none" ? "there" : status}`);
    });
    this.#tox.on("friendStatusMessage", ({ friend, statusMessage }) => {
      if (statusMessage !== "")
        print(`* ${label(friend)} has the status "${cut(safeText(statusMessage), LONGEST_STATUS)}"`);
    });
    this.#tox.on("message", ({ friend, text, action }) => {
      print(action ? `* ${label(friend)} ${safeText(text)}` : `${label(friend)}: ${safeText(text)}`);
      if (this.#partner === undefined) this.talkTo(friend);
    });
  }

  #noteRequest(request: FriendRequest): void {
    if (this.#requests.length >= MAX_PENDING_REQUESTS) this.#requests.shift();
    this.#requests.push(request);
    this.#screen.print(`* ${request.publicKey.slice(0, 12)}… asks to be your friend: "${safeText(request.message)}"`);
    this.#screen.print(`  /accept ${this.#requests.length} accepts`);
  }

  #showHelp(): void {
    for (const { usage, help } of Object.values(this.#commands)) this.#screen.print(`  ${usage.padEnd(20)} ${help}`);
    this.#screen.print("  anything else        goes to the friend whose name stands before the >");
  }

  #changeId(): void {
    this.#tox.nospam = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    this.#screen.print(`* your Tox ID is another one now, and your friends stay:\n  ${this.#tox.id}`);
  }

  #showNode(): void {
    if (this.#tox.udpPort === 0) {
      this.#screen.print("Nobody can start from you: UDP is off.");
      return;
    }
    for (const address of this.#addresses) {
      this.#screen.print(`  --bootstrap ${address}:${this.#tox.udpPort}:${this.#tox.dhtPublicKey}`);
    }
    this.#screen.print("The key is a new one each time you start.");
  }

  async #add(argument: string): Promise<void> {
    const [, id = "", message = ""] = /^(\S*)\s*(.*)$/.exec(argument) ?? [];
    const uri = parseToxUri(id);
    const friend = await this.#tox.addFriend(uri.id, message || uri.message || "Hello, let us talk.");
    this.#screen.print(`* asked ${label(friend)}; you will see when they are online`);
    this.talkTo(friend);
  }

  #listRequests(): void {
    if (this.#requests.length === 0) this.#screen.print("Nobody asks.");
    for (const [i, request] of this.#requests.entries()) {
      this.#screen.print(`  ${i + 1}  ${request.publicKey}  "${safeText(request.message)}"`);
    }
  }

  #accept(argument: string): void {
    const index = argument === "" ? 0 : Number(argument) - 1;
    const request = this.#requests[index];
    if (request === undefined) {
      this.#screen.print("There is no such request. /requests lists them.");
      return;
    }
    this.#requests.splice(index, 1);
    const friend = request.accept();
    this.#screen.print(`* ${label(friend)} is your friend now, and the one you talk to`);
    this.talkTo(friend);
  }

  #listFriends(): void {
    const friends = this.#tox.friends;
    if (friends.length === 0) this.#screen.print("Nobody yet: /add ID asks somebody.");
    for (const [i, friend] of friends.entries()) {
      const state = friend.connection === "none" ? "offline" : friend.status === "none" ? "online" : friend.status;
      const seen = friend.connection === "none" ? lastSeen(friend) : "";
      const blocked = friend.blocked ? ", blocked" : "";
      const waiting = friend.queued > 0 ? `, ${friend.queued} waiting to be delivered` : "";
      this.#screen.print(`  ${i + 1}  ${label(friend)} (${state}${blocked}${seen}${waiting})  ${friend.publicKey}`);
    }
  }

  #find(who: string): Friend {
    const friends = this.#tox.friends;
    const byName = friends.filter((friend) => friend.name === who);
    const byKey = friends.filter((friend) => who.length >= 4 && friend.publicKey.startsWith(who.toUpperCase()));
    const found = /^\d{1,3}$/.test(who) ? friends[Number(who) - 1] : (byName[0] ?? byKey[0]);
    if (found === undefined || byName.length > 1) {
      throw new ToxError("unknown-friend", "No one friend is meant by that. /friends lists them with their numbers.");
    }
    return found;
  }

  #say(text: string, action: boolean): void {
    const friend = this.#partner;
    if (friend === undefined) {
      this.#screen.print("To whom? /add ID asks somebody to be your friend, /to FRIEND chooses one.");
      return;
    }
    friend.send(text, { action });
    if (friend.blocked) this.#screen.print(`* ${label(friend)} is blocked: kept until you /unblock them`);
    else if (friend.connection === "none")
      this.#screen.print(`* ${label(friend)} is offline: kept until they are online`);
  }

  #expectPartner(): Friend {
    if (this.#partner) return this.#partner;
    throw new ToxError("unknown-friend", "To whom? /to FRIEND chooses one.");
  }

  #rename(name: string): void {
    this.#tox.name = name;
    this.#screen.print(`* you are ${safeText(name)} now`);
  }

  #setStatusMessage(text: string): void {
    this.#tox.statusMessage = text;
    this.#screen.print(text === "" ? "* status message cleared" : "* status message changed");
  }

  #setStatus(status: Tox["status"]): void {
    this.#tox.status = status;
    this.#screen.print(`* you are ${status === "none" ? "there" : status} now`);
  }

  async #block(who: string): Promise<void> {
    const publicKey = await this.#blocks.set(who, true);
    const asked = this.#requests.findIndex((request) => request.publicKey === publicKey);
    if (asked >= 0) this.#requests.splice(asked, 1);
  }

  async #unblock(who: string): Promise<void> {
    await this.#blocks.set(who, false);
  }

  #remove(who: string): void {
    const friend = this.#find(who);
    friend.remove();
    this.#screen.print(`* ${label(friend)} is no longer your friend`);
    if (this.#partner !== friend) return;
    this.#partner = undefined;
    this.#screen.prompt = "> ";
  }

  async #finish(): Promise<void> {
    const deadline = performance.now() + 15_000;
    const waiting = () =>
      this.#tox.friends.some((friend) => friend.queued > 0 && !friend.blocked) ||
      this.#tox.fileTransfers.some(({ state }) => state === "active");
    while (waiting() && performance.now() < deadline) await delay(50);
    await delay(500); // answers to the last message
  }
}

function label(friend: Friend): string {
  return cut(safeText(friend.name), LONGEST_NAME) || shortKey(friend);
}

function lastSeen({ lastOnline }: Friend): string {
  return lastOnline === undefined ? "" : `, last seen ${new Date(lastOnline * 1000).toLocaleString()}`;
}

function cut(text: string, longest: number): string {
  const characters = [...text];
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join("")}…`;
}

function shortKey(friend: Friend): string {
  return `${friend.publicKey.slice(0, 12)}…`;
}
