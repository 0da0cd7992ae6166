/** Plays one scenario, or several, outside the test runner: `npm run scenario -- reconnect --weather rough --seed 7 --trace`. */
import { Command, InvalidArgumentError, Option } from "commander";
import { play } from "./player.ts";
import { allScenarios, type Scenario } from "./scenario.ts";
import { WEATHERS, type Weather } from "./weather.ts";

interface Options {
  readonly weather: Weather["name"];
  readonly seed: number;
  readonly seeds: number;
  readonly trace: boolean;
  readonly list: boolean;
}

const command = new Command("scenario")
  .description("Plays toxcore's scenarios in a simulated network, in virtual time.")
  .argument("[names...]", "which; all of them when none is named")
  .addOption(new Option("--weather <kind>", "how the network is").choices(Object.keys(WEATHERS)).default("fair"))
  .option("--seed <seed>", "what everything random follows from", wholeNumber, 1)
  .option("--seeds <count>", "how many seeds to play, counted up from the first", wholeNumber, 1)
  .option("--trace", "tell every datagram and event", false)
  .option("--list", "name the scenarios and what they tell", false)
  .parse();

const options = command.opts<Options>();
const scenarios = await chosen(command.args);
if (options.list) for (const { name, tells } of scenarios) console.log(`${name.padEnd(22)} ${tells}`);
else for (const scenario of scenarios) await playAll(scenario);

async function chosen(names: readonly string[]): Promise<Scenario[]> {
  const all = await allScenarios();
  for (const name of names) {
    if (!all.some((scenario) => scenario.name === name)) {
      command.error(`There is no scenario "${name}": --list names them.`);
    }
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

async function playAll(scenario: Scenario): Promise<void> {
  const { weather, seeds } = options;
  for (let i = 0; i < seeds; i++) {
    const seed = String(options.seed + i);
    const began = process.cpuUsage();
    const trace = options.trace ? { trace: print } : {};
    const told = `${scenario.name}, ${weather} weather, seed ${seed}`;
    try {
      const { virtualMs, events, hash } = await play(scenario, { weather, seed, hashed: true, ...trace });
      const { user, system } = process.cpuUsage(began);
      const took = `${(virtualMs / 1000).toFixed(1)} s of virtual time, ${Math.round((user + system) / 1000)} ms of a core`;
      console.log(`ok      ${told}: ${took}, ${events} events, trace ${hash}`);
    } catch (error) {
      console.log(`FAILED  ${told}`);
      console.error(error);
      process.exitCode = 1;
    }
  }
}

function print(lines: Iterable<string>): void {
  for (const line of lines) console.log(line);
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError("Give a whole number from 1 on.");
  return number;
}
