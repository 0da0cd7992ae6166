import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { parseBootstrapNode, Tox } from "toxcore-ts";
import { fileStore } from "toxcore-ts/node";
import { startDemo } from "./demo.ts";
import { serveCalls } from "./server.ts";

const USAGE = `Usage: node examples/embed-call/main.ts [--demo] [--name NAME] [--port N] [--no-open]
                                        [--profile FILE] [--bootstrap HOST:PORT:KEY …] [--address IP …]`;

const values = flags();
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535)
  fail("--port takes a number from 0 (any that is free) to 65535.");

const { tox, close } = await (values.demo ? startDemo(values.name ?? "You") : start()).catch(fail);
const server = await serveCalls(tox, { port, addresses: values.address }).catch(fail);
console.log("Open this link in a browser; whoever has it can call in your name:");
console.log(server.url);
if (!values["no-open"]) openBrowser(server.url);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    await server.close();
    await close();
  });
}

function flags() {
  try {
    return parseArgs({
      options: {
        demo: { type: "boolean", default: false },
        name: { type: "string" },
        profile: { type: "string" },
        bootstrap: { type: "string", multiple: true, default: [] },
        address: { type: "string", multiple: true, default: [] },
        port: { type: "string", default: "0" },
        "no-open": { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    return fail(error);
  }
}

/** Says what to do instead, and ends. */
function fail(problem: unknown): never {
  console.error(problem instanceof Error ? problem.message : problem);
  process.exit(2);
}

async function start(): Promise<{ tox: Tox; close(): Promise<void> }> {
  const store = values.profile === undefined ? undefined : fileStore(values.profile);
  const tox = await Tox.create({
    ...(values.name !== undefined && { name: values.name }),
    ...(store !== undefined && { store }),
    bootstrap: values.bootstrap.map(parseBootstrapNode),
  });
  return {
    tox,
    close: async () => {
      await tox.close();
      await store?.close();
    },
  };
}

function openBrowser(url: string): void {
  const commands: Readonly<Record<string, [string, ...string[]]>> = {
    darwin: ["open"],
    win32: ["cmd", "/c", "start", ""],
  };
  const [command, ...args] = commands[process.platform] ?? ["xdg-open"];
  const child = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => console.log("There is no browser that this program could open."));
  child.unref();
}
