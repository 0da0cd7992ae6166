#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { ToxError } from "../index.ts";
import { chatCommand } from "./chat.ts";
import { nodeCommand } from "./node/command.ts";
import { passwordCommand } from "./password.ts";
import { rpcCommand } from "./rpc.ts";

const { version, engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const needed = Number.parseInt(engines.node.replace(/^\D+/, ""), 10);
if (Number.parseInt(process.versions.node, 10) < needed) {
  console.error(`toxcore-ts needs Node ${needed} or newer, and this is ${process.versions.node}: install a newer one.`);
  process.exit(1);
}

const program = new Command("toxcore-ts")
  .description("Tox: talk to people directly, without servers, accounts or a company between you.")
  .version(version)
  .showHelpAfterError("(--help shows what there is)")
  .addCommand(chatCommand())
  .addCommand(rpcCommand())
  .addCommand(nodeCommand())
  .addCommand(passwordCommand());

// Whoever reads what we write may stop reading: that is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  console.error(`What was to be said cannot be written: ${error.message}.`);
  process.exit(1);
});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof ToxError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = 1;
}
