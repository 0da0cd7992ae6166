import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tox } from "../../src/core.ts";
import { Crypto } from "../../src/crypto/crypto.ts";
import { fileStore, nodeRandom } from "../../src/node/index.ts";
import { sodiumProvider } from "../../src/node/sodium_provider.ts";
import type { SavedFriend } from "../../src/state/saved_friend.ts";
import { encodeSavedata } from "../../src/state/savedata.ts";
import { Universe } from "../../src/testing/index.ts";
import { utf8 } from "../../src/util/text.ts";
import { timed } from "./longest_turn.ts";
import type { Effort, Part, PartRow } from "./part.ts";

const FRIENDS = 2_000;
const ROUNDS = 9;

export const profile: Part = {
  name: "profile",
  about: `a profile of ${FRIENDS} friends; the longest turn is what the loop was kept from other work, medians of ${ROUNDS}`,
  async *rows({ share }: Effort) {
    const bytes = profileBytes(Math.ceil(FRIENDS * share));
    const folder = mkdtempSync(join(tmpdir(), "toxcore-ts-bench-"));
    try {
      yield await opened(bytes);
      for (const password of [undefined, "correct horse"]) {
        yield* await kept(bytes, join(folder, `${password ?? "plain"}.tox`), password);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** From bytes, so that the disk's share is not in it. */
async function opened(bytes: Uint8Array): Promise<PartRow> {
  const times: PartRow["figures"][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    let tox: Tox | undefined;
    times.push(
      await timed(async () => {
        tox = await Tox.create(newEnv(), { profile: bytes });
      }),
    );
    await tox?.close();
  }
  return { work: "an instance starts from it", figures: median(times) };
}

async function kept(bytes: Uint8Array, path: string, password: string | undefined): Promise<PartRow[]> {
  const suffix = password === undefined ? "" : ", with a password";
  const options = password === undefined ? {} : { password };
  const store = fileStore(path, options);
  const tox = await Tox.create(newEnv(), { store, profile: bytes });
  await tox.save();
  const writes: PartRow["figures"][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    tox.statusMessage = `version ${round}`;
    writes.push(await timed(() => tox.save()));
  }
  await tox.close();
  await store.close();
  return [{ work: `a change is safe on disk${suffix}`, figures: median(writes) }];
}

function newEnv() {
  return { ...new Universe({ seed: "bench" }).host("me").edges, crypto: sodiumProvider };
}

/** Each figure's own. */
function median(rounds: readonly PartRow["figures"][]): PartRow["figures"] {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const values = rounds.map((figures) => figures[name] ?? 0).sort((a, b) => a - b);
      return [name, values[values.length >> 1] ?? 0];
    }),
  );
}

function profileBytes(count: number): Uint8Array {
  const crypto = new Crypto(sodiumProvider, nodeRandom);
  const friends = Array.from({ length: count }, (_, i): SavedFriend => {
    const texts = { name: utf8(`friend number ${i}`), statusMessage: utf8(`what number ${i} has to say of the day`) };
    const { publicKey } = crypto.keyPair();
    return { kind: "confirmed", publicKey, ...texts, status: "away", lastOnline: 1_700_000_000 + i };
  });
  const nothing = { dhtNodes: [], dhtOthers: [], relays: [], pathNodes: [], others: [] };
  const own = { name: utf8("me"), statusMessage: utf8(""), status: "none" } as const;
  return encodeSavedata({ ...crypto.keyPair(), nospam: 7, friends, ...own, ...nothing });
}
