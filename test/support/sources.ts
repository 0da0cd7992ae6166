import { registerHooks } from "node:module";

/** Examples import the package by its name, as apps do: here that means the sources. */
const SOURCES = new URL("../../src/index.ts", import.meta.url).href;

registerHooks({
  resolve: (name, context, next) => next(name === "toxcore-ts" ? SOURCES : name, context),
});
