import assert from "node:assert/strict";
import type { Call } from "../../../../src/core.ts";
import { Caller } from "../../../support/callers.ts";
import type { Person } from "../../../support/people.ts";
import type { Stage } from "../stage.ts";

export const tells = "A call is answered and ended by either, rejected, cancelled, paused and made again";

export async function play(stage: Stage): Promise<void> {
  const { alice, bob, aliceSees } = await stage.twoFriends();
  const ring = async () => {
    const call = aliceSees.call({ audio: true, video: true });
    const ringing = await stage.hears(bob, "incomingCall");
    assert.deepEqual([call.state, ringing.state], ["ringing", "ringing"]);
    assert.deepEqual([ringing.audio.peer.sending, ringing.video.peer.sending], [true, true]);
    return [call, ringing] as const;
  };

  for (const ender of ["caller", "called"] as const) {
    const [call, answered] = await ring();
    answered.answer({ video: true });
    await stage.until("both to talk", () => call.state === "active" && answered.state === "active");
    await talk(stage, [alice, call], [bob, answered]);
    await stage.refuses("already-in-call", () => aliceSees.call());
    await pause(stage, call, answered);
    await end(stage, ender === "caller" ? [call, answered] : [answered, call]);
  }

  const [rejected, rejecting] = await ring();
  await end(stage, [rejecting, rejected]);
  const [cancelled, ringing] = await ring();
  await end(stage, [cancelled, ringing]);
  assert.equal(await stage.universe.wait(cancelled.answered), false);
}

async function talk(stage: Stage, ...people: [Person, Call][]): Promise<void> {
  const callers = people.map(([{ host }, call]) => new Caller(call, host.edges.clock));
  for (const caller of callers) {
    caller.speak();
    caller.show(25);
  }
  await stage.pass(3_000);
  for (const caller of callers) {
    caller.hush();
    caller.hide();
  }
  for (const caller of callers) {
    await stage.until("sound and pictures", () => caller.heard.length > 50 && caller.seen.length > 20);
    const numbers = caller.numbersHeard;
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
      "each once, and in order",
    );
  }
}

async function pause(stage: Stage, one: Call, other: Call): Promise<void> {
  one.pause();
  await stage.until("the other to know", () => other.pausedBy === "them");
  assert.equal(other.audio.open, false);
  one.resume();
  await stage.until("the other to go on", () => other.state === "active");
  one.audio.receiving = false;
  one.video.receiving = false;
  await stage.until("the other to be muted and hidden", () => !other.audio.open && !other.video.open);
  assert.equal(other.state, "active");
  one.audio.receiving = true;
  one.video.receiving = true;
  await stage.until("the other to be wanted", () => other.audio.open && other.video.open);
}

async function end(stage: Stage, [ender, other]: [Call, Call]): Promise<void> {
  ender.hangUp();
  assert.deepEqual(await stage.universe.wait(ender.ended), { reason: "hung-up", by: "us" });
  assert.deepEqual(await stage.universe.wait(other.ended), { reason: "hung-up", by: "them" });
}
