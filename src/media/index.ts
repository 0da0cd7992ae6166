/** `toxcore-ts/media`: calls with built-in codecs, sources and sinks. What is heavy is loaded when it is asked for. */
export * from "../node/media/index.ts";
export { CallMedia, type CallMediaOptions } from "./call_media.ts";
export type { SeenPicture } from "./watching.ts";
