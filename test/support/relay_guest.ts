import { Crypto } from "../../src/crypto/crypto.ts";
import { asPublicKey, type KeyPair, type PublicKey } from "../../src/crypto/keys.ts";
import { SharedKeyCache } from "../../src/crypto/shared_key_cache.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import { RelayClient, type RelayClientListener } from "../../src/relay/relay_client.ts";
import type { SimHost } from "../../src/testing/index.ts";
import { fromHex } from "../../src/util/bytes.ts";
import { makeEndpoint, parseAddress } from "../../src/util/endpoint.ts";
import type { PublicNode, Story } from "./people.ts";

/** A host that is connected to one TCP relay and is nothing else: it notes what it is told there. */
export class RelayGuest implements RelayClientListener {
  readonly host: SimHost;
  readonly crypto: Crypto;
  readonly keyPair: KeyPair;
  relay: RelayClient;
  /** `ready`, `online`, `offline` or `closed` with its reason, in order. */
  readonly notices: string[] = []; // bounded by the test
  readonly packets: Uint8Array[] = []; // bounded by the test
  readonly outOfBand: { readonly from: PublicKey; readonly bytes: Uint8Array }[] = []; // bounded by the test
  readonly forwarded: Uint8Array[] = []; // bounded by the test
  readonly #connect: () => RelayClient;

  constructor(story: Story, name: string, { at }: PublicNode) {
    this.host = story.universe.host(name);
    const { clock, metrics, logger, streams, random } = this.host.edges;
    const crypto = new Crypto(sodiumProvider, random);
    this.crypto = crypto;
    this.keyPair = crypto.keyPair();
    const sharedKeys = new SharedKeyCache(crypto, this.keyPair.secretKey);
    const address = parseAddress(at.host) ?? new Uint8Array(4);
    const target = { publicKey: keyOf(at.publicKey), address: makeEndpoint(address, at.port) };
    const ports = { streams, clock, crypto, metrics, logger };
    this.#connect = () => new RelayClient({ ...ports, keyPair: this.keyPair, sharedKeys }, target, this);
    this.relay = this.#connect();
  }

  get publicKey(): PublicKey {
    return this.keyPair.publicKey;
  }

  onReady(): void {
    this.notices.push("ready");
  }

  onPeer(_relay: RelayClient, _peer: PublicKey, online: boolean): void {
    this.notices.push(online ? "online" : "offline");
  }

  onPacket(_relay: RelayClient, _peer: PublicKey, packet: Uint8Array): void {
    this.packets.push(packet.slice());
  }

  onOob(_relay: RelayClient, peer: PublicKey, packet: Uint8Array): void {
    this.outOfBand.push({ from: asPublicKey(peer.slice()), bytes: packet.slice() });
  }

  onOnionResponse(): void {}

  onForwarding(_relay: RelayClient, data: Uint8Array): void {
    this.forwarded.push(data.slice());
  }

  onWritable(): void {}

  /** Connects again, as long as it has never been connected. */
  onClosed(_relay: RelayClient, reason: string): void {
    if (this.notices.length === 0) this.relay = this.#connect();
    else this.notices.push(`closed ${reason}`);
  }

  close(): void {
    this.relay.close();
  }
}

export function keyOf(hex: string): PublicKey {
  const bytes = fromHex(hex);
  if (bytes?.length !== 32) throw new Error("This is no key.");
  return asPublicKey(bytes);
}
