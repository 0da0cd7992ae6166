import { ToxError } from "../index.ts";

/** What a browser offers has some 6 KB. */
const MAX_OFFER = 64 << 10;
const MAX_LINES = 1_000;

/** Both lines belong to it: a browser keeps in step what is of one stream. */
const STREAM = "a=msid:friend";

/** How the page's encoders begin. */
export interface PageEncoding {
  /** Stereo, where the microphone has it. */
  readonly stereo: boolean;
  /** Nothing is sent in silences. */
  readonly dtx: boolean;
  /** How long one frame of sound is, in ms: 10, 20, 40 or 60. */
  readonly frameDuration: number;
  /** In bit/s. */
  readonly audioBitRate: number;
  readonly videoBitRate: number;
}

/**
 * An offer as we answer it: without the page's candidates, for it is the page that finds us, and looking up their names would leave this
 * machine. Throws `invalid-argument` for what is no offer of one line of sound and one of pictures.
 */
export function checkedOffer(offer: string): string {
  if (typeof offer !== "string" || offer.length > MAX_OFFER) throw refused("it is no text of at most 64 KiB");
  const lines = offer
    .split(/\r\n|\n|\r/)
    .filter((line) => !/^a=(candidate|end-of-candidates|ice-options)\b/.test(line));
  if (lines.length > MAX_LINES) throw refused(`it has more than ${MAX_LINES} lines`);
  if (lines[0] !== "v=0") throw refused("it does not begin with v=0");
  const media = lines.filter((line) => line.startsWith("m=")).map((line) => line.split(" ")[0]);
  if (media.length !== 2 || !media.includes("m=audio") || !media.includes("m=video")) {
    throw refused("it has not one line for sound and one for pictures");
  }
  if (!lines.some((line) => line.startsWith("a=fingerprint:"))) throw refused("it has no fingerprint");
  return lines.join("\r\n");
}

/**
 * Our answer, with what its maker has no options for, and without what it says too much of: other addresses of this machine, and feedback
 * for a congestion control of its own.
 */
export function finishedAnswer(answer: string, encoding: PageEncoding, addresses: readonly string[]): string {
  const lines = answer
    .split("\r\n")
    .filter((line) => !/^a=rtcp-fb:\d+ transport-cc/.test(line) && !isForeign(line, addresses));
  const opus = payloadType(lines, /^a=rtpmap:(\d+) opus\/48000/i);
  const vp8 = payloadType(lines, /^a=rtpmap:(\d+) VP8\/90000/i);
  if (opus === undefined || vp8 === undefined) throw refused("it has neither Opus nor VP8 in it, or only one of them");
  const ours = [`a=fmtp:${opus} `, `a=fmtp:${vp8} `, "a=ptime:", "a=maxptime:", "a=msid:"];
  return lines
    .filter((line) => !ours.some((prefix) => line.startsWith(prefix)))
    .flatMap((line) => {
      if (line.startsWith(`a=rtpmap:${opus} `)) return [line, ...opusLines(opus, encoding), `${STREAM} sound`];
      if (line.startsWith(`a=rtpmap:${vp8} `)) return [line, vp8Line(vp8, encoding), `${STREAM} pictures`];
      return [line];
    })
    .join("\r\n");
}

/** A constant rate, since lengths tell what is said (Opus knows no silences then); error correction, since the friend's way loses packets where the page's does not. */
function opusLines(payloadType: string, { stereo, dtx, frameDuration, audioBitRate }: PageEncoding): string[] {
  const flags = `useinbandfec=1;${dtx ? "usedtx=1" : "cbr=1"}${stereo ? ";stereo=1;sprop-stereo=1" : ""}`;
  const format = `a=fmtp:${payloadType} minptime=10;${flags};maxaveragebitrate=${Math.round(audioBitRate)}`;
  return [format, `a=ptime:${frameDuration}`];
}

/** In kbit/s. Without it a page begins with 300. */
function vp8Line(payloadType: string, { videoBitRate }: PageEncoding): string {
  return `a=fmtp:${payloadType} x-google-start-bitrate=${Math.round(videoBitRate / 1000)}`;
}

/** A candidate of an address that was not asked for. */
function isForeign(line: string, addresses: readonly string[]): boolean {
  return line.startsWith("a=candidate:") && !addresses.includes(line.split(" ")[4] ?? "");
}

function payloadType(lines: readonly string[], pattern: RegExp): string | undefined {
  return lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
}

function refused(why: string, cause?: unknown): ToxError {
  return new ToxError("invalid-argument", `Pass the offer that the page's RTCPeerConnection made: ${why}.`, { cause });
}

/** For what its reader throws. */
export function refusedOffer(error: unknown): ToxError {
  return error instanceof ToxError ? error : refused(error instanceof Error ? error.message : String(error), error);
}
