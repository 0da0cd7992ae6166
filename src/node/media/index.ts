/** `toxcore-ts/media`: codecs in WebAssembly, and sources and sinks for calls. What is heavy is loaded when it is asked for. */
export { loadOpus } from "../codecs/opus.ts";
export { MAX_PICTURE_PIXELS } from "../codecs/planes.ts";
export { loadVp8 } from "../codecs/vp8.ts";
export type { RecordingOptions } from "./growing_file.ts";
export { ivfSource } from "./ivf_source.ts";
export { type LoudspeakerOptions, loudspeaker } from "./loudspeaker.ts";
export type {
  AudioShape,
  AudioSink,
  AudioSource,
  FrameSink,
  FrameSource,
  PictureSource,
  TimedFrame,
  VideoSource,
} from "./media.ts";
export { microphone } from "./microphone.ts";
export { openAudioSource, openVideoSource } from "./open_source.ts";
export {
  type AudioPumpOptions,
  type Feed,
  type Pump,
  type PumpEnd,
  pumpAudio,
  pumpFrames,
  pumpPictures,
} from "./pump.ts";
export { recordIvf, recordWav } from "./recorders.ts";
export type { SoundProgramOptions } from "./sound_program.ts";
export { TEST_PICTURE_LUMA, type TestPictureOptions, testPicture } from "./test_picture.ts";
export { type ToneOptions, toneSource } from "./tone.ts";
export { wavSource } from "./wav_source.ts";
