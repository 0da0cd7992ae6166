import type { Clock } from "../../src/env/clock.ts";
import type { DatagramHandler, DatagramSocket, Endpoint, IpFamily } from "../../src/env/datagram.ts";
import { MAX_DATAGRAM_SIZE } from "../../src/env/datagram.ts";
import type { Random } from "../../src/env/random.ts";
import { suppliedRandom } from "../../src/node/random.ts";
import { makeEndpoint } from "../../src/util/endpoint.ts";

/** What instances on Node draw from. */
export const random: Random = suppliedRandom();

/** A clock whose time stands still until it is set forward. Its timers never fire. */
export interface StillClock extends Clock {
  now: number;
}

export function stillClock(): StillClock {
  return {
    now: 1_000_000,
    monotonic() {
      return this.now;
    },
    wall() {
      return 1_700_000_000;
    },
    at: () => () => {},
  };
}

/** A socket that costs nothing: one buffer, and what is sent is seen by `onSent` alone. */
export class QuietSocket implements DatagramSocket {
  readonly family: IpFamily = 4;
  readonly port = 33445;
  onDatagram: DatagramHandler | undefined;
  onWritable: (() => void) | undefined;
  onSent: ((bytes: Uint8Array, length: number, to: Endpoint) => void) | undefined;
  readonly #buffer = new Uint8Array(MAX_DATAGRAM_SIZE);

  acquire(): Uint8Array {
    return this.#buffer;
  }

  release(_buffer: Uint8Array): void {}

  send(buffer: Uint8Array, length: number, to: Endpoint): boolean {
    this.onSent?.(buffer, length, to);
    return true;
  }

  close(): void {}
}

/** An address in a network (/24) of its own. Nothing is ever sent there. */
export function endpointOf(number: number, port = 33445): Endpoint {
  return makeEndpoint(Uint8Array.of(11 + (number >> 16), (number >> 8) & 0xff, number & 0xff, 1), port);
}
