import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Stage } from "./stage.ts";

/** One of toxcore's own scenarios, as a script: what happens, and what the people in it then hear. */
export interface Scenario {
  /** The name it has in toxcore. */
  readonly name: string;
  /** What it tells, in a sentence. */
  readonly tells: string;
  /** Dozens of instances, seconds of a core for each seed: the suite plays it with few, `npm run test:scenarios` with all. */
  readonly large?: boolean;
  play(stage: Stage): Promise<void>;
}

/** What a file in `stories/` exports. Its name is the scenario's. */
export type Script = Omit<Scenario, "name">;

const stories = join(import.meta.dirname, "stories");

/** Every scenario, by name. */
export async function allScenarios(): Promise<Scenario[]> {
  const names = readdirSync(stories)
    .map((file) => file.replace(/\.ts$/, ""))
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const { tells, large = false, play } = (await import(pathToFileURL(join(stories, `${name}.ts`)).href)) as Script;
      return { name, tells, large, play };
    }),
  );
}
