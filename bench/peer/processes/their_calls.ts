import type { EventEmitter } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { EventFields, HeardSound, SeenPicture, SentFrames } from "../../../test/interop/peer/protocol.ts";
import type { HeardNote } from "../../../test/interop/peer/scale.ts";
import { type CallOrders, FRAME_MS, type Sound, VIDEO_BIT_RATE } from "./call_orders.ts";
import { now } from "./orders.ts";

type Events = EventEmitter<{ [E in keyof EventFields]: [EventFields[E]] }>;
type Call = (method: string, params: object) => Promise<unknown>;

const TONE = 440;
const AUDIO_BIT_RATE = 48;
const POLL_MS = 20;
const ENDED = 1 | 2;

/** The calls of libtoxav, through what its test peer can do. */
export function theirCalls(call: Call, events: Events): CallOrders {
  const friends = new Set<string>(); // with whom there is a call
  let speaking: Sound | undefined;
  let countingFrom = now();

  const each = <T>(work: (friend: string) => Promise<T>) => Promise.all([...friends].map(work));
  const bitRates = (video: boolean) => ({
    audioBitRate: AUDIO_BIT_RATE,
    videoBitRate: video ? VIDEO_BIT_RATE / 1000 : 0,
  });
  const begin = async (friend: string, sound: Sound | undefined) => {
    friends.add(friend);
    if (sound === undefined) return;
    speaking = sound;
    if (sound === "notes") await call("sendScale", { friend });
    else await call("sendTone", { friend, hz: TONE, sampleRate: 48_000, channels: 1, frameMs: FRAME_MS });
  };
  events.on("callState", ({ friend, bits }) => {
    if ((bits & ENDED) !== 0) friends.delete(friend);
  });

  return {
    answerCalls({ sound, video = false }) {
      events.on("call", async ({ friend }) => {
        await call("resetHeard", { friend });
        await call("answerCall", { friend, ...bitRates(video) });
        await begin(friend, sound);
      });
    },

    async call({ sound, video = false }) {
      const { friends: known } = (await call("friends", {})) as { friends: string[] };
      const [friend] = known;
      if (friend === undefined) throw new Error("nobody is its friend");
      await call("resetHeard", { friend });
      const answered = Promise.withResolvers<void>();
      events.once("callState", () => answered.resolve(begin(friend, sound)));
      const at = now();
      await call("call", { friend, ...bitRates(video) });
      await answered.promise;
      return at;
    },

    async firstHeardAt() {
      for (;;) {
        for (const friend of friends) {
          const { firstAt } = (await call("heard", { friend })) as HeardSound;
          if (firstAt !== null) return firstAt;
        }
        await delay(POLL_MS);
      }
    },

    async speak(sound) {
      await each((friend) => begin(friend, sound));
    },

    async hush() {
      if (speaking === undefined) return [];
      const method = speaking === "notes" ? "stopScale" : "stopTone";
      speaking = undefined;
      const sent = await each((friend) => call(method, { friend }));
      return sent.flatMap((one) => (one as SentFrames).sentAt);
    },

    async show({ width, height, frameRate }) {
      await each((friend) => call("sendPicture", { friend, width, height, frameRate, rich: true }));
    },

    async hide() {
      const sent = (await each((friend) => call("stopPicture", { friend }))) as SentFrames[];
      return sent.flatMap(({ sentAt }) => sentAt);
    },

    async beginCounting() {
      countingFrom = now();
      await each((friend) => call("resetHeard", { friend }));
    },

    async counted() {
      const heard = (await each((friend) => call("heard", { friend }))) as HeardSound[];
      const seen = (await each((friend) => call("seen", { friend }))) as SeenPicture[];
      const notes = (await each((friend) => call("notesHeard", { friend }))) as { notes: HeardNote[] }[];
      const longest = (of: (one: HeardSound) => number) => Math.max(0, ...heard.map(of));
      return {
        frames: heard.reduce((sum, { frames }) => sum + frames, 0),
        firstAt: countingFrom,
        lastAt: now(),
        concealed: null,
        recovered: null,
        longestGapMs: longest(({ longestGapMs }) => longestGapMs),
        longestSilenceMs: longest(({ longestSilenceMs }) => longestSilenceMs),
        notes: notes.flatMap((one) => one.notes),
        delays: [],
        pictures: seen.reduce((sum, { frames, numbers }) => sum + (numbers > 0 ? numbers : frames), 0),
        damaged: null,
        pictureGapMs: Math.max(0, ...seen.map(({ longestGapMs }) => longestGapMs)),
      };
    },

    async hangUp() {
      await each((friend) => call("callControl", { friend, control: "cancel" }).catch(() => {}));
      friends.clear();
      speaking = undefined;
      await delay(200);
    },
  };
}
