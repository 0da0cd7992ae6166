import { Calls } from "./av/calls.ts";
import type { Crypto } from "./crypto/crypto.ts";
import type { KeyPair } from "./crypto/keys.ts";
import type { SharedKeyCache } from "./crypto/shared_key_cache.ts";
import { Dht } from "./dht/dht.ts";
import type { StreamPort } from "./env/stream.ts";
import { Files } from "./files/files.ts";
import { Friends } from "./friend/friends.ts";
import { NetCrypto } from "./net_crypto/net_crypto.ts";
import { UdpNetwork } from "./network/udp_network.ts";
import { OnionClient } from "./onion/client/onion_client.ts";
import { OnionServer } from "./onion/server/onion_server.ts";
import { RelayPool } from "./relay/relay_pool.ts";
import { RelayServer } from "./relay/relay_server.ts";
import type { ToxEnv } from "./tox_env.ts";
import { dhtOptions, expectPort, type ToxOptions, udpOptions } from "./tox_options.ts";
import { makeEndpoint, parseAddress } from "./util/endpoint.ts";
import { randomU32 } from "./util/random_numbers.ts";
import { ToxError } from "./util/tox_error.ts";

/** The floors of one instance, from the sockets up. */
export interface Floors {
  readonly network: UdpNetwork;
  readonly dht: Dht;
  readonly onionServer: OnionServer;
  readonly relays: RelayPool | undefined;
  /** Ours, for others. */
  readonly relayServer: RelayServer | undefined;
  readonly onionClient: OnionClient;
  readonly netCrypto: NetCrypto;
  readonly friends: Friends;
  readonly files: Files;
  readonly calls: Calls;
}

/**
 * Opens the sockets and builds one floor on another; what is open is closed again when one fails, with its `ToxError`.
 */
export async function buildFloors(
  env: ToxEnv,
  crypto: Crypto,
  self: KeyPair,
  selfShared: SharedKeyCache,
  options: ToxOptions,
): Promise<Floors> {
  const ofDht = dhtOptions(env, options);
  const { clock, logger, metrics } = env;
  const network =
    options.udp === false
      ? new UdpNetwork([], metrics)
      : await UdpNetwork.bind(env.datagrams, udpOptions(options), metrics);
  const base = { network, clock, crypto, logger, metrics };
  const dht = new Dht({ ...base, ...ofDht });
  const onionServer = new OnionServer({ ...base, dht });
  const streams = env.streams && boundStreams(env.streams, options);
  const relays = streams && new RelayPool({ ...base, streams, self: dht.keyPair, sharedKeys: dht.sharedKeys });
  const onionClient = new OnionClient({ ...base, dht, self, ...(relays && { relays }) });
  const keys = { self, selfShared, dht: dht.keyPair, dhtShared: dht.sharedKeys };
  const netCrypto = new NetCrypto({ ...base, keys });
  const below = { network, dht, onionServer, relays, relayServer: undefined, onionClient, netCrypto };
  const relayServer = await openRelay(env, crypto, dht, onionServer, options).catch((error: unknown) => {
    closeLower(below);
    throw error;
  });
  if (relayServer !== undefined) announceOurRelay(relays, relayServer, options);
  const lower = { ...below, relayServer };
  const friends = await Friends.create({
    keys: self,
    finder: onionClient,
    lookups: dht,
    sessions: netCrypto,
    relays,
    ...(options.udp !== false && options.holePunching !== false && { sockets: network }),
    ...(options.store !== undefined && { store: options.store }),
    nospam: options.nospam ?? randomU32(crypto.random),
    clock,
    crypto,
    logger,
    metrics,
  }).catch((error: unknown) => {
    closeLower(lower); // the store cannot be read
    throw error;
  });
  const files = await Files.create({
    ...{ friends, clock, crypto, logger, metrics },
    store: options.store,
    port: env.files,
  }).catch(async (error: unknown) => {
    await friends.close();
    closeLower(lower);
    throw error;
  });
  const calls = new Calls({ friends, clock, crypto, logger, metrics });
  if (options.udp === false) relays?.need(true);
  if (relays) {
    relays.onPacket = (packet, path, peer) => netCrypto.receiveFromRelay(packet, path, peer);
    relays.onWritable = (peer) => netCrypto.onRelayWritable(peer);
  }
  netCrypto.onIncoming = (peer, dhtPublicKey) => friends.incoming(peer, dhtPublicKey);
  netCrypto.isWelcome = (peer) => friends.welcomes(peer);
  dht.hasFriends = onionServer.hasFriends = () => friends.count > 0;
  if (relayServer) relayServer.hasFriends = dht.hasFriends;
  netCrypto.isExpected = (dhtPublicKey) => dht.isLookedFor(dhtPublicKey);
  return { ...lower, friends, files, calls };
}

async function openRelay(
  { streams, clock, logger, metrics }: ToxEnv,
  crypto: Crypto,
  dht: Dht,
  onionServer: OnionServer,
  { relayPort, ipv4 = true, ipv6 = true, bindIpv4, bindIpv6 }: ToxOptions,
): Promise<RelayServer | undefined> {
  if (relayPort === undefined) return undefined;
  expectPort(relayPort, 0);
  if (streams === undefined) throw new ToxError("network-unavailable", "Leave out `relayPort`: there is no TCP here.");
  const server = new RelayServer({
    ...{ streams, clock, crypto, metrics, logger, ports: [relayPort], ipv4, ipv6, bindIpv4, bindIpv6 },
    keyPair: dht.keyPair,
    sharedKeys: dht.sharedKeys,
    onion: onionServer.relay,
    forwarding: dht.forwarder,
  });
  await server.listen();
  return server;
}

/** Friends are told of our own relay by its loopback address, as toxcore does: they know where we are. */
function announceOurRelay(
  relays: RelayPool | undefined,
  { ports }: RelayServer,
  { ipv4, bindIpv4, bindIpv6 }: ToxOptions,
): void {
  const [port = 0] = ports;
  const hasIpv4 = ipv4 !== false && (bindIpv4 !== undefined || bindIpv6 === undefined);
  const loopback = hasIpv4 ? "127.0.0.1" : "::1";
  const bound = hasIpv4 ? bindIpv4 : bindIpv6;
  const at = (address: string) => makeEndpoint(parseAddress(address) ?? new Uint8Array(4), port);
  relays?.addOurServer(at(bound === undefined || /^[0.:]+$/.test(bound) ? loopback : bound), at(loopback));
}

/** TCP that leaves by the addresses that were asked for, as UDP does. */
function boundStreams(streams: StreamPort, { bindIpv4, bindIpv6 }: ToxOptions): StreamPort {
  return {
    listen: (options) => streams.listen(options),
    connect: (to, options) => streams.connect(to, { ...options, fromIpv4: bindIpv4, fromIpv6: bindIpv6 }),
  };
}

export async function closeFloors({ calls, files, friends, ...lower }: Floors): Promise<void> {
  try {
    calls.close();
    const written = files.close();
    await friends.close();
    await written;
  } finally {
    closeLower(lower);
  }
}

function closeLower(lower: Omit<Floors, "friends" | "files" | "calls">): void {
  lower.netCrypto.close();
  lower.onionClient.close();
  lower.relays?.close();
  lower.relayServer?.close();
  lower.onionServer.close();
  lower.dht.close();
  lower.network.close();
}
