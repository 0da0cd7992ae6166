import { existsSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { type FileTransfer, type Friend, type Tox, ToxError, type ToxEvents } from "../index.ts";
import { fileSink, openFileSource } from "../node/index.ts";
import type { ChatScreen } from "./chat_screen.ts";
import { safeText } from "./safe_text.ts";

type FileOffer = ToxEvents["fileOffer"];

/** Offers that wait for an answer; the oldest is rejected beyond that. */
const MAX_PENDING_OFFERS = 64;

export interface ChatFilesOptions {
  readonly tox: Tox;
  readonly screen: ChatScreen;
  /** To whom plain lines go. Throws where there is nobody. */
  readonly partner: () => Friend;
  readonly label: (friend: Friend) => string;
}

/** Files in `chat`: sends them, shows offers, and takes them into the current folder. */
export class ChatFiles {
  readonly #options: ChatFilesOptions;
  readonly #offers: FileOffer[] = []; // MAX_PENDING_OFFERS

  constructor(options: ChatFilesOptions) {
    this.#options = options;
    options.tox.on("fileOffer", (offer) => this.#offered(offer));
    options.tox.on("fileResumed", ({ transfer }) => {
      this.#print(`* ${nameOf(transfer)} goes on`);
      this.#watch(transfer);
    });
  }

  async send(path: string): Promise<void> {
    const friend = this.#options.partner();
    const transfer = friend.sendFile(await openFileSource(path));
    this.#print(`* offered ${nameOf(transfer)} to ${this.#options.label(friend)}`);
    this.#watch(transfer);
  }

  /** `argument`: which offer, and where to, both of which may be left out. */
  take(argument: string): void {
    const [, number = "", path = ""] = /^(\d*)\s*(.*)$/.exec(argument) ?? [];
    const offer = this.#offerAt(number);
    const place = freeName(path === "" ? offer.name : path);
    const transfer = offer.accept(fileSink(place));
    this.#offers.splice(this.#offers.indexOf(offer), 1);
    this.#print(`* receiving ${safeText(basename(place))}`);
    this.#watch(transfer, place);
  }

  reject(argument: string): void {
    const offer = this.#offerAt(argument);
    this.#offers.splice(this.#offers.indexOf(offer), 1);
    offer.reject();
    this.#print(`* ${safeText(offer.name)} was refused`);
  }

  list(): void {
    const { fileTransfers } = this.#options.tox;
    if (fileTransfers.length + this.#offers.length === 0) this.#print("No files are on their way.");
    for (const [at, offer] of this.#offers.entries()) {
      this.#print(
        `  offer ${at + 1}  ${safeText(offer.name)} (${sizeText(offer.size)}) of ${this.#options.label(offer.friend)}`,
      );
    }
    for (const [at, transfer] of fileTransfers.entries()) {
      const { direction, friend, state, bytes, size, secondsLeft } = transfer;
      const way = direction === "send" ? "to" : "of";
      const left = secondsLeft === undefined ? "" : `, ${Math.ceil(secondsLeft)} s left`;
      const progress = `${state}, ${sizeText(bytes)} of ${sizeText(size)}${left}`;
      this.#print(`  ${at + 1}  ${nameOf(transfer)} ${way} ${this.#options.label(friend)}: ${progress}`);
    }
  }

  cancel(argument: string): void {
    this.#transferAt(argument).cancel();
  }

  pause(argument: string): void {
    this.#transferAt(argument).pause();
  }

  resume(argument: string): void {
    this.#transferAt(argument).resume();
  }

  #offered(offer: FileOffer): void {
    if (this.#offers.length >= MAX_PENDING_OFFERS) this.#offers.shift()?.reject();
    this.#offers.push(offer);
    const { friend, name, size } = offer;
    this.#print(`* ${this.#options.label(friend)} offers ${safeText(name)} (${sizeText(size)})`);
    this.#print(`  /take ${this.#offers.length} takes it into this folder`);
    void offer.transfer.done.then(({ state }) => {
      const at = this.#offers.indexOf(offer);
      if (at < 0) return;
      this.#offers.splice(at, 1);
      if (state === "cancelled") this.#print(`* ${safeText(name)} is not offered any more`);
    });
  }

  #offerAt(number: string): FileOffer {
    const offer = this.#offers[number.trim() === "" ? 0 : Number(number) - 1];
    if (offer === undefined) throw new ToxError("unknown-file", "There is no such offer. /files lists them.");
    return offer;
  }

  #transferAt(number: string): FileTransfer {
    const transfer = this.#options.tox.fileTransfers[number.trim() === "" ? 0 : Number(number) - 1];
    if (transfer === undefined) throw new ToxError("unknown-file", "There is no such file. /files lists them.");
    return transfer;
  }

  #watch(transfer: FileTransfer, place?: string): void {
    transfer.on("state", ({ state }) => {
      if (state === "interrupted")
        this.#print(`* ${nameOf(transfer)} waits for ${this.#options.label(transfer.friend)}`);
    });
    void transfer.done.then((outcome) => {
      const name = place === undefined ? nameOf(transfer) : safeText(place);
      if (outcome.state === "done") {
        this.#print(
          `* ${name} ${transfer.direction === "send" ? "was sent" : "is there"} (${sizeText(transfer.bytes)})`,
        );
      } else if (outcome.state === "failed") {
        this.#print(`* ${name} failed: ${safeText(outcome.message)}`);
      } else if (outcome.state === "cancelled") {
        this.#print(`* ${name} was given up by ${outcome.by === "us" ? "you" : this.#options.label(transfer.friend)}`);
      }
    });
  }

  #print(line: string): void {
    this.#options.screen.print(line);
  }
}

/** The name itself, or with a number where a file has it already. */
function freeName(name: string): string {
  const ending = extname(name);
  const stem = name.slice(0, name.length - ending.length);
  let free = name;
  for (let number = 2; existsSync(free) || existsSync(`${free}.part`); number++) free = `${stem} (${number})${ending}`;
  return resolve(free);
}

function nameOf({ name, size }: FileTransfer): string {
  return `${safeText(name)} (${sizeText(size)})`;
}

function sizeText(size: number | undefined): string {
  if (size === undefined) return "size not known";
  if (size < 1024) return `${size} B`;
  return size < 1024 * 1024 ? `${(size / 1024).toFixed(1)} KiB` : `${(size / 1024 / 1024).toFixed(1)} MiB`;
}
