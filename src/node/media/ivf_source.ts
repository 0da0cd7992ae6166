import { ToxError } from "../../util/tox_error.ts";
import { decodeIvfHeader, IVF_FRAME_HEADER_SIZE, IVF_HEADER_SIZE, type IvfHeader } from "./ivf_header.ts";
import type { FrameSource, TimedFrame } from "./media.ts";
import { SequentialFile } from "./sequential_file.ts";

/** A longer frame is none: the largest picture has less. */
const MAX_FRAME_SIZE = 4 << 20;

/**
 * An IVF file with VP8 in it, as `vpxenc --ivf` and `ffmpeg` write it; read as it is played. What is cut off at the end is left
 * out. Rejects with `invalid-argument` for what is not such a file.
 */
export async function ivfSource(path: string): Promise<FrameSource> {
  const file = await SequentialFile.open(path);
  const header = decodeIvfHeader(await file.take(IVF_HEADER_SIZE));
  if (header === undefined || !isFit(header)) {
    await file.close();
    throw new ToxError("invalid-argument", `The file ${path} cannot be shown: give an IVF file with VP8.`);
  }
  file.skip(header.size - IVF_HEADER_SIZE);
  return new IvfSource(file, header);
}

class IvfSource implements FrameSource {
  readonly kind = "frames";
  readonly #file: SequentialFile;
  /** Of one unit of time, in ms. */
  readonly #unit: number;
  #last = 0;

  constructor(file: SequentialFile, { unitsPerSecond: { over, under } }: IvfHeader) {
    this.#file = file;
    this.#unit = (1000 * under) / over;
  }

  async read(): Promise<TimedFrame | undefined> {
    const header = await this.#file.take(IVF_FRAME_HEADER_SIZE);
    if (header.length < IVF_FRAME_HEADER_SIZE) return undefined;
    const view = new DataView(header.buffer, header.byteOffset);
    const size = view.getUint32(0, true);
    if (size > MAX_FRAME_SIZE) return undefined;
    const data = await this.#file.take(size);
    if (data.length < size) return undefined;
    this.#last = Math.max(this.#last, Number(view.getBigUint64(4, true)) * this.#unit);
    return { data, timestamp: this.#last };
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

function isFit({ codec, size, unitsPerSecond: { over, under } }: IvfHeader): boolean {
  return codec === "VP80" && size >= IVF_HEADER_SIZE && over > 0 && under > 0;
}
