import { scenariosAsTests } from "./as_tests.ts";

/** Two files, so that they share the cores evenly. */
await scenariosAsTests((name) => name !== "tox_many");
