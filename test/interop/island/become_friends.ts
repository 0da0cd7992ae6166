import { expect } from "vitest";
import type { RpcClient } from "../../support/rpc_client.ts";

/** At Alice's request, over TCP; then each says something that the other hears. */
export async function becomeFriends(alice: RpcClient, bob: RpcClient): Promise<void> {
  const [{ publicKey: alicesKey }, { id, publicKey: bobsKey }] = [await alice.call("self"), await bob.call("self")];
  await alice.call("addFriend", { id, message: "Through the proxy?" });
  expect(await bob.notified("friendRequest")).toEqual({ publicKey: alicesKey, message: "Through the proxy?" });
  await bob.call("acceptFriend", { publicKey: alicesKey });
  expect(await alice.notified("friendConnection")).toEqual({ friend: bobsKey, state: "tcp" });
  await alice.call("send", { friend: bobsKey, text: "from Alice" });
  expect((await bob.notified("message")).text).toBe("from Alice");
  await bob.call("send", { friend: alicesKey, text: "from Bob" });
  expect((await alice.notified("message")).text).toBe("from Bob");
}
