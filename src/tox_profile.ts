import type { Crypto } from "./crypto/crypto.ts";
import type { KeyPair } from "./crypto/keys.ts";
import { keysOf, knownFriend, loadProfile, readProfile, savedFriend } from "./state/profile.ts";
import { ProfileKeeper } from "./state/profile_keeper.ts";
import { encodeSavedata, type Savedata } from "./state/savedata.ts";
import type { ToxEnv } from "./tox_env.ts";
import type { Floors } from "./tox_floors.ts";
import { secretKeyOf, type ToxOptions } from "./tox_options.ts";
import { sameBytes } from "./util/bytes.ts";
import { ToxError } from "./util/tox_error.ts";
import type { PackedNode } from "./wire/packed_node.ts";

/** Nodes of an earlier time that are asked for the way in: a few may be gone. */
const ASKED_NODES = 8;
/** So many of each kind are kept, about as toxcore does. */
const KEPT_NODES = 32;
const KEPT_RELAYS = 8;

/** The profile of one instance: read before its floors are built, given to them, and kept up to date in the store. */
export class ToxProfile {
  /** Who we are. The secret is the instance's to wipe. */
  readonly keys: KeyPair;
  /** As of the profile; undefined in a new one. */
  readonly nospam: number | undefined;
  readonly #env: ToxEnv;
  readonly #options: ToxOptions;
  #saved: Savedata | undefined;
  #floors: Floors | undefined;
  #keeper: ProfileKeeper | undefined;

  /**
   * Reads the store's profile, or what the options give. Rejects with what the store says, `profile-damaged`,
   * `password-missing`, or `invalid-argument` where the options are another person.
   */
  static async open(env: ToxEnv, crypto: Crypto, options: ToxOptions): Promise<ToxProfile> {
    const stored = options.store && (await loadProfile(options.store, crypto));
    const saved = stored ?? (options.profile && readProfile(options.profile, crypto));
    return new ToxProfile(env, crypto, options, saved);
  }

  private constructor(env: ToxEnv, crypto: Crypto, options: ToxOptions, saved: Savedata | undefined) {
    this.#env = env;
    this.#options = options;
    this.#saved = saved;
    this.nospam = saved?.nospam;
    const given = options.secretKey === undefined ? undefined : secretKeyOf(options.secretKey);
    if (saved && given && !sameBytes(given, saved.secretKey)) {
      throw new ToxError("invalid-argument", "Leave out the secret key, or the profile: they are two people.");
    }
    this.keys = saved ? keysOf(saved) : given ? crypto.keyPairOf(given) : crypto.keyPair();
  }

  /** Gives the floors what an earlier instance knew. Resolves when a new profile is in the store. */
  async attach(floors: Floors): Promise<void> {
    this.#floors = floors;
    if (this.#saved) this.#restore(floors, this.#saved);
    const { friends, onionClient } = floors;
    const { name, statusMessage, status, store } = this.#options;
    if (name !== undefined) friends.selfName = name;
    if (statusMessage !== undefined) friends.selfStatusMessage = statusMessage;
    if (status !== undefined) friends.selfStatus = status;
    if (store === undefined) return;
    const { clock, logger } = this.#env;
    const keeper = new ProfileKeeper({
      ...{ store, clock, logger },
      snapshot: () => this.export(),
      isDrifting: () => onionClient.connection !== "none",
    });
    this.#keeper = keeper;
    friends.onProfileChange = () => keeper.changed();
    for (const event of ["friendConnection", "friendName", "friendStatusMessage", "friendStatus"] as const) {
      friends.on(event, () => keeper.drifted());
    }
    onionClient.onConnection(() => keeper.drifted());
    keeper.changed();
    // An identity that somebody is told has to last.
    if (this.#saved === undefined) await keeper.save();
  }

  /** The bytes of a `.tox` file, plain. */
  export(): Uint8Array {
    if (this.#floors === undefined) throw new Error("the profile has no floors yet");
    return encodeSavedata(this.#snapshot(this.#floors));
  }

  /** Resolves when everything is in the store. Rejects with what the store says. */
  async save(): Promise<void> {
    await this.#keeper?.save();
  }

  /** Writes for the last time, before the floors are closed. */
  async close(): Promise<void> {
    await this.#keeper?.close();
  }

  /** The instance never comes to be. */
  abandon(): void {
    this.#keeper?.abandon();
    this.#env.crypto.wipe(this.keys.secretKey);
  }

  #restore(floors: Floors, saved: Savedata): void {
    const { friends, dht, network, onionClient, relays } = floors;
    friends.restoreOwnWords(saved);
    for (const friend of saved.friends) {
      try {
        friends.restore(knownFriend(friend));
      } catch (error) {
        this.#env.logger.warn("a friend of the profile cannot be one", { reason: String(error) });
      }
    }
    for (const relay of saved.relays.slice(0, KEPT_RELAYS)) {
      relays?.addNode({ publicKey: relay.publicKey, address: relay.endpoint });
    }
    for (const { publicKey, endpoint } of startNodes(saved)) {
      onionClient.startFrom({ publicKey, endpoint });
      if (network.has(endpoint.family)) dht.bootstrap(endpoint, publicKey);
    }
  }

  #snapshot({ friends, dht, onionClient, relays }: Floors): Savedata {
    const before = this.#saved;
    const dhtNodes = dht.randomNodes(KEPT_NODES);
    const pathNodes = onionClient.nodesToKeep(KEPT_NODES);
    const hops = relays?.hops().flatMap(({ publicKey, endpoint }) => (endpoint ? [{ publicKey, endpoint }] : [])) ?? [];
    return {
      ...this.keys,
      nospam: friends.nospam,
      friends: friends.known().map(savedFriend),
      ...friends.ownWords,
      // Who has found nobody yet keeps what he had.
      dhtNodes: orElse(dhtNodes, before?.dhtNodes),
      dhtOthers: before?.dhtOthers ?? [],
      pathNodes: orElse(pathNodes, before?.pathNodes),
      relays: orElse(
        hops.slice(0, KEPT_RELAYS).map((hop) => ({ ...hop, transport: "tcp" as const })),
        before?.relays,
      ),
      others: before?.others ?? [],
    };
  }
}

function startNodes({ dhtNodes, pathNodes }: Savedata): readonly PackedNode[] {
  return [...dhtNodes.slice(0, ASKED_NODES), ...pathNodes.slice(0, ASKED_NODES)].filter(
    ({ transport }) => transport !== "tcp",
  );
}

function orElse(nodes: readonly PackedNode[], before: readonly PackedNode[] | undefined): readonly PackedNode[] {
  return nodes.length > 0 ? nodes : (before ?? []);
}
