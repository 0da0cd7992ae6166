/**
 * Ours and libtoxcore side by side on loopback, in one run: see docs/performance.md.
 *
 *   npm run bench:peer -- [--quick] [--json FILE] [work ...]
 */
import { writeFile } from "node:fs/promises";
import { Argument, program } from "commander";
import { Bench, type Row, type Work } from "./bench.ts";
import { json, table } from "./report.ts";
import { bareLoop } from "./works/bare_loop.ts";
import { callCpu } from "./works/call_cpu.ts";
import { callFile } from "./works/call_file.ts";
import { callSetup } from "./works/call_setup.ts";
import { callSound } from "./works/call_sound.ts";
import { callVideo } from "./works/call_video.ts";
import { file } from "./works/file.ts";
import { idle } from "./works/idle.ts";
import { importTime } from "./works/import_time.ts";
import { nodesRequests } from "./works/nodes_requests.ts";
import { offlineFriends } from "./works/offline_friends.ts";
import { onionRequest } from "./works/onion_request.ts";
import { receipts } from "./works/receipts.ts";
import { relayClients } from "./works/relay_clients.ts";
import { relayed } from "./works/relayed.ts";
import { roundTrip } from "./works/round_trip.ts";
import { startToOnline } from "./works/start_to_online.ts";
import { tcpOnly } from "./works/tcp_only.ts";

/** In the order of their rows. Those that only wait come first, so that a quick run can let them wait together. */
const WORKS: readonly Work[] = [
  startToOnline,
  onionRequest,
  tcpOnly,
  idle,
  offlineFriends,
  roundTrip,
  receipts,
  file,
  relayed,
  nodesRequests,
  relayClients,
  callSetup,
  callSound,
  callVideo,
  callCpu,
  callFile,
  bareLoop,
  importTime,
];

interface Options {
  readonly quick?: true;
  readonly json?: string;
}

program
  .name("npm run bench:peer --")
  .description("Measures ours and libtoxcore side by side on loopback.")
  .addArgument(new Argument("[work...]", "only these; all when left out").choices(WORKS.map(({ name }) => name)))
  .option("--quick", "fewer rounds, shorter windows, and what waits side by side: about ten minutes")
  .option("--json <file>", "writes the rows to a file too")
  .addHelpText(
    "after",
    `\nWorks:\n${WORKS.map(({ name, describes }) => `  ${name.padEnd(10)} ${describes}`).join("\n")}`,
  )
  .action(run);

await program.parseAsync();

async function run(names: readonly string[], options: Options): Promise<void> {
  await using bench = new Bench(options.quick ?? false);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      process.exitCode = 1;
      void bench[Symbol.asyncDispose](); // and the works fail, one after the other
    });
  }
  console.error(
    bench.toxcore === undefined ? "libtoxcore is not installed: our side only" : `libtoxcore ${bench.toxcore}`,
  );
  if (!bench.hasBootstrapd) console.error("tox-bootstrapd is not installed: networks of our own nodes");
  const works = WORKS.filter(({ name }) => names.length === 0 || names.includes(name));
  const together = bench.quick ? works.filter(({ waits }) => waits) : [];
  const rows = (await Promise.all(together.map((work) => measure(work, bench)))).flat();
  for (const work of works) if (!together.includes(work)) rows.push(...(await measure(work, bench)));
  if (bench.isStopped) return;
  console.log(table(rows, bench.toxcore));
  if (options.json !== undefined) await writeFile(options.json, json(rows));
}

/** A work that fails leaves its rows out and makes the exit code 1; the others go on. */
async function measure(work: Work, bench: Bench): Promise<Row[]> {
  if (bench.isStopped) return [];
  console.error(`${work.name}: ${work.describes} ...`);
  try {
    return await work.measure(bench);
  } catch (error) {
    if (!bench.isStopped) console.error(`${work.name}:`, error);
    process.exitCode = 1;
    return [];
  }
}
