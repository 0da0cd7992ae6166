import type { Random } from "../env/random.ts";
import { randomBelow } from "../util/random_numbers.ts";

/** At most so many ports are tried in a round. DHT.c MAX_PUNCHING_PORTS. */
export const MAX_PORTS = 48;
/** After so many rounds without success half of the ports are drawn. DHT.c MAX_NORMAL_PUNCHING_TRIES. */
const ROUNDS_UNTIL_RANDOM = 5;
/** Told ports that lie so near to one another are given out in order. */
const NEAR = 64;
/** NATs that count give out every port or every other one; some more are tried. */
const LARGEST_STEP = 8;
/** How many of the next ones are tried first, where ports are given out in order. */
const NEXT_PORTS = 24;
/** Nothing is guessed below: services listen there, and none of them is our friend. */
const LOWEST_PORT = 1024;
const HIGHEST_PORT = 65535;

/**
 * Behind which ports of his NAT a friend may be, when the nodes he talks to see him at these, newest first: there when all
 * say the same, else the next ones where they are given out in order, then all around, farther in each round, and at last
 * any. c-toxcore `DHT.c` (punch_holes) walks around only. At most `MAX_PORTS`, each once.
 */
export function guessPorts(told: readonly number[], round: number, random: Random): number[] {
  const seen = [...new Set(told)];
  if (seen.length < 2) return seen;
  const guesses = new Set(seen.slice(0, MAX_PORTS)); // he may have kept one; bounded by MAX_PORTS
  if (round === 0) addNext(guesses, seen);
  const isRandomToo = round > ROUNDS_UNTIL_RANDOM;
  addAround(guesses, seen, round, isRandomToo ? MAX_PORTS / 2 : MAX_PORTS);
  while (guesses.size < MAX_PORTS) add(guesses, LOWEST_PORT + randomBelow(random, HIGHEST_PORT - LOWEST_PORT + 1));
  return [...guesses];
}

/** Those that come next, and those that were given out in between: to us, perhaps. */
function addNext(guesses: Set<number>, seen: readonly number[]): void {
  const sorted = seen.toSorted((a, b) => a - b);
  const [lowest, highest] = [sorted[0] as number, sorted.at(-1) as number];
  if (highest - lowest > NEAR) return;
  const step = stepOf(sorted);
  for (let i = 1; i <= NEXT_PORTS; i++) add(guesses, highest + i * step);
  for (let port = lowest; port < highest; port += step) add(guesses, port);
}

/** What all distances are multiples of. */
function stepOf(sorted: readonly number[]): number {
  let step = 0;
  for (let i = 1; i < sorted.length; i++) step = commonDivisor(step, (sorted[i] as number) - (sorted[i - 1] as number));
  return step > LARGEST_STEP ? 1 : step;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** Above and below each told port in turn, going on from where the last round ended. */
function addAround(guesses: Set<number>, seen: readonly number[], round: number, limit: number): void {
  const first = 2 * seen.length + round * MAX_PORTS;
  for (let i = first; i < first + MAX_PORTS && guesses.size < limit; i++) {
    const distance = Math.floor(i / (2 * seen.length));
    const near = seen[Math.floor(i / 2) % seen.length] as number;
    add(guesses, i % 2 === 0 ? near + distance : near - distance);
  }
}

function add(guesses: Set<number>, port: number): void {
  if (port >= LOWEST_PORT && port <= HIGHEST_PORT && guesses.size < MAX_PORTS) guesses.add(port);
}
