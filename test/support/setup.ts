import fc from "fast-check";
import "./sources.ts";

/**
 * Property tests draw the same cases on every run, so that a red suite means a change and not bad luck. `TOX_SEED=1234 npm
 * test` draws others, for properties and for simulated universes alike; a failure prints what plays it again.
 */
const seed = Number(process.env.TOX_SEED ?? 1);
fc.configureGlobal({ seed: Number.isSafeInteger(seed) ? seed : 1 });
