import type { PeerAv } from "./av.ts";
import type { Methods } from "./protocol.ts";

type AvMethod =
  | "call"
  | "answerCall"
  | "callControl"
  | "setBitRate"
  | "sendTone"
  | "stopTone"
  | "sendScale"
  | "stopScale"
  | "notesHeard"
  | "sendPicture"
  | "stopPicture"
  | "heard"
  | "seen"
  | "resetHeard";

type AvHandlers = { [M in AvMethod]: (params: Methods[M]["params"]) => Methods[M]["result"] };

/** What the parent may ask of calls; `av` throws when there is no ToxAV, `number` when there is no such friend. */
export function avHandlers(av: () => PeerAv, number: (friend: string) => number): AvHandlers {
  const done = (work: () => void): object => {
    work();
    return {};
  };
  return {
    call: (params) => done(() => av().call(number(params.friend), params)),
    answerCall: (params) => done(() => av().answer(number(params.friend), params)),
    callControl: (params) => done(() => av().control(number(params.friend), params)),
    setBitRate: (params) => done(() => av().setBitRate(number(params.friend), params)),
    sendTone: (params) => av().sendTone(number(params.friend), params),
    stopTone: ({ friend }) => av().stopTone(number(friend)),
    sendScale: ({ friend }) => av().sendScale(number(friend)),
    stopScale: ({ friend }) => av().stopScale(number(friend)),
    notesHeard: ({ friend }) => av().notesHeard(number(friend)),
    sendPicture: (params) => av().sendPicture(number(params.friend), params),
    stopPicture: ({ friend }) => av().stopPicture(number(friend)),
    heard: ({ friend }) => av().heard(number(friend)),
    seen: ({ friend }) => av().seen(number(friend)),
    resetHeard: ({ friend }) => done(() => av().resetHeard(number(friend))),
  };
}
