/**
 * The other way to a page: WebCodecs there, one WebSocket between. A message is a byte that says what it is (0 sound, 1 a picture, 2 a key
 * frame is wanted, 3 the most that pictures may take, in bit/s), a time in ms (f64), and a frame.
 */
import type { WebSocket } from "ws";
import type { PageEvents, PageFrame, PageMedia } from "../../src/webrtc/index.ts";

const HEADER = 9;

export class WebSocketPage implements PageMedia {
  readonly connected = Promise.resolve(true);
  readonly closed: Promise<"closed" | "page-gone">;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, events: PageEvents) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve("page-gone")));
    socket.on("message", (message: Buffer) => {
      const frame = { timestamp: message.readDoubleBE(1), data: message.subarray(HEADER) };
      if (message[0] === 0) events.audio(frame);
      else if (message[0] === 1) events.video(frame);
      else events.keyFrameWanted();
    });
  }

  sendAudio(frame: PageFrame): void {
    this.#send(0, frame.timestamp, frame.data);
  }

  sendVideo(frame: PageFrame): void {
    this.#send(1, frame.timestamp, frame.data);
  }

  askKeyFrame(): void {
    this.#send(2, 0);
  }

  limitVideo(bitRate: number): void {
    this.#send(3, bitRate);
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  #send(kind: number, number: number, data: Uint8Array = new Uint8Array()): void {
    const message = Buffer.allocUnsafe(HEADER + data.length);
    message[0] = kind;
    message.writeDoubleBE(number, 1);
    message.set(data, HEADER);
    this.#socket.send(message);
  }
}
