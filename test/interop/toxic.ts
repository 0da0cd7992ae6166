import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hexOf } from "./mailbox.ts";
import { netnsAvailable, type Sandbox } from "./netns.ts";
import type { Terminal } from "./tmux.ts";
import type { Bytes, DhtNode } from "./toxcore.ts";

export { type RunOptions, Sandbox } from "./netns.ts";
export type { Terminal } from "./tmux.ts";
export { FakeSound } from "./toxic_sound.ts";

export interface ToxicOptions {
  /** Nodes it bootstraps from: in the same sandbox, at an IPv4 address. */
  nodes: DhtNode[];
  /** Name of its profile and window; several in one sandbox need different ones. Default: `toxic`. */
  profile?: string;
  /** Of a profile that is there already, and encrypted. */
  password?: string;
  /** Added to the environment: `FakeSound.env` for calls. Default: a null sound device, which has no microphone. */
  env?: Record<string, string>;
}

const START_TIMEOUT_MS = 20_000;
const ONLINE_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 30_000;

let available: boolean | undefined;

/** Root on Linux that may make network namespaces, with toxic, tmux and tox-bootstrapd installed. */
export function toxicAvailable(): boolean {
  const installed = (program: string, flag: string) => spawnSync(program, [flag]).error === undefined;
  available ??=
    netnsAvailable() &&
    installed("toxic", "--help") &&
    installed("tmux", "-V") &&
    installed("tox-bootstrapd", "--version");
  return available;
}

/** Debian's toxic, with an unencrypted profile that is there already or else new, in a sandbox's terminal. */
export class Toxic {
  readonly terminal: Terminal;
  /** The Tox ID, 76 hex digits. */
  readonly id: string;

  #window = 0;

  private constructor(terminal: Terminal, id: string) {
    this.terminal = terminal;
    this.id = id;
  }

  /** Resolves when its home window is there and has told its Tox ID; it may not be online yet. */
  static async start(
    sandbox: Sandbox,
    { nodes, profile = "toxic", password, env = { ALSOFT_DRIVERS: "null" } }: ToxicOptions,
  ): Promise<Toxic> {
    const file = (suffix: string) => join(sandbox.directory, `${profile}.${suffix}`);
    await writeFile(file("nodes.json"), nodesFile(nodes));
    await writeFile(file("conf"), CONFIGURATION);
    const command = ["toxic", "-4", "-L", "-n", file("nodes.json"), "-c", file("conf"), "-f", file("tox")];
    const isNew = !existsSync(file("tox"));
    const terminal = await sandbox.run(profile, command, { env });
    if (isNew) {
      await terminal.waitForText("Would you like to encrypt it?", START_TIMEOUT_MS);
      await terminal.enter("n");
    }
    if (password !== undefined) {
      await terminal.waitForText("Enter password", START_TIMEOUT_MS);
      await terminal.enter(password);
    }
    await terminal.waitForText(`${profile}.tox' data file`, START_TIMEOUT_MS);
    await terminal.enter("/myid");
    const [id] = await terminal.waitForText(/\b[0-9A-F]{76}\b/, START_TIMEOUT_MS);
    return new Toxic(terminal, id);
  }

  /** The program ends, and its profile is written. */
  async quit(): Promise<void> {
    await this.show(0); // the list of contacts takes no commands
    await this.enter("/exit");
    await this.terminal.exited;
  }

  /** The public key within the Tox ID. */
  get publicKey(): string {
    return this.id.slice(0, 64);
  }

  /** Until its status bar says that the DHT is there. */
  async waitOnline(timeoutMs: number = ONLINE_TIMEOUT_MS): Promise<void> {
    await this.terminal.waitForText(/^ ?\[Online\]/m, timeoutMs);
  }

  /** A line of text or a `/command`, to the window that is shown. */
  async enter(line: string): Promise<void> {
    await this.terminal.enter(line);
  }

  async setName(name: string): Promise<void> {
    await this.enter(`/nick ${name}`);
  }

  /** Sends a friend request. Without spaces: toxic 0.11 sends only the first word of a quoted message, cut by a letter. */
  async addFriend(id: Bytes, message: string): Promise<void> {
    await this.enter(`/add ${hexOf(id)} "${message}"`);
    await this.terminal.waitForText("Friend request sent.");
  }

  /** Waits for a friend request with that message, and accepts the one of this number. */
  async acceptFriend(message: string, number = 0, timeoutMs: number = ONLINE_TIMEOUT_MS): Promise<void> {
    await this.terminal.waitForText(message, timeoutMs);
    await this.enter(`/accept ${number}`);
    await this.terminal.waitForText("Friend request accepted.");
  }

  /** Shows a window: 0 home, 1 contacts, then the chats in the order of their opening. */
  async show(window: number): Promise<void> {
    const step = window > this.#window ? "C-p" : "C-o";
    const keys = Array<string>(Math.abs(window - this.#window)).fill(step);
    this.#window = window;
    if (keys.length > 0) await this.terminal.press(...keys);
  }

  /** Opens a chat with the only friend, and shows it. What is entered from now on goes to that friend. */
  async openChat(): Promise<void> {
    await this.show(1);
    await this.terminal.press("Enter");
    this.#window = 2;
  }

  /** Shows a chat that the friend's message has opened, waiting for it if need be. Counts from 0. */
  async showChat(number = 0, timeoutMs?: number): Promise<void> {
    await this.terminal.waitForText(new RegExp(`\\[Contacts\\](?: \\[[^\\]]*\\]){${number + 1}}`), timeoutMs);
    await this.show(number + 2);
  }

  /** Calls the friend of the chat that is shown; `waitForCallStarted` says that he has answered. */
  async call(): Promise<void> {
    await this.enter("/call");
    await this.terminal.waitForText('Ringing...type "/hangup" to cancel it.');
  }

  /** Answers the friend of the chat that is shown, waiting for his call. */
  async answer(): Promise<void> {
    await this.#waitForLast("Incoming audio call!");
    await this.enter("/answer");
    await this.waitForCallStarted();
  }

  async reject(): Promise<void> {
    await this.#waitForLast("Incoming audio call!");
    await this.enter("/reject");
    await this.#waitForLast("Rejected!");
  }

  async waitForCallStarted(): Promise<void> {
    await this.terminal.waitForText(/Call Active.*Duration/s, CALL_TIMEOUT_MS);
  }

  /** Ends the call, or takes it back while it rings. */
  async hangUp(): Promise<void> {
    await this.enter("/hangup");
    await this.terminal.waitForText(/Call (ended|canceled)!\s+\[Home\]/);
  }

  /** Turns the microphone ("in") or the loudspeaker ("out") off, or on again. Nothing is said of it to the friend. */
  async mute(device: "in" | "out", muted = true): Promise<void> {
    await this.enter(`/mute ${device}`);
    await this.terminal.waitForText(`${device === "in" ? "In" : "Out"} muted: ${muted ? "yes" : "no"}`);
  }

  /** The line is the last one above the tabs: older ones of the same text stay on the screen. */
  async #waitForLast(line: string): Promise<void> {
    await this.terminal.waitForText(new RegExp(`${line}[^\\n]*\\s+\\[Home\\]`), CALL_TIMEOUT_MS);
  }
}

/** Nothing that beeps, looks for node lists in the web, or changes the status with tmux's clients. */
const CONFIGURATION = `ui = {
  alerts=false;
  native_colors=true;
  show_welcome_msg=false;
  nodeslist_update_freq=0;
  mplex_away=false;
};
audio = {
  chat_audio_channels=1;
};
`;

function nodesFile(nodes: DhtNode[]): string {
  const entries = nodes.map(({ host, port, publicKey }) => ({
    ipv4: host,
    ipv6: "-",
    port,
    tcp_ports: [],
    public_key: hexOf(publicKey),
    maintainer: "interop",
    location: "loopback",
    status_udp: true,
    status_tcp: false,
    version: "1000002018",
    motd: "",
    // toxic passes over nodes that nobody has reached for long.
    last_ping: Math.floor(Date.now() / 1000),
  }));
  return JSON.stringify({ nodes: entries });
}
