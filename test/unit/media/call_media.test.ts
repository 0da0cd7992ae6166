import { describe, expect, it } from "vitest";
import type { OpusCodec, Picture, Vp8Codec } from "../../../src/env/codec.ts";
import { type AudioSink, type AudioSource, CallMedia, type PictureSource } from "../../../src/media/index.ts";
import { opusFrame, vp8Frame } from "../../support/callers.ts";
import { Line } from "../av/line.ts";
import { pieceOf } from "../av/pieces.ts";

const SHAPE = { sampleRate: 48_000, channels: 1 } as const;
const PICTURE: Picture = {
  ...{ width: 2, height: 2, y: new Uint8Array(4), u: new Uint8Array(1), v: new Uint8Array(1) },
};

/** What was opened and not closed, by name. */
class Desk {
  readonly open = new Set<string>();
  decode: () => Promise<Picture | undefined> = async () => PICTURE;
  encode: () => Promise<{ data: Uint8Array; keyFrame: boolean } | undefined> = async () => ({
    ...{ data: vp8Frame(0, true), keyFrame: true },
  });
  keyFrames: boolean[] = [];

  #one<T extends object>(name: string, thing: T): T & { close(): Promise<void> } {
    this.open.add(name);
    return Object.assign(thing, {
      close: async () => {
        this.open.delete(name);
      },
    });
  }

  readonly opus: OpusCodec = {
    encoder: async () => this.#one("opus encoder", { encode: () => opusFrame(0), bitRate: 0, lossPercent: 0 }) as never,
    decoder: async () =>
      this.#one("opus decoder", {
        decode: () => new Int16Array(960),
        conceal: () => new Int16Array(960),
        recover: () => new Int16Array(960),
      }) as never,
  };

  readonly vp8: Vp8Codec = {
    encoder: async () =>
      this.#one("vp8 encoder", {
        encode: (_: Picture, o?: { keyFrame?: boolean }) => {
          this.keyFrames.push(o?.keyFrame ?? false);
          return this.encode();
        },
        bitRate: 0,
      }),
    decoder: async () => this.#one("vp8 decoder", { decode: () => this.decode() }),
  };

  audio(read: () => Promise<Int16Array | undefined>): AudioSource {
    return this.#one("audio source", { ...SHAPE, read });
  }

  pictures(read: () => Promise<Picture | undefined>, frameRate = 200): PictureSource {
    return this.#one("video source", { kind: "pictures" as const, width: 2, height: 2, frameRate, read });
  }

  sink(): AudioSink {
    return this.#one("sink", { ...SHAPE, write: () => {} });
  }
}

function answered() {
  const line = new Line(60);
  line.call.answer({ video: true });
  return { line, call: line.call, desk: new Desk() };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));
const never = () => new Promise<undefined>(() => {});

async function until(fits: () => boolean): Promise<void> {
  while (!fits()) await turn();
}

describe("the media of a call", () => {
  it("that is over already are closed, all of them", async () => {
    const { call, desk } = answered();
    call.hangUp();
    const audio = desk.audio(async () => new Int16Array(960));
    await CallMedia.start(call, {
      ...{ audio, video: desk.pictures(async () => PICTURE), audioSinks: [desk.sink()], onPicture: () => {} },
      ...{ opus: desk.opus, vp8: desk.vp8 },
    });
    await until(() => desk.open.size === 0);
  });

  it("that ends while codecs are loaded are closed, all of them", async () => {
    const { call, desk } = answered();
    const loading = Promise.withResolvers<void>();
    const { encoder } = desk.opus;
    const opus: OpusCodec = {
      ...desk.opus,
      encoder: async (options) => {
        await loading.promise;
        return encoder(options);
      },
    };
    const audio = desk.audio(never);
    const start = CallMedia.start(call, { ...{ audio, audioSinks: [desk.sink()], opus } });
    await turn();
    call.hangUp();
    loading.resolve();
    await start;
    await until(() => desk.open.size === 0);
  });

  it("end although a source never answers", async () => {
    const { call, desk } = answered();
    const media = await CallMedia.start(call, {
      ...{ audio: desk.audio(never), video: desk.pictures(never), opus: desk.opus, vp8: desk.vp8 },
    });
    await turn();
    await media.close();
    expect([...desk.open]).toEqual([]);
    expect([await media.audioDone, await media.videoDone]).toEqual([{ reason: "stopped" }, { reason: "stopped" }]);
  });

  it("have one speaker at a time, and another after him", async () => {
    const { call, desk } = answered();
    const first = await CallMedia.start(call, { audio: desk.audio(never), opus: desk.opus });
    const other = new Desk();
    const refused = CallMedia.start(call, {
      ...{ audio: other.audio(never), audioSinks: [other.sink()], opus: other.opus },
    });
    await expect(refused).rejects.toMatchObject({ code: "invalid-argument" });
    expect([...other.open]).toEqual([]);
    await first.close();
    const third = await CallMedia.start(call, { audio: desk.audio(never), opus: desk.opus });
    await third.close();
  });
});

describe("pictures that come in", () => {
  it("may be thrown at by who looks at them: that ends nothing", async () => {
    const { call, desk } = answered();
    let seen = 0;
    const media = await CallMedia.start(call, {
      vp8: desk.vp8,
      onPicture: () => {
        if (++seen % 2 === 0) throw new Error("not nice");
        return Promise.reject(new Error("not nice either"));
      },
    });
    for (let i = 0; i < 6; i++) call.handleMedia(pieceOf("video", i, 33 * i, i === 0));
    await until(() => seen === 6);
    await turn();
    await media.close();
  });

  it("that cannot be decoded have a key frame asked for", async () => {
    const { line, call, desk } = answered();
    line.pass(1_000);
    desk.decode = async () => undefined;
    const media = await CallMedia.start(call, { vp8: desk.vp8, onPicture: () => {} });
    const asked = () => line.sent.filter((packet) => packet[0] === 150 && packet[1] === 8).length;
    call.handleMedia(pieceOf("video", 0, 0, true));
    await until(() => asked() === 1);
    await media.close();
  });
});

describe("pictures that go out", () => {
  it("begin with a key frame again where one was left out", async () => {
    const { call, desk } = answered();
    let sent = 0;
    call.video.send = () => ++sent > 3;
    const media = await CallMedia.start(call, { video: desk.pictures(async () => PICTURE), vp8: desk.vp8 });
    await until(() => desk.keyFrames.length > 8);
    expect(desk.keyFrames.slice(0, 3)).toContain(true);
    await media.close();
  });

  it("that no call takes end the source, with the reason", async () => {
    const { call, desk } = answered();
    desk.encode = async () => ({ data: new Uint8Array(2), keyFrame: true });
    const media = await CallMedia.start(call, { video: desk.pictures(async () => PICTURE), vp8: desk.vp8 });
    expect(await media.videoDone).toMatchObject({ reason: "failed", error: { code: "invalid-argument" } });
    await media.close();
    expect([...desk.open]).toEqual([]);
  });
});
