/** A thread with one VP8 coder. An exception ends it: the codec's memory may be anything then, and `Vp8Thread` starts another. */
import { parentPort, workerData } from "node:worker_threads";
import { LibavVp8Decoder, LibavVp8Encoder, loadLibav } from "./libav_vp8.ts";
import { splitPlanes } from "./planes.ts";
import {
  type DecodeAnswer,
  type DecodeJob,
  type EncodeAnswer,
  type EncodeJob,
  READY,
  type Vp8ThreadOptions,
} from "./vp8_jobs.ts";

// What WebAssembly writes has no place among a program's own lines.
for (const stream of [process.stdout, process.stderr]) stream.write = () => true;

const port = parentPort;
if (port === null) throw new Error("This is run in a thread of its own.");
const options = workerData as Vp8ThreadOptions;
const av = await loadLibav();

if (options.role === "encoder") {
  const encoder = new LibavVp8Encoder(av, options.frameRate);
  port.on("message", ({ planes, bitRate, keyFrame, ...size }: EncodeJob) => {
    const frame = encoder.encode(splitPlanes(planes, size), bitRate, keyFrame);
    const given = [planes.buffer];
    if (frame) given.push(frame.data.buffer as ArrayBuffer);
    port.postMessage({ frame, planes } satisfies EncodeAnswer, given);
  });
} else {
  const decoder = new LibavVp8Decoder(av);
  port.on("message", ({ frame }: DecodeJob) => {
    const picture = decoder.decode(frame);
    port.postMessage({ picture } satisfies DecodeAnswer, picture ? [picture.y.buffer as ArrayBuffer] : []);
  });
}
port.postMessage(READY);
