import { type Call, type CallEnd, type Friend, type Tox, ToxError } from "../index.ts";
import {
  type AudioSink,
  type AudioSource,
  CallMedia,
  type CallMediaOptions,
  loudspeaker,
  microphone,
} from "../media/index.ts";
import { type NodeClock, nodeClock } from "../node/index.ts";
import type { ChatScreen } from "./chat_screen.ts";

export interface ChatCallsOptions {
  readonly tox: Tox;
  readonly screen: ChatScreen;
  /** To whom plain lines go. Throws where there is nobody. */
  readonly partner: () => Friend;
  readonly label: (friend: Friend) => string;
}

/** Calls in `chat`: sound through the programs that the machine has for it. Pictures are said to be there, and not shown. */
export class ChatCalls {
  readonly #options: ChatCallsOptions;

  constructor(options: ChatCallsOptions) {
    this.#options = options;
    options.tox.on("incomingCall", (call) => {
      const what = call.video.peer.sending ? "with a picture, which is not shown here" : "";
      this.#print(`* ${this.#label(call)} calls ${what}`.trimEnd());
      this.#print("  /answer takes the call, /hangup rejects it");
      this.#watch(call);
    });
  }

  /** Calls the friend to whom plain lines go. */
  async call(): Promise<void> {
    const friend = this.#options.partner();
    await this.#withDevices(async (devices) => {
      const call = friend.call();
      this.#print(`* it rings at ${this.#options.label(friend)}; /hangup gives up`);
      this.#watch(call);
      await this.#connect(call, devices);
    });
  }

  /** Takes the call of the friend to whom plain lines go, or else the only one that rings. */
  async answer(): Promise<void> {
    const ringing = this.#expectCall(({ direction, state }) => direction === "incoming" && state === "ringing");
    await this.#withDevices(async (devices) => {
      if (ringing.state !== "ringing") throw new ToxError("no-call", "The call is over already.");
      ringing.answer();
      await this.#connect(ringing, devices);
    });
  }

  hangUp(): void {
    this.#expectCall(() => true).hangUp();
  }

  /** Turns our microphone off in the call, or on again. */
  mute(): void {
    const { audio } = this.#expectCall(({ state }) => state === "active" || state === "paused");
    audio.sending = !audio.sending;
    this.#print(audio.sending ? "* your microphone is on" : "* your microphone is off; /mute turns it on again");
  }

  #expectCall(fits: (call: Call) => boolean): Call {
    const calls = this.#options.tox.calls.filter(fits);
    const [only, ...others] = calls;
    if (only === undefined) throw new ToxError("no-call", "There is no such call. /call calls the friend you talk to.");
    if (others.length === 0) return only;
    const partner = this.#options.partner();
    const his = calls.find(({ friend }) => friend === partner);
    if (his === undefined) throw new ToxError("no-call", "There are several calls: choose the friend with /to first.");
    return his;
  }

  /** Without its codec there is no call. */
  async #connect(call: Call, devices: CallMediaOptions): Promise<void> {
    try {
      await CallMedia.start(call, devices);
    } catch (error) {
      call.hangUp();
      throw error;
    }
  }

  /** Opens what there is. Without a loudspeaker there is no call; without a microphone one listens. */
  async #withDevices(
    work: (devices: { audio?: AudioSource; audioSinks: readonly AudioSink[] }) => Promise<void>,
  ): Promise<void> {
    const clock: NodeClock = nodeClock();
    const sink = loudspeaker({ clock });
    const close = sink.close.bind(sink);
    sink.close = () => close().finally(() => clock.close());
    let source: AudioSource | undefined;
    try {
      source = await microphone().catch((error: unknown) => {
        this.#print(`* you can listen only: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      });
      await work({ ...(source && { audio: source }), audioSinks: [sink] });
    } catch (error) {
      await Promise.allSettled([source?.close?.(), sink.close()]);
      throw error;
    }
  }

  #watch(call: Call): void {
    const name = this.#label(call);
    call.on("state", ({ state }) => {
      if (state === "active") this.#print(`* you talk with ${name}; /hangup ends it, /mute turns your microphone off`);
      else if (state === "paused")
        this.#print(`* ${call.pausedBy === "us" ? "you have" : `${name} has`} paused the call`);
    });
    void call.ended.then((end) => this.#print(`* the call with ${name} is over${reasonOf(end, name)}`));
  }

  #label({ friend }: Call): string {
    return this.#options.label(friend);
  }

  #print(line: string): void {
    this.#options.screen.print(line);
  }
}

function reasonOf(end: CallEnd, name: string): string {
  switch (end.reason) {
    case "hung-up":
      return end.by === "them" ? `: ${name} hung up` : "";
    case "vanished":
      return `: ${name} is gone`;
    case "failed":
      return `: the other client cannot go on (${end.error})`;
    default:
      return "";
  }
}
