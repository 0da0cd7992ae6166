import { scenariosAsTests } from "./as_tests.ts";

await scenariosAsTests({ large: true });
