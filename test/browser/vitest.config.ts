import { join } from "node:path";
import { defineConfig } from "vitest/config";

const root = join(import.meta.dirname, "../..");

/** Browsers need both cores for their codecs: one test after the other. */
export default defineConfig({
  root,
  test: {
    setupFiles: ["test/support/setup.ts"],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    include: ["test/browser/**/*.test.ts"],
    env: { NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node") },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    fileParallelism: false,
  },
});
