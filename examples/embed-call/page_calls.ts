import { type Call, type Tox, ToxError } from "toxcore-ts";
import { CallGateway } from "toxcore-ts/webrtc";

const GRACE = 10_000;
const LOOPBACK = "127.0.0.1";

export interface PageCallsOptions {
  /** Addresses of this machine at which pages find it, beside loopback. */
  readonly addresses?: readonly string[];
  /** How long a call waits for its page to come back, in ms; 10 s when left out. */
  readonly grace?: number;
}

/** One window, as far as calls go. */
export interface Page {
  /** Another window has taken the call over. */
  taken(friend: string): void;
}

interface Joined {
  readonly page: Page;
  readonly gateway: CallGateway;
}

/** Which page has which call, and what becomes of a call whose page is gone. */
export class PageCalls {
  readonly #tox: Tox;
  readonly #addresses: readonly string[];
  readonly #grace: number;
  readonly #pages = new Set<Page>(); // the server bounds them
  readonly #joined = new Map<Call, Joined>(); // one a friend
  readonly #waiting = new Map<Call, NodeJS.Timeout>(); // one a friend
  #last: Promise<unknown> = Promise.resolve();

  constructor(tox: Tox, { addresses = [], grace = GRACE }: PageCallsOptions = {}) {
    this.#tox = tox;
    this.#addresses = [LOOPBACK, ...addresses];
    this.#grace = grace;
  }

  add(page: Page): void {
    this.#pages.add(page);
  }

  /** The page has no connection any more: its calls wait for one that takes them. */
  async remove(page: Page): Promise<void> {
    this.#pages.delete(page);
    const left = [...this.#joined].filter(([, one]) => one.page === page);
    for (const [call] of left) this.#joined.delete(call);
    for (const call of this.#tox.calls) if (isOurs(call) && !this.#joined.has(call)) this.#wait(call);
    await Promise.all(left.map(([, { gateway }]) => gateway.close()));
  }

  /** Friends whose calls a page has. */
  get joined(): string[] {
    return [...this.#joined.keys()].map(({ friend }) => friend.publicKey);
  }

  /** Answers the page's offer, which takes the call from the page that has it. One after the other. */
  join(page: Page, friend: string, offer: string): Promise<{ sdp: string }> {
    const joining = this.#last.then(() => this.#join(page, friend, offer));
    this.#last = joining.catch(() => {});
    return joining;
  }

  async #join(page: Page, friend: string, offer: string): Promise<{ sdp: string }> {
    const call = this.#tox.calls.find((one) => one.friend.publicKey === friend);
    if (call === undefined) throw new ToxError("no-call", "There is no call with this friend: look at `calls`.");
    const before = this.#joined.get(call);
    const gateway = await CallGateway.open(call, offer, { addresses: this.#addresses });
    if (before !== undefined && before.page !== page) before.page.taken(friend);
    if (this.#pages.has(page)) {
      this.#joined.set(call, { page, gateway });
      clearTimeout(this.#waiting.get(call));
      this.#waiting.delete(call);
    }
    void gateway.closed.then(() => this.#left(call, gateway));
    if (!this.#pages.has(page)) await gateway.close(); // it went while its offer was answered
    return { sdp: gateway.answer };
  }

  #left(call: Call, gateway: CallGateway): void {
    if (this.#joined.get(call)?.gateway === gateway) this.#joined.delete(call);
    if (!this.#joined.has(call)) this.#wait(call);
  }

  #wait(call: Call): void {
    if (call.state === "ended" || this.#waiting.has(call)) return;
    const timer = setTimeout(() => call.hangUp(), this.#grace);
    this.#waiting.set(call, timer);
    void call.ended.then(() => {
      clearTimeout(timer);
      if (this.#waiting.get(call) === timer) this.#waiting.delete(call);
    });
  }
}

/** What rings for us may ring on: somebody may open a page. */
function isOurs({ direction, state }: Call): boolean {
  return direction === "outgoing" || state !== "ringing";
}
