/** A call with a friend who says whatever a program tells him, while our app talks, pauses and mutes. */
import { encodeAudioPayload } from "../../src/wire/av/audio_payload.ts";
import { decodeBandwidthReport, encodeBandwidthReport } from "../../src/wire/av/bandwidth_report.ts";
import {
  decodeMediaReport,
  decodeVideoRepair,
  encodeMediaReport,
  encodeVideoRepair,
} from "../../src/wire/av/call_feedback.ts";
import { decodeMsi, encodeMsi } from "../../src/wire/av/msi.ts";
import { decodeRtpPiece, encodeRtpPiece } from "../../src/wire/av/rtp.ts";
import { ignoreDrop } from "../../src/wire/drop.ts";
import { opusFrame, vp8Frame } from "../../test/support/callers.ts";
import { Line } from "../../test/unit/av/line.ts";
import { expectThat } from "../support/broken.ts";
import { Program, program, repeated, step } from "../support/program.ts";

const ALL = 60;
const REQUESTS = ["init", "push", "pop"] as const;
const ERRORS = [undefined, undefined, "invalid-state", "undisclosed"] as const;
const CAPABILITIES = [undefined, 0, 4, 20, 52, ALL, 255] as const;
const SIZES = [1, 100, 1292, 1293, 3000, 70_000];
/** Frames, events and packets that any program of the fuzzer's lengths may cause. */
const MOST = 100_000;

export function fuzz(data: Uint8Array): void {
  const code = new Program(data);
  const line = new Line(code.flag() ? ALL : undefined, { ours: code.flag() });
  let told = 0;
  const tell = () => void told++;
  line.call.audio.on("frame", tell);
  line.call.audio.on("lost", tell);
  line.call.video.on("frame", tell);
  line.call.video.on("lost", tell);
  for (let next = code.step(ACTIONS.length); next !== undefined; next = code.step(ACTIONS.length)) {
    ACTIONS[next]?.(line, code);
  }
  expectThat(told < MOST && line.sent.length < MOST, "it is told, or sent, more than there can be");
  line.call.hangUp();
  expectThat(line.over && line.call.state === "ended", "a call that was hung up goes on");
  line.pass(10_000);
  expectThat(line.timeline.size === 0, "a call that is over has timers");
}

type Action = (line: Line, code: Program) => void;

const ACTIONS: readonly Action[] = [
  (line, code) => line.pass(20 * code.byte()),
  (line, code) => {
    const capabilities = code.pick(CAPABILITIES);
    const error = code.pick(ERRORS);
    const message = {
      request: code.pick(REQUESTS),
      ...(capabilities !== undefined && { capabilities }),
      ...(error !== undefined && { error }),
    };
    const heard = decodeMsi(code.damaged(encodeMsi(message)), ignoreDrop);
    if (heard) line.call.handleSignal(heard);
  },
  (line, code) => {
    const [kind, size] = [code.flag() ? ("audio" as const) : ("video" as const), code.pick(SIZES)];
    const data =
      kind === "audio"
        ? encodeAudioPayload(48_000, opusFrame(1, Math.max(size, 5)))
        : vp8Frame(1, code.flag(), size + 14);
    const sequence = (code.byte() << 8) | code.byte();
    const timestamp = code.byte() * 2 ** (4 * (code.byte() & 7));
    const offset = Math.min(1292 * (code.byte() & 7), data.length - 1);
    const packet = encodeRtpPiece({ kind, sequence, timestamp, ssrc: 0, keyFrame: code.flag(), data }, offset);
    const piece = decodeRtpPiece(code.damaged(packet), ignoreDrop);
    if (piece) line.call.handleMedia(piece);
  },
  (line, code) => {
    const missing = [{ sequence: code.byte(), piece: code.flag() ? undefined : code.byte() }];
    const heard = decodeVideoRepair(code.damaged(encodeVideoRepair(missing)), ignoreDrop);
    if (heard) line.call.handleRepair(heard);
    line.call.handleKeyFrameRequest();
  },
  (line, code) => {
    const counts = { received: code.byte(), lost: code.byte() };
    const report = { audio: counts, video: counts, queueing: 4 * code.byte() };
    const heard = decodeMediaReport(code.damaged(encodeMediaReport(report)), ignoreDrop);
    if (heard) line.call.handleMediaReport(heard);
    const bandwidth = decodeBandwidthReport(code.damaged(encodeBandwidthReport(counts)), ignoreDrop);
    if (bandwidth) line.call.handleBandwidthReport(bandwidth);
  },
  (line, code) => line.call.answer({ video: code.flag() }),
  (line, code) => (code.flag() ? line.call.pause() : line.call.resume()),
  (line, code) => {
    line.call.audio.receiving = code.flag();
    line.call.video.receiving = code.flag();
    line.call.video.sending = code.flag();
  },
  (line, code) => {
    line.call.audio.send({ data: opusFrame(1), ...(code.flag() && { timestamp: 1e3 * code.byte() }) });
    line.call.video.send({ data: vp8Frame(1, code.flag(), code.pick(SIZES) + 14) });
  },
];

const Do = { Pass: 0, Signal: 1, Media: 2, Repair: 3, Report: 4, Answer: 5, Pause: 6, Wish: 7, Send: 8 } as const;

export function* corpus(): Iterable<Uint8Array> {
  const sound = (sequence: number) => step(Do.Media, 1, 1, 0, sequence, sequence, 1, 0, 0, 0);
  const picture = (sequence: number, at: number) => step(Do.Media, 0, 4, 1, 0, sequence, sequence, 1, at, 1, 0);
  const talk = [
    repeated(20, (i) => sound(i)),
    step(Do.Pass, 1),
    repeated(3, (i) => picture(i, 0)),
    picture(4, 1),
    step(Do.Pass, 20),
    repeated(5, () => step(Do.Send, 0, 1, 3)),
    step(Do.Repair, 0, 1, 0),
    step(Do.Report, 9, 9, 50, 0, 0),
  ];
  for (const flags of [step(1, 1), step(1, 0)]) {
    yield program(flags, step(Do.Answer, 1), ...talk, step(Do.Pause, 1), step(Do.Pause, 0), ...talk);
    yield program(flags, step(Do.Answer, 1), step(Do.Wish, 1, 0, 1), step(Do.Signal, 5, 0, 0, 0), ...talk);
  }
  yield program(
    step(0, 0),
    step(Do.Signal, 5, 0, 0, 0),
    step(Do.Signal, 0, 2, 2, 0),
    step(Do.Signal, 5, 0, 1, 0),
    ...talk,
  );
}
