import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Browser, Page } from "playwright-core";
import { type Devices, startChromium } from "./chromium.ts";

const MAIN = new URL("../../examples/embed-call/main.ts", import.meta.url).pathname;
const SENSES = new URL("senses.js", import.meta.url).pathname;
const PATIENCE = 60_000;

export interface PagePersonOptions extends Devices {
  readonly name: string;
  /** HOST:PORT:KEY. Without one: the demo, with its echo. */
  readonly bootstrap?: string;
  readonly size?: { readonly width: number; readonly height: number };
  readonly colors?: "light" | "dark";
}

/** Somebody with the page of `examples/embed-call` in a Chromium of his own: the program as a person starts it, and what he does in it. */
export class PagePerson implements AsyncDisposable {
  readonly page: Page;
  readonly url: string;
  readonly browser: Browser;
  readonly #program: ChildProcess;
  /** What the page complained of. */
  readonly complaints: string[] = [];

  static async start({ name, bootstrap, size, colors = "light", ...devices }: PagePersonOptions): Promise<PagePerson> {
    await using starting = new AsyncDisposableStack();
    const network = bootstrap === undefined ? ["--demo"] : ["--bootstrap", bootstrap];
    const program = spawn(process.execPath, [MAIN, "--no-open", "--name", name, ...network], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    starting.defer(() => end(program));
    const url = await urlOf(program);
    const browser = await startChromium(devices);
    starting.defer(() => browser.close());
    const page = await browser.newPage({ viewport: size ?? { width: 1280, height: 800 }, colorScheme: colors });
    page.setDefaultTimeout(PATIENCE);
    await page.addInitScript({ path: SENSES });
    const person = new PagePerson(program, url, browser, page);
    await page.goto(url);
    await page
      .locator("#own-id")
      .filter({ hasText: /^[0-9A-F]{76}$/ })
      .waitFor();
    starting.move();
    return person;
  }

  private constructor(program: ChildProcess, url: string, browser: Browser, page: Page) {
    this.#program = program;
    this.url = url;
    this.browser = browser;
    this.page = page;
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(message.text());
    });
  }

  async id(): Promise<string> {
    return (await this.page.locator("#own-id").textContent()) ?? "";
  }

  async add(id: string): Promise<void> {
    await this.page.locator("#add-id").fill(id);
    await this.page.locator("#add button").click();
  }

  async acceptRequest(): Promise<void> {
    await this.page.locator("#requests").getByRole("button", { name: "Accept" }).click();
  }

  async untilOnline(): Promise<void> {
    await this.page.locator('#friends li[data-connection="udp"]').first().waitFor();
  }

  async click(id: string): Promise<void> {
    await this.page.locator(`#${id}`).click();
  }

  /** Waits until his page shows pictures of the friend that change. */
  async untilMoving(): Promise<void> {
    await this.#sense("senses.changes()");
  }

  /** Waits until his page hears such a tone, in Hz; any sound, when left out. Answers what was heard last. */
  async untilHeard(hertz?: number): Promise<number> {
    return Number(await this.#sense(`senses.hears(${hertz})`));
  }

  /** Waits until sound and pictures of the friend that were taken together are played together, to 80 ms. */
  async untilInStep(): Promise<void> {
    await this.#sense("senses.apart().then((ms) => ms <= 80)");
  }

  /** Mean brightness of the friend's picture, 0 to 255. */
  brightness(): Promise<number> {
    return this.page.evaluate("senses.brightness()");
  }

  /** Asked from outside: the page's policy forbids what Playwright would wait with. Answers what is neither false nor nothing. */
  async #sense(expression: string): Promise<unknown> {
    const end = performance.now() + PATIENCE;
    for (;;) {
      const found = await this.page.evaluate(expression);
      if (found) return found;
      if (performance.now() > end) throw new Error(`in vain for ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await end(this.#program);
  }
}

async function urlOf(program: ChildProcess): Promise<string> {
  if (program.stdout === null) throw new Error("it has no output");
  const lines = createInterface({ input: program.stdout });
  for await (const line of lines) {
    if (!line.startsWith("http://")) continue;
    program.stdout.resume();
    return line;
  }
  throw new Error("the program ended before it told its link");
}

async function end(program: ChildProcess): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, "exit");
  program.kill("SIGTERM");
  const patience = setTimeout(() => program.kill("SIGKILL"), 15_000);
  await ended;
  clearTimeout(patience);
}
