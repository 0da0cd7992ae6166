import type { DatagramHandler, DatagramPort, DatagramSocket } from "../../src/core.ts";

/** What is lost on the way, while it is true. */
export interface Drops {
  coming: boolean;
  going: boolean;
}

/** The same sockets, on a way that can lose everything. */
export function droppable(port: DatagramPort, drops: Drops): DatagramPort {
  return {
    bind: async (options) => new DroppableSocket(await port.bind(options), drops),
  };
}

class DroppableSocket implements DatagramSocket {
  onDatagram: DatagramHandler | undefined;
  onWritable: (() => void) | undefined;
  readonly #socket: DatagramSocket;
  readonly #drops: Drops;

  constructor(socket: DatagramSocket, drops: Drops) {
    this.#socket = socket;
    this.#drops = drops;
    socket.onDatagram = (bytes, from) => {
      if (!drops.coming) this.onDatagram?.(bytes, from);
    };
    socket.onWritable = () => this.onWritable?.();
  }

  get family() {
    return this.#socket.family;
  }

  get port() {
    return this.#socket.port;
  }

  acquire(): Uint8Array {
    return this.#socket.acquire();
  }

  release(buffer: Uint8Array): void {
    this.#socket.release(buffer);
  }

  send(buffer: Uint8Array, length: number, to: Parameters<DatagramSocket["send"]>[2]): boolean {
    if (!this.#drops.going) return this.#socket.send(buffer, length, to);
    this.#socket.release(buffer);
    return true;
  }

  close(): void {
    this.#socket.close();
  }
}
