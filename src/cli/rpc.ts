import { Command } from "commander";
import { MemoryMetrics, Tox } from "../index.ts";
import { serveSocket, serveStdio } from "../rpc/serve.ts";
import { openProfile } from "./profile.ts";
import { addSharedFlags, bootstrapNodes, type SharedFlags, toxOptions } from "./shared_options.ts";
import { endSignal } from "./signals.ts";

interface RpcFlags extends SharedFlags {
  readonly socket?: string;
}

export function rpcCommand(): Command {
  const command = new Command("rpc")
    .description("JSON-RPC 2.0, one message a line, on standard input and output: for bots and bridges in any language")
    .option("--socket <PATH>", "listen on a Unix socket instead");
  return addSharedFlags(command).action(async (flags: RpcFlags) => {
    const options = toxOptions(flags);
    const metrics = new MemoryMetrics();
    const bootstrap = await bootstrapNodes(flags);
    await using profile = await openProfile(flags, false);
    await using tox = await Tox.create({ ...options, ...profile.options, bootstrap, metrics });
    const serving = { metrics, signal: endSignal() };
    if (flags.socket === undefined) await serveStdio(tox, process.stdin, process.stdout, serving);
    else await serveSocket(tox, flags.socket, serving);
  });
}
