import { scenariosAsTests } from "./as_tests.ts";

await scenariosAsTests((name) => name === "tox_many");
