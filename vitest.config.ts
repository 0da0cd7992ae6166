import { join } from "node:path";
import { defineConfig, type UserWorkspaceConfig } from "vitest/config";

const shared: UserWorkspaceConfig["test"] = {
  setupFiles: ["test/support/setup.ts"],
  // Node runs the sources as they are, as it does outside the tests.
  experimental: { viteModuleRunner: false, nodeLoader: false },
  // Files share a process: no module of ours keeps a state that the next file could see, and loading all anew takes a minute.
  isolate: false,
  // What Node made of the sources is kept, so that the programs that tests start take half the time to load.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/node") },
};

/** They start programs, or wait for real time to pass. */
const WAITING = [
  "test/interop/**/*.test.ts",
  "test/unit/{cli,crash}/**/*.test.ts",
  "test/unit/tox_proxy.test.ts",
  "test/unit/rpc/calls.test.ts",
  "test/unit/examples/embed_call.test.ts",
  "test/unit/webrtc/call_gateway.test.ts",
  "test/fuzz/{command,engine}.test.ts",
];

/** They put something else in a module's place, which vitest can only where it loads the modules itself. */
const MOCKING = ["test/unit/node/file_store/password_change.test.ts"];

/** They have a configuration of their own. */
const BROWSER = ["test/browser/**"];

/** Tests that compute share the cores; those that mostly wait then do it side by side. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: "computing",
          include: ["test/**/*.test.ts"],
          exclude: [...WAITING, ...MOCKING, ...BROWSER],
          // universes make much that lives shortly: collecting it less often saves a tenth of the time
          execArgv: ["--max-semi-space-size=64"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { name: "mocking", include: MOCKING, maxWorkers: 2, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...shared,
          name: "waiting",
          include: WAITING,
          // Each wait says itself how long; this is for all of them together, on a machine that has much else to do.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 12,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
