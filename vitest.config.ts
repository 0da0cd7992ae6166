import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** Tests that compute share the cores; those against real programs mostly wait, and do it side by side. */
export default defineConfig({
  test: {
    projects: [
      {
        // Examples import the package by its name, as apps do.
        resolve: {
          alias: [
            { find: /^toxcore-ts$/, replacement: join(import.meta.dirname, "src/index.ts") },
            { find: /^toxcore-ts\/media$/, replacement: join(import.meta.dirname, "src/media/index.ts") },
          ],
        },
        test: {
          name: "ours",
          include: ["test/{unit,scenarios,fuzz,pack}/**/*.test.ts"],
          setupFiles: ["test/support/setup.ts"],
          // universes make much that lives shortly: collecting it less often saves a tenth of the time
          execArgv: ["--max-semi-space-size=64"],
          testTimeout: 20_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          // Each wait says itself how long; this is for all of them together, on a machine that has much else to do.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          maxWorkers: 8,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
