import type { Clock } from "../../env/clock.ts";
import type { Logger } from "../../env/logger.ts";
import { Emitter, type Unsubscribe } from "../../util/emitter.ts";
import { Alarm } from "./alarm.ts";
import type { OnionConnection } from "./types.ts";

/** toxcore's ONION_OFFLINE_TIMEOUT in ms: time for a node to be asked until it is given up. */
const OFFLINE_TIMEOUT = 75_000;

export interface OnionStanding {
  /** How many announce nodes answer us, and how many of them keep our announcement. */
  standing(): { readonly live: number; readonly announced: number };
  /** What packets travel by. */
  transport(): "tcp" | "udp";
}

/** Says whether others can find us: answers come in, and half of the nodes that answer keep our announcement. */
export class OnionConnectionMonitor {
  readonly #clock: Clock;
  readonly #network: OnionStanding;
  readonly #events: Emitter<{ connection: OnionConnection }>;
  readonly #alarm: Alarm;
  #connection: OnionConnection = "none";

  constructor(clock: Clock, logger: Logger, network: OnionStanding) {
    this.#clock = clock;
    this.#network = network;
    this.#events = new Emitter(logger);
    this.#alarm = new Alarm(clock, () => this.#change("none"));
  }

  get connection(): OnionConnection {
    return this.#connection;
  }

  on(listener: (connection: OnionConnection) => void): Unsubscribe {
    return this.#events.on("connection", listener);
  }

  /** An announce node has answered. */
  answered(): void {
    const { live, announced } = this.#network.standing();
    if (announced === 0 || announced < Math.floor(live / 2)) return;
    this.#alarm.set(this.#clock.monotonic() + OFFLINE_TIMEOUT);
    this.#change(this.#network.transport());
  }

  /** The network is gone. */
  lost(): void {
    this.#alarm.set(undefined);
    this.#change("none");
  }

  close(): void {
    this.#alarm.set(undefined);
    this.#events.removeAll();
  }

  #change(connection: OnionConnection): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#events.emit("connection", connection);
  }
}
