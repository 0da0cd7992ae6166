/** Runs one target in a thread of its own: a campaign, or one input. `watched_run.ts` starts it and watches it. */
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { FuzzTarget } from "../target.ts";
import { type CampaignOptions, type CampaignResult, runCampaign } from "./campaign.ts";
import { Coverage } from "./coverage.ts";
import { execute } from "./execution.ts";
import type { WorkerMessage, WorkerOrder } from "./messages.ts";
import { SharedInput } from "./shared_input.ts";
import { warmUp } from "./warm_up.ts";

const order: WorkerOrder = workerData;
const started = performance.now();
const shared = new SharedInput(order.memory);
if (order.coverage !== undefined) await warmUp();
const coverage = order.coverage === undefined ? undefined : new Coverage(order.coverage);
const target: FuzzTarget = await import(pathToFileURL(order.file).href);
say({ kind: "result", result: await (order.input === undefined ? campaign() : single(order.input)) });
coverage?.stop();

function campaign(): Promise<CampaignResult> {
  const options: CampaignOptions = {
    seed: order.seed,
    ...(order.runs !== undefined && { runs: order.runs }),
    ...(order.milliseconds !== undefined && { milliseconds: order.milliseconds - (performance.now() - started) }),
    ...(order.extra !== undefined && { extra: order.extra }),
    ...(coverage !== undefined && { coverage }),
    onInput: (input) => shared.begin(input),
    onFinding: (finding) => say({ kind: "finding", finding }),
  };
  return runCampaign(target, options);
}

async function single(input: Uint8Array): Promise<CampaignResult> {
  shared.begin(input);
  const failure = await execute(target, input);
  const finding = failure && { failure, input, execution: 1 };
  return { executions: 1, milliseconds: performance.now() - started, corpusSize: 0, grown: [], finding };
}

function say(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}
