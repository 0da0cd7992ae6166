import { describe, expect, it } from "vitest";
import type { PublicKey } from "../../../src/crypto/keys.ts";
import { FriendSearch } from "../../../src/dht/friend_search.ts";
import type { Lookup } from "../../../src/dht/lookup.ts";
import { NearestList } from "../../../src/dht/nearest_list.ts";
import { KILL_NODE_TIMEOUT } from "../../../src/dht/node_care.ts";
import { Association, BAD_NODE_TIMEOUT } from "../../../src/dht/node_entry.ts";
import { NodeTable } from "../../../src/dht/node_table.ts";
import type { Endpoint } from "../../../src/env/datagram.ts";
import { silentLogger } from "../../../src/env/logger.ts";
import { Timeline } from "../../../src/testing/timeline.ts";
import { VirtualClock } from "../../../src/testing/virtual_clock.ts";
import { makeEndpoint } from "../../../src/util/endpoint.ts";

const FRIEND = new Uint8Array(32).fill(7) as Uint8Array as PublicKey;
const TELLER = new Uint8Array(32).fill(9) as Uint8Array as PublicKey;
const HOME = makeEndpoint(Uint8Array.of(198, 18, 0, 1), 33445);
const TELLER_AT = makeEndpoint(Uint8Array.of(198, 18, 1, 1), 33445);
const AWAY = makeEndpoint(Uint8Array.of(198, 18, 0, 2), 33445);

function searching() {
  const timeline = new Timeline();
  const clock = new VirtualClock(timeline, 0);
  const list = new NearestList(FRIEND);
  const lookup = { settle: () => {}, hurry: () => {} } as unknown as Lookup;
  const search = new FriendSearch(list, lookup, clock, new NodeTable(clock, 1), silentLogger);
  const found: Endpoint[] = [];
  search.addListener((endpoint) => found.push(endpoint));
  return { timeline, search, found };
}

describe("the search for a friend's node", () => {
  it("tells once of the address where he answers", () => {
    const { timeline, search, found } = searching();
    for (let i = 0; i < 5; i++) {
      search.confirmed(HOME);
      timeline.advance(timeline.now + 60_000);
    }
    expect(found).toEqual([HOME]);
    search.confirmed(AWAY);
    expect(found).toEqual([HOME, AWAY]);
  });

  it("tells of it again when he answers there after a long silence, although nobody had given him up", () => {
    const { timeline, search, found } = searching();
    search.confirmed(HOME);
    timeline.advance(BAD_NODE_TIMEOUT + 1);
    search.confirmed(HOME);
    expect(found).toEqual([HOME, HOME]);
  });

  it("still names the address where he was until lately, behind all others", () => {
    const { timeline, search, found } = searching();
    search.confirmed(HOME);
    search.lost(new Association(FRIEND, HOME, timeline.now));
    search.told(AWAY, TELLER, TELLER_AT);
    expect(search.endpoints()).toEqual([AWAY, HOME]);
    expect(found).toEqual([HOME, AWAY]);
    search.confirmed(HOME);
    expect(found).toEqual([HOME, AWAY, HOME]);
    timeline.advance(KILL_NODE_TIMEOUT);
    expect(search.endpoints()).toEqual([]);
  });

  it("passes on what others say once he has not answered for long", () => {
    const { timeline, search, found } = searching();
    search.confirmed(HOME);
    search.told(AWAY, TELLER, TELLER_AT);
    expect(found).toEqual([HOME]);
    timeline.advance(BAD_NODE_TIMEOUT + 1);
    search.told(AWAY, TELLER, TELLER_AT);
    expect(found).toEqual([HOME, AWAY]);
  });
});
