import type { Cancel, Clock } from "../../env/clock.ts";
import type { Endpoint } from "../../env/datagram.ts";
import type { Interfaces } from "../../env/interfaces.ts";
import type { Logger } from "../../env/logger.ts";
import type { Metrics } from "../../env/metrics.ts";
import type { MappedProtocol, PortMapping, ReachedAt } from "../../env/port_mapper.ts";
import { formatEndpoint, isLanAddress, makeEndpoint, sameEndpoint } from "../../util/endpoint.ts";
import type { Gateway, Grant } from "./gateway.ts";

/** Asked for, in s. A process that is killed leaves its ports open for as long, but for routers that map for ever only. */
const LIFETIME = 1_800;
/** Renewed after half of what is granted, but neither busily nor hardly ever: in ms. Routers forget when they restart. */
const LEAST_RENEWAL = 60_000;
const MOST_RENEWAL = (LIFETIME / 2) * 1000;
/** After a failure, in ms; doubled with each. */
const FIRST_RETRY = 60_000;
const LAST_RETRY = 3_600_000;
/** For one router to answer all of one request for a port, in ms. */
const PATIENCE = 10_000;
/** How long `close` may take, in ms. */
const CLOSE_PATIENCE = 1_000;

export interface RenewedMappingOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Routers are asked anew when the machine changes its network. */
  readonly interfaces?: Pick<Interfaces, "onChange">;
  /** Whom to ask, the best first. */
  gateways(signal: AbortSignal, onFailure: (reason: unknown) => undefined): AsyncIterable<Gateway>;
}

interface Wish {
  readonly protocol: MappedProtocol;
  readonly port: number;
  readonly onReached: ReachedAt | undefined;
  granted: number | undefined;
  external: Endpoint | undefined;
}

/** Keeps ports mapped, on the first router that grants one, until it is closed. */
export class RenewedMapping implements PortMapping {
  readonly #options: RenewedMappingOptions;
  readonly #wishes: Wish[] = []; // bounded by the app's own ports
  /** Ends the search for a router. */
  readonly #abort = new AbortController();
  /** Gives up the port that is being asked for. */
  #asking: AbortController | undefined;
  readonly #stopListening: (() => void) | undefined;
  #gateway: Gateway | undefined;
  #due: Cancel | undefined;
  #working: Promise<void> | undefined;
  /** Something came up while it worked: it is to begin anew. */
  #again = false;
  #retry = FIRST_RETRY;
  #closing: Promise<void> | undefined;
  /** `close` has resolved without waiting any longer. */
  #gone = false;

  constructor(options: RenewedMappingOptions) {
    this.#options = options;
    this.#stopListening = options.interfaces?.onChange(() => {
      this.#retry = FIRST_RETRY;
      this.#leave();
      this.#setDue(0);
    });
  }

  map(protocol: MappedProtocol, port: number, onReached?: ReachedAt): void {
    if (this.#closing !== undefined) return;
    this.#wishes.push({ protocol, port, onReached, granted: undefined, external: undefined });
    this.#setDue(0);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #setDue(inMs: number): void {
    const { clock } = this.#options;
    if (this.#closing !== undefined) return;
    if (this.#working !== undefined && inMs === 0) {
      this.#again = true;
      return;
    }
    this.#due?.();
    this.#due = clock.at(clock.monotonic() + inMs, () => {
      this.#working = this.#work()
        .catch((error) => {
          this.#options.logger.error("mapping ports failed", { reason: String(error) });
          return LAST_RETRY;
        })
        .then((failed) => {
          this.#working = undefined;
          if (this.#again) this.#setDue(0);
          else if (failed !== undefined) this.#setDue(failed);
          this.#again = false;
        });
    });
  }

  /** One round: all ports, on the router that we have or on the first that grants something. */
  async #work(): Promise<void> {
    const { logger, metrics } = this.#options;
    const { signal } = this.#abort;
    let renewal = this.#gateway && (await this.#mapAll(this.#gateway));
    if (renewal === undefined) {
      this.#leave();
      const onFailure = (reason: unknown): undefined => {
        logger.debug("a router cannot be asked", { reason: String(reason) });
      };
      for await (const gateway of this.#options.gateways(signal, onFailure)) {
        renewal = await this.#mapAll(gateway);
        if (this.#gone && renewal !== undefined) {
          await this.#abandon(gateway);
          return;
        }
        if (renewal !== undefined) {
          this.#gateway = gateway;
          break;
        }
        gateway.close();
      }
    }
    if (this.#closing !== undefined) return;
    metrics.gauge("portMapping.ports", this.#wishes.filter(({ granted }) => granted !== undefined).length);
    if (renewal !== undefined) {
      this.#retry = FIRST_RETRY;
      this.#setDue(renewal);
      return;
    }
    metrics.count("portMapping.failed");
    logger[this.#retry === FIRST_RETRY ? "warn" : "debug"]("no router maps our ports", { nextTryMs: this.#retry });
    this.#setDue(this.#retry);
    this.#retry = Math.min(this.#retry * 2, LAST_RETRY);
  }

  /** When to renew, in ms; undefined when nothing was granted. */
  async #mapAll(gateway: Gateway): Promise<number | undefined> {
    let renewal: number | undefined;
    for (const wish of [...this.#wishes]) {
      if (this.#closing !== undefined) break;
      const grant = await this.#mapOne(gateway, wish);
      if (grant === undefined) continue;
      const half = grant.lifetime === 0 ? MOST_RENEWAL : (grant.lifetime / 2) * 1000;
      renewal = Math.min(renewal ?? MOST_RENEWAL, Math.max(half, LEAST_RENEWAL));
    }
    return renewal;
  }

  async #mapOne(gateway: Gateway, wish: Wish): Promise<Grant | undefined> {
    const { logger, metrics } = this.#options;
    const { protocol, port } = wish;
    const { kind } = gateway;
    const asking = new AbortController();
    const timer = setTimeout(() => asking.abort(new Error("the router is too slow")), PATIENCE);
    this.#asking = asking;
    try {
      const grant = await gateway.map(protocol, port, LIFETIME, asking.signal);
      const { externalPort, externalAddress } = grant;
      if (!(externalPort >= 1 && externalPort <= 65_535)) throw new RangeError("the router names no port");
      metrics.count("portMapping.granted");
      const reached = externalAddress && isOuterAddress(externalAddress);
      const external = reached ? makeEndpoint(externalAddress, externalPort) : undefined;
      if (wish.granted !== externalPort || isChanged(wish, external)) {
        if (external)
          logger.info("the router maps a port", { kind, protocol, port, external: formatEndpoint(external) });
        else logger.warn("the router maps a port, but has no public address itself", { kind, protocol, port });
      }
      wish.granted = externalPort;
      this.#reached(wish, external);
      return grant;
    } catch (error) {
      metrics.count("portMapping.refused");
      logger.debug("a port was not mapped", { kind, protocol, port, reason: String(error) });
      wish.granted = undefined;
      this.#reached(wish, undefined);
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#asking = undefined;
    }
  }

  /** Forgets the router: it has refused or is silent, or we are in another network. */
  #leave(): void {
    this.#gateway?.close();
    this.#gateway = undefined;
    for (const wish of this.#wishes) {
      wish.granted = undefined;
      this.#reached(wish, undefined);
    }
  }

  #reached(wish: Wish, external: Endpoint | undefined): void {
    if (this.#closing !== undefined || !isChanged(wish, external)) return;
    wish.external = external;
    wish.onReached?.(external);
  }

  async #close(): Promise<void> {
    this.#stopListening?.();
    this.#due?.();
    this.#abort.abort(new Error("closed"));
    const over = Promise.withResolvers<void>();
    const deadline = new AbortController();
    const timer = setTimeout(() => {
      deadline.abort(new Error("the router is too slow"));
      this.#asking?.abort(new Error("closed"));
      over.resolve();
    }, CLOSE_PATIENCE);
    await Promise.race([this.#giveBack(deadline.signal), over.promise]);
    clearTimeout(timer);
    this.#gone = true;
    this.#gateway?.close();
    this.#gateway = undefined;
  }

  /** Nobody waits for this router any more: it is told once that we leave. */
  async #abandon(gateway: Gateway): Promise<void> {
    await this.#unmapAll(gateway, AbortSignal.timeout(CLOSE_PATIENCE));
    gateway.close();
  }

  /** A port that is being asked for may be granted yet: that is waited for, so that it does not stay open. */
  async #giveBack(signal: AbortSignal): Promise<void> {
    await this.#working;
    if (this.#gateway !== undefined && !this.#gone) await this.#unmapAll(this.#gateway, signal);
  }

  async #unmapAll(gateway: Gateway, signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#wishes.map(async ({ protocol, port, granted }) => {
        if (granted === undefined) return;
        try {
          await gateway.unmap(protocol, port, granted, signal);
          this.#options.metrics.count("portMapping.unmapped");
        } catch (error) {
          this.#options.logger.debug("a port was not given back", { protocol, port, reason: String(error) });
        }
      }),
    );
  }
}

function isChanged({ external: before }: Wish, external: Endpoint | undefined): boolean {
  return before === undefined || external === undefined ? before !== external : !sameEndpoint(before, external);
}

/** Where somebody far away can send to, as far as the address tells. */
function isOuterAddress(address: Uint8Array): boolean {
  const first = address[0] ?? 0;
  return address.length === 4 && first !== 0 && first < 224 && !isLanAddress(address);
}
