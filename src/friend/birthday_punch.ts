import type { Cancel, Clock } from "../env/clock.ts";
import type { DatagramSocket, Endpoint } from "../env/datagram.ts";
import type { Metrics } from "../env/metrics.ts";
import type { Random } from "../env/random.ts";
import { makeEndpoint } from "../util/endpoint.ts";
import { randomBelow } from "../util/random_numbers.ts";
import { TokenBucket } from "../util/token_bucket.ts";
import type { Drop } from "../wire/drop.ts";
import {
  Capability,
  decodeNatReport,
  decodePunchReady,
  ExtensionSubtype,
  encodeNatReport,
  encodePunchReady,
  type NatKind,
} from "../wire/friend/extension.ts";
import type { ExtensionExtras } from "./extension_extras.ts";
import type { FriendLookup, FriendSession, FriendSockets } from "./ports.ts";

/** Sockets that the side behind random ports opens, each of which its router gives a port. */
const SOCKETS = 256;
/** Ports that the other side tries: with 256 of 64,512 open, one is hit with 99.6 % probability. */
const PROBES = 1_400;
const LOWEST_PORT = 1024;
const PORTS = 65_536 - LOWEST_PORT;
/** Sent together, so often (ms): 200 probes a second. Openers leave at the same pace but in larger lots. */
const TICK = 50;
const PROBES_A_TICK = 10;
const OPENERS_A_TICK = 64;
/** The sockets stay open for as long as the other side probes, and a little longer. */
const WAIT_FOR_PROBES = (PROBES / PROBES_A_TICK) * TICK + 2_000;
/** Plain hole punching has so long (ms) before this is begun. */
const GRACE = 2_000;
/** How often it is looked whether both sides' routers are known: at first, and later. */
const LOOK_INTERVAL = 1_000;
const LATER_INTERVAL = 30_000;
const QUICK_LOOKS = 20;
/** Before it is tried again, in ms. */
const PAUSES = [20_000, 120_000, 600_000];
/** Of all friends together: at once, and ms a campaign in the long run. */
const CAMPAIGNS = 4;
const CAMPAIGN_INTERVAL = 60_000;

/** What the punching of all friends shares: one campaign at a time, and not many. */
export class PunchingOffice {
  readonly sockets: FriendSockets;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly #bucket = new TokenBucket(CAMPAIGNS, CAMPAIGN_INTERVAL);
  #busy = false;

  constructor(sockets: FriendSockets, clock: Clock, random: Random, metrics: Metrics) {
    this.sockets = sockets;
    this.clock = clock;
    this.random = random;
    this.metrics = metrics;
  }

  /** Whether a campaign may begin now; then `end` must follow. */
  begin(): boolean {
    if (this.#busy || !this.#bucket.take(this.clock.monotonic())) return false;
    this.#busy = true;
    this.metrics.count("friend.punch.campaigns");
    return true;
  }

  end(): void {
    this.#busy = false;
  }
}

/** A direct way that has served for so long, in ms, makes up for the tries that it took. */
const LASTING = 300_000;

/** What punching asks of its friend connection. */
export interface PunchHost {
  /** What others see his router do. */
  seenAs(): ReturnType<FriendLookup["seenAs"]>;
  /** The session, if it is established. */
  session(): FriendSession | undefined;
  send(packet: Uint8Array): boolean;
  readonly drop: Drop;
}

/**
 * Finds a direct way to a friend of whom, or for whom, a router gives out random ports. Each tells the other what he sees of
 * his router. The one behind random ports opens many sockets towards the other's one address, so that his router has as many
 * ports open for it; the other tries ports at random until one is hit: the birthday bound. Between our own peers only, over
 * the relay that they have; docs/extensions.md.
 */
export class BirthdayPunch implements ExtensionExtras {
  readonly capabilities = Capability.BirthdayPunch;
  readonly #office: PunchingOffice;
  readonly #host: PunchHost;
  #on = false;
  #told: NatKind | undefined;
  /** What he sees of our router. */
  #ownKind: NatKind = "unknown";
  #looks = 0;
  #attempts = 0;
  #directSince: number | undefined;
  #notBefore = 0;
  #timer: Cancel | undefined;
  #campaign: Cancel | undefined;
  #sockets: DatagramSocket[] = []; // bounded by SOCKETS

  constructor(office: PunchingOffice, host: PunchHost) {
    this.#office = office;
    this.#host = host;
  }

  peerHas(capabilities: number): void {
    if ((capabilities & Capability.BirthdayPunch) === 0 || this.#on) return;
    this.#on = true;
    this.#looks = 0;
    this.#arm(GRACE);
  }

  handle(packet: Uint8Array): boolean {
    const { drop } = this.#host;
    if (packet[1] === ExtensionSubtype.NatReport) {
      const kind = decodeNatReport(packet, drop);
      if (!this.#on) drop("unsolicited");
      else this.#ownKind = kind ?? this.#ownKind;
      if (this.#timer !== undefined) this.#arm(0);
    } else if (packet[1] === ExtensionSubtype.PunchReady) {
      if ((decodePunchReady(packet, drop) ?? 0) > 0) this.#probe();
    } else {
      return false;
    }
    return true;
  }

  /** The session may have found, or lost, a direct way. */
  pathChanged(): void {
    if (!this.#on) return;
    if (this.#isDirect()) {
      if (this.#campaign !== undefined) this.#office.metrics.count("friend.punch.succeeded");
      this.#endCampaign();
      this.#directSince ??= this.#office.clock.monotonic();
      this.#arm(undefined);
    } else if (this.#timer === undefined) {
      if (this.#office.clock.monotonic() >= (this.#directSince ?? Number.POSITIVE_INFINITY) + LASTING)
        this.#attempts = 0;
      this.#directSince = undefined;
      this.#closeSockets();
      this.#looks = 0;
      this.#told = undefined;
      this.#arm(GRACE);
    }
  }

  /** The session is gone. */
  stop(): void {
    this.#on = false;
    this.#told = undefined;
    this.#ownKind = "unknown";
    this.#arm(undefined);
    this.#endCampaign();
    this.#closeSockets();
  }

  #arm(wait: number | undefined): void {
    const { clock } = this.#office;
    this.#timer?.();
    this.#timer = undefined;
    if (wait === undefined) return;
    this.#timer = clock.at(clock.monotonic() + wait, () => {
      this.#timer = undefined;
      this.#look();
    });
  }

  #look(): void {
    if (!this.#on || this.#isDirect()) return;
    const seen = this.#host.seenAs();
    const kind = seen?.kind ?? "unknown";
    if (kind !== this.#told && this.#host.send(encodeNatReport(kind))) this.#told = kind;
    if (this.#ownKind === "random" && seen?.kind === "stable") this.#open(seen.endpoint);
    this.#arm(++this.#looks < QUICK_LOOKS ? LOOK_INTERVAL : LATER_INTERVAL);
  }

  /** Behind random ports: opens many towards his address, and says so. */
  #open(endpoint: Endpoint): void {
    if (!this.#mayBegin()) return;
    let over = false;
    this.#campaign = () => {
      over = true;
    };
    void this.#office.sockets.openMore(SOCKETS).then((sockets) => {
      if (over) {
        for (const socket of sockets) this.#office.sockets.closeSocket(socket);
        return;
      }
      this.#sockets = sockets;
      let sent = 0;
      this.#everyTick(() => {
        for (const socket of sockets.slice(sent, sent + OPENERS_A_TICK)) this.#host.session()?.sayAt(endpoint, socket);
        sent += OPENERS_A_TICK;
        if (sent < sockets.length) return true;
        this.#host.send(encodePunchReady(sockets.length));
        this.#after(WAIT_FOR_PROBES, () => {
          this.#endCampaign();
          this.#closeSockets();
        });
        return false;
      });
    });
  }

  /** Behind one port for all: tries ports of his router, each once. Where it is, is not for him to say. */
  #probe(): void {
    const seen = this.#host.seenAs();
    if (!this.#on || this.#isDirect() || this.#ownKind !== "stable" || seen?.kind !== "random") return;
    if (!this.#mayBegin()) return;
    const { random, metrics } = this.#office;
    const tried = new Set<number>(); // bounded by PROBES
    this.#everyTick(() => {
      for (let i = 0; i < PROBES_A_TICK; i++) {
        let port = LOWEST_PORT + randomBelow(random, PORTS);
        while (tried.has(port)) port = LOWEST_PORT + randomBelow(random, PORTS);
        tried.add(port);
        this.#host.session()?.sayAt(makeEndpoint(seen.endpoint.address, port));
      }
      metrics.count("friend.punch.probes", PROBES_A_TICK);
      if (tried.size < PROBES) return true;
      this.#after(TICK, () => this.#endCampaign());
      return false;
    });
  }

  #mayBegin(): boolean {
    const now = this.#office.clock.monotonic();
    if (this.#campaign !== undefined || now < this.#notBefore || !this.#office.begin()) return false;
    this.#closeSockets();
    this.#notBefore = now + (PAUSES[Math.min(this.#attempts++, PAUSES.length - 1)] ?? 0);
    return true;
  }

  #everyTick(step: () => boolean): void {
    this.#after(TICK, () => {
      if (step()) this.#everyTick(step);
    });
  }

  /** The campaign's next step. */
  #after(wait: number, step: () => void): void {
    const { clock } = this.#office;
    this.#campaign = clock.at(clock.monotonic() + wait, step);
  }

  #endCampaign(): void {
    if (this.#campaign === undefined) return;
    this.#campaign();
    this.#campaign = undefined;
    this.#office.end();
    if (this.#isDirect()) this.#closeSockets(this.#host.session()?.socket);
  }

  #closeSockets(except?: DatagramSocket): void {
    for (const socket of this.#sockets) if (socket !== except) this.#office.sockets.closeSocket(socket);
    this.#sockets = this.#sockets.filter((socket) => socket === except);
  }

  #isDirect(): boolean {
    return this.#host.session()?.endpoint !== undefined;
  }
}
