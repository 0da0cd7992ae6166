import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";
import { withMessage } from "./mailbox.ts";
import { ended, spawnTied, Tail } from "./process.ts";

const SIZE = { columns: 160, rows: 45 };
const WAIT_TIMEOUT_MS = 10_000;
/** The subscription to, and the pane option with, the status that a shell gives the program that has ended. */
const SUBSCRIPTION = "@ended";

export interface TmuxOptions {
  /** `tmux -L`: a server of its own. */
  socket: string;
  /** Network namespace for the server and all that runs in it. */
  netns?: string;
}

interface PendingCommand {
  resolve: (lines: string[]) => void;
  reject: (error: Error) => void;
}

/**
 * A tmux server, spoken to in control mode: tmux tells when a pane has new output, so that waiting for text polls
 * nothing. The server ends with this client.
 */
export class Tmux implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #exited: Promise<string>;
  readonly #errors: Tail;
  /** Commands are answered in order. */
  readonly #pending: PendingCommand[] = [];
  readonly #terminals = new Map<string, Terminal>();
  #block: string[] | undefined;
  readonly #attached = Promise.withResolvers<void>();
  #gone: string | undefined;

  private constructor({ socket, netns }: TmuxOptions) {
    const args = ["-u", "-L", socket, "-f", "/dev/null", "-C", "new-session", "-s", "main", "sleep infinity"];
    this.#child = spawnTied("tmux", args, netns);
    this.#errors = new Tail(this.#child.stderr);
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#receive(line));
    this.#exited = ended(this.#child).then(
      (how) => this.#onExit(how),
      (error: unknown) => this.#onExit(String(error)),
    );
  }

  static async start(options: TmuxOptions): Promise<Tmux> {
    const tmux = new Tmux(options);
    // The answer to `new-session` itself comes first, as a block that no command of ours asked for; a command that comes
    // before the client is attached to its session may find no client.
    await tmux.#attached.promise;
    await tmux.command("set-option -g destroy-unattached on");
    await tmux.command("set-option -g remain-on-exit on");
    await tmux.command("set-option -g remain-on-exit-format ''");
    await tmux.command("set-option -g default-terminal screen-256color");
    await tmux.command(`refresh-client -C ${SIZE.columns},${SIZE.rows}`);
    await tmux.command(`refresh-client -B "${SUBSCRIPTION}:%*:#{${SUBSCRIPTION}}"`);
    return tmux;
  }

  /**
   * Runs an executable file in a window of its own. A shell in the window tells how it ended, since tmux 3.3 does not always:
   * it may overlook the signal that a child has ended, and then has no status for a pane that is dead.
   */
  async open(name: string, executable: string): Promise<Terminal> {
    const command = `${executable}; tmux set-option -p -t $TMUX_PANE ${SUBSCRIPTION} $?`;
    const [pane = ""] = await this.command(`new-window -d -P -F '#{pane_id}' -n ${name} '${command}'`);
    const terminal = new Terminal(this, name, pane);
    this.#terminals.set(pane, terminal);
    return terminal;
  }

  /** One tmux command; resolves to the lines of its answer. */
  command(line: string): Promise<string[]> {
    const error = new Error();
    return new Promise((resolve, reject) => {
      const fail = (cause: Error) => reject(withMessage(error, `tmux ${line}: ${cause.message}`));
      if (this.#gone !== undefined) return fail(new Error(this.#gone));
      this.#pending.push({ resolve, reject: fail });
      this.#child.stdin.write(`${line}\n`);
    });
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #receive(line: string): void {
    const [word = "", first = "", , flags = ""] = line.split(" ");
    if (this.#block !== undefined) {
      if (word === "%end" || word === "%error") this.#endBlock(word, flags);
      else this.#block.push(line);
    } else if (word === "%begin") this.#block = [];
    else if (word === "%session-changed") this.#attached.resolve();
    else if (word === "%output") this.#terminals.get(first)?.changed();
    else if (word === "%subscription-changed" && first === SUBSCRIPTION) this.#paneState(line);
  }

  #endBlock(word: string, flags: string): void {
    const lines = this.#block ?? [];
    this.#block = undefined;
    // Flag 1: the answer to a command of this client.
    if (flags !== "1") return;
    const pending = this.#pending.shift();
    if (word === "%end") pending?.resolve(lines);
    else pending?.reject(new Error(lines.join("\n")));
  }

  /** `%subscription-changed name $session @window index %pane : value` */
  #paneState(line: string): void {
    const [, pane = "", value] = /(%\d+) : (\d+)$/.exec(line) ?? [];
    if (value === undefined) return;
    const status = Number(value);
    this.#terminals.get(pane)?.ended(status > 128 ? `signal ${status - 128}` : `exit code ${status}`);
  }

  #onExit(how: string): string {
    this.#gone = `tmux has ended (${how}) ${this.#errors.text}`;
    this.#attached.resolve(); // the first command says that tmux has ended
    for (const pending of this.#pending.splice(0)) pending.reject(new Error(this.#gone));
    for (const terminal of this.#terminals.values()) terminal.ended(this.#gone);
    return how;
  }
}

/** A program in a tmux window. */
export class Terminal {
  readonly name: string;
  /** Resolves to how the program ended (noticed within about a second). */
  readonly exited: Promise<string>;

  readonly #tmux: Tmux;
  readonly #pane: string;
  readonly #exit = Promise.withResolvers<string>();
  readonly #watchers = new Set<() => void>();
  #ended: string | undefined;

  constructor(tmux: Tmux, name: string, pane: string) {
    this.#tmux = tmux;
    this.name = name;
    this.#pane = pane;
    this.exited = this.#exit.promise;
  }

  /** Types text as it is; a line break is no text but a key: `press("Enter")`. */
  async type(text: string): Promise<void> {
    if (/[\r\n]/.test(text)) throw new Error("press Enter instead of typing a line break");
    // Within single quotes tmux takes everything as it is, but has no way to write a single quote.
    const quoted = text.split("'").map((part) => `'${part}'`);
    if (text !== "") await this.#tmux.command(`send-keys -t ${this.#pane} -l -- ${quoted.join(`"'"`)}`);
  }

  /** Presses keys by their tmux names: `press("Enter")`, `press("C-p", "PageUp")`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux.command(`send-keys -t ${this.#pane} ${keys.join(" ")}`);
  }

  /** Types text and presses Enter. */
  async enter(line: string): Promise<void> {
    await this.type(line);
    await this.press("Enter");
  }

  /** What stands on the screen, without trailing blanks; with `history` also what has scrolled away. */
  async capture({ history = false } = {}): Promise<string> {
    const lines = await this.#tmux.command(`capture-pane -p -J ${history ? "-S - " : ""}-t ${this.#pane}`);
    return lines
      .map((line) => line.trimEnd())
      .join("\n")
      .trimEnd();
  }

  /**
   * Resolves when the screen shows the text, at once if it already does. Looks again whenever the program writes; rejects
   * with the screen in its message on timeout, and when the program ends.
   */
  async waitForText(pattern: string | RegExp, timeoutMs: number = WAIT_TIMEOUT_MS): Promise<RegExpExecArray> {
    const error = new Error();
    const wanted = typeof pattern === "string" ? new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")) : pattern;
    const until = performance.now() + timeoutMs;
    for (;;) {
      const change = this.#change(until - performance.now());
      const screen = await this.capture();
      const match = new RegExp(wanted, wanted.flags.replace(/[gy]/g, "")).exec(screen);
      if (match !== null) {
        change.cancel();
        return match;
      }
      const why = this.#ended ?? ((await change.seen) ? undefined : `timeout after ${timeoutMs} ms`);
      if (why !== undefined) {
        change.cancel();
        throw withMessage(error, `${this.name}: ${why}, waiting for ${pattern} on this screen:\n${screen}`);
      }
    }
  }

  /** Called by `Tmux`: the program has written something. */
  changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Called by `Tmux`: the program has ended. */
  ended(how: string): void {
    this.#ended = `the program has ended (${how})`;
    this.#exit.resolve(how);
    this.changed();
  }

  /** `seen` resolves to true at the next change, to false if none comes in time. */
  #change(timeoutMs: number): { seen: Promise<boolean>; cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (seen: boolean) => {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
      resolve(seen);
    };
    const watcher = () => settle(true);
    const timer = setTimeout(() => settle(false), Math.max(0, timeoutMs));
    this.#watchers.add(watcher);
    return { seen: promise, cancel: () => settle(false) };
  }
}
