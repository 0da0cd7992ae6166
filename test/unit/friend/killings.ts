import type { Friend } from "../../../src/friend/friend.ts";
import { encodeMessageRecord } from "../../../src/friend/journal_records.ts";
import { SlowDisk } from "../../support/slow_disk.ts";
import { type Person, World } from "./world.ts";

export interface KillingsOptions {
  readonly seed: number;
  /** What a write to a disk takes at most, in ms; 0: it is there at once. */
  readonly disk: number;
  /** How long a listener takes for a message at most, in ms; 0: it is done when it returns. */
  readonly handling: number;
  /** So many people are killed. */
  readonly kills: number;
}

interface Shown {
  /** When its listener was done; undefined: killed first. */
  finishedAt: number | undefined;
  /** At which event that was. */
  finishedIn: number;
  readonly life: Life;
}

/** One instance of one of the two, from its start until it is killed. */
interface Life {
  readonly person: Person;
  readonly friend: Friend;
  killedAt: number | undefined;
  /** At which event. */
  killedIn: number;
}

interface Side {
  readonly name: string;
  readonly disk: SlowDisk;
  life: Life | undefined;
  /** Texts that `send` has answered for. */
  readonly stored: Set<string>;
  readonly delivered: Set<string>;
  /** What the other's messages came to here, by text. */
  readonly shown: Map<string, Shown[]>;
  sent: number;
}

/**
 * Two who talk, each of whom may be killed at any event of the simulation, also between the event and what is awaited after it;
 * sessions break meanwhile. Answers what went wrong: what was lost, came twice, or out of order.
 */
export async function playKillings(options: KillingsOptions): Promise<string[]> {
  const world = new World(`killings ${options.seed}`);
  const random = world.random.fork("the play");
  const disk = () => new SlowDisk(world.timeline, () => (options.disk === 0 ? 0 : random.between(0, options.disk)));
  const side = (name: string): Side => {
    return { name, disk: disk(), life: undefined, stored: new Set(), delivered: new Set(), shown: new Map(), sent: 0 };
  };
  const sides = [side("a"), side("b")] as const;
  let event = 0;

  const history = encodeMessageRecord({ kind: "removed", friend: world.keys("somebody of old").publicKey });
  const start = async (at: 0 | 1): Promise<void> => {
    const self = sides[at];
    // Some journals are about to be written anew, which happens at 4096 entries.
    if (options.seed % 3 === 0) self.disk.litter(history, 4000 + Math.floor(random.between(0, 96)));
    const person = await world.person(self.name, self.disk.open());
    const friend = person.friends.addWithoutRequest(world.keys(sides[1 - at]?.name ?? "").publicKey);
    const life: Life = { person, friend, killedAt: undefined, killedIn: 0 };
    self.life = life;
    person.friends.on("message", ({ text }) => {
      if (life.killedAt !== undefined) return undefined;
      const shown: Shown = { finishedAt: undefined, finishedIn: 0, life };
      self.shown.set(text, [...(self.shown.get(text) ?? []), shown]);
      const finish = () => {
        if (life.killedAt !== undefined) return;
        shown.finishedAt = world.timeline.now;
        shown.finishedIn = event;
      };
      const took = options.handling === 0 || random.between(0, 3) < 1 ? 0 : random.between(0, options.handling);
      if (took === 0) return finish();
      return new Promise<void>((resolve) => {
        world.after(took, () => {
          finish();
          resolve();
        });
      });
    });
    person.friends.on("delivered", ({ message }) => {
      if (life.killedAt === undefined) self.delivered.add(message.text);
    });
  };

  const kill = async (at: 0 | 1): Promise<void> => {
    const { life, disk } = sides[at];
    if (life === undefined) return;
    sides[at].life = undefined;
    life.killedAt = world.timeline.now;
    life.killedIn = event;
    disk.kill();
    await world.stop(life.person, "crash");
    world.after(random.between(0, 1) < 0.5 ? 0 : random.between(0, 3000), () => {
      starting = starting.then(() => start(at));
    });
  };

  const send = (at: 0 | 1): void => {
    const self = sides[at];
    const { life } = self;
    if (life === undefined) return;
    const text = String(self.sent++).padEnd(random.between(0, 20) < 1 ? 1372 : 1, " ");
    const message = life.friend.send(text);
    message.stored.then(() => {
      if (life.killedAt === undefined) self.stored.add(text);
    });
  };

  let starting = Promise.all([start(0), start(1)]).then(() => {});
  await starting;
  let kills = 0;
  const either = () => (random.between(0, 1) < 0.5 ? 0 : 1);
  while (kills < options.kills) {
    const stillness = world.timeline.now + 50;
    event++;
    if (!world.timeline.step(stillness)) world.timeline.advance(stillness);
    // Mostly what the event began has its turn; else the process ends in the midst of it.
    if (random.between(0, 1) < 0.02) {
      await kill(either());
      kills++;
    }
    await turn();
    await starting;
    if (random.between(0, 1) < 0.2) for (let i = random.between(0, 8); i > 0; i--) send(either());
    if (random.between(0, 1) < 0.005) world.breakAll(() => random.between(0, 2000));
    if (random.between(0, 1) < 0.03) {
      await kill(either());
      kills++;
    }
  }
  const end = world.timeline.now + 400_000;
  while (world.timeline.step(end)) {
    event++;
    await turn();
    await starting;
  }
  return [...problemsOf(sides[0], sides[1], options), ...problemsOf(sides[1], sides[0], options)];
}

function problemsOf(sender: Side, receiver: Side, { disk }: KillingsOptions): string[] {
  const problems: string[] = [];
  const from = `from ${sender.name}`;
  const finished = (shown: readonly Shown[] = []) => shown.some(({ finishedAt }) => finishedAt !== undefined);
  for (const text of sender.stored) if (!finished(receiver.shown.get(text))) problems.push(`lost ${from}: ${text}`);
  for (const text of sender.delivered) {
    if (!finished(receiver.shown.get(text))) problems.push(`delivered, but not handled, ${from}: ${text}`);
  }
  let last = -1;
  for (const [text, shown] of receiver.shown) {
    if (Number(text) < last) problems.push(`out of order ${from}: ${text} after ${last}`);
    last = Math.max(last, Number(text));
    // Only the last time may be followed by no end; each time before, the killer came before the disk had the note.
    for (const { finishedAt, finishedIn, life } of shown.slice(0, -1)) {
      if (life.killedAt === undefined) problems.push(`twice in one life ${from}: ${text}`);
      else if (finishedAt !== undefined && finishedIn < life.killedIn && finishedAt < life.killedAt - disk) {
        problems.push(`twice ${from}: ${text}, handled at ${finishedAt}, killed at ${life.killedAt}`);
      } else if (finishedAt !== undefined && disk === 0 && finishedIn < life.killedIn) {
        problems.push(`twice ${from}, though the disk is fast: ${text}`);
      }
    }
  }
  if ((sender.life?.friend.queued ?? -1) !== 0) problems.push(`${sender.name} has messages left`);
  return problems;
}

/** Lets promises settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
