import { replaySeed } from "../../../src/testing/index.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";
import { Telling } from "./telling.ts";
import { WEATHERS, type Weather } from "./weather.ts";

export interface Performance {
  readonly weather: Weather["name"];
  readonly seed: number | string;
  /** Is given what happened, a line a datagram and an event, whether it ends well or not. */
  readonly trace?: (lines: Iterable<string>) => void;
  /** Whether to hash all that travels, which takes time. */
  readonly hashed?: boolean;
}

export interface Review {
  readonly virtualMs: number;
  /** Datagrams that arrived and timers that fired. */
  readonly events: number;
  /** Of everything that travelled: the same for the same seed, as long as the code is the same. If it was asked for. */
  readonly hash: string | undefined;
}

/** Plays a scenario once. What fails says how it is played again. */
export async function play(scenario: Scenario, performance: Performance): Promise<Review> {
  const { weather, trace, hashed = false } = performance;
  const seed = replaySeed(performance.seed);
  const telling = new Telling();
  const stage = new Stage({ seed, weather: WEATHERS[weather], onPerson: (person) => telling.listenTo(person, stage) });
  if (trace !== undefined || hashed) stage.universe.trace.start(trace === undefined ? 0 : Number.POSITIVE_INFINITY);
  try {
    await scenario.play(stage);
    const { now, events } = stage.universe;
    return { virtualMs: now, events, hash: hashed ? stage.universe.traceHash() : undefined };
  } catch (error) {
    throw withReplay(error, `npm run scenario -- ${scenario.name} --weather ${weather} --seed ${seed} --trace`);
  } finally {
    trace?.(telling.lines(stage));
    await stage[Symbol.asyncDispose]();
  }
}

function withReplay(error: unknown, command: string): unknown {
  if (!(error instanceof Error)) return error;
  const hint = `play it again: ${command}`;
  error.message += `\n${hint}`;
  return error;
}
