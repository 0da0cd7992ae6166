import { registerHooks } from "node:module";

/** Examples import the package by its name, as apps do: here that means the sources. */
const SOURCES = new Map(
  ["", "/node", "/media", "/rpc", "/webrtc"].map((entry) => [
    `toxcore-ts${entry}`,
    new URL(`../../src${entry}/index.ts`, import.meta.url).href,
  ]),
);

registerHooks({
  resolve: (name, context, next) => next(SOURCES.get(name) ?? name, context),
});
