import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readNodeConfig } from "../../../src/cli/node/config.ts";

const FOLDER = "examples/node";
const UNIT = join(FOLDER, "toxcore-ts-node.service");
const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
if (!hasSystemd) console.warn("systemd-analyze is not installed: the unit passes our own checks only");

/** `section.key` to its values; throws at a line that is neither. */
function readUnit(text: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  let section = "";
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(Unit|Service|Install)\]$/.exec(line)?.[1];
    const [, key, value] = /^([A-Z][A-Za-z]*)=(\S.*)$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    else if (key === undefined || value === undefined) throw new Error(`no setting: ${line}`);
    else settings.set(`${section}.${key}`, [...(settings.get(`${section}.${key}`) ?? []), value]);
  }
  return settings;
}

describe("the unit for systemd", () => {
  const unit = readUnit(readFileSync(UNIT, "utf8"));

  it("sets nothing twice but what adds up", () => {
    const twice = [...unit].filter(([, values]) => values.length > 1).map(([key]) => key);
    expect(twice).toEqual(["Service.SystemCallFilter"]);
  });

  it.each([
    ["DynamicUser", "yes"],
    ["NoNewPrivileges", "yes"],
    ["ProtectSystem", "strict"],
    ["ProtectHome", "yes"],
    ["ProtectKernelLogs", "yes"],
    ["ProtectKernelModules", "yes"],
    ["ProtectKernelTunables", "yes"],
    ["ProtectControlGroups", "yes"],
    ["PrivateDevices", "yes"],
    ["PrivateTmp", "yes"],
    ["RestrictNamespaces", "yes"],
    ["RestrictSUIDSGID", "yes"],
    ["CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"],
    ["StateDirectoryMode", "0700"],
    ["UMask", "0077"],
    ["SystemCallArchitectures", "native"],
  ])("is hardened: %s=%s", (key, value) => {
    expect(unit.get(`Service.${key}`)).toEqual([value]);
  });

  it("leaves the engine its compiler, and reloads by SIGHUP", () => {
    expect(unit.has("Service.MemoryDenyWriteExecute")).toBe(false);
    expect(unit.get("Service.ExecReload")).toEqual(["/bin/kill -HUP $MAINPID"]);
  });

  it("keeps the keys of the example's configuration in its own folder", async () => {
    const { keysFile } = await readNodeConfig(join(FOLDER, "node.conf"));
    expect(unit.get("Service.StateDirectory")).toEqual([basename(dirname(keysFile))]);
    expect(dirname(dirname(keysFile))).toBe("/var/lib");
  });

  it.skipIf(!hasSystemd)("is one that systemd understands", () => {
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", UNIT], { encoding: "utf8" });
    const ours = stderr.split("\n").filter((line) => line.includes(basename(UNIT)));
    expect([status, ours]).toEqual([0, []]);
  });
});

interface Instruction {
  readonly name: string;
  readonly text: string;
}

const KNOWN = /^(FROM|WORKDIR|COPY|RUN|ENV|USER|VOLUME|EXPOSE|HEALTHCHECK|ENTRYPOINT|CMD)$/;

/** Throws at an instruction that the example has no need of. */
function readContainerfile(text: string): Instruction[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = "", ...rest] = line.split(" ");
      if (!KNOWN.test(name)) throw new Error(`unknown instruction: ${line}`);
      return { name, text: rest.join(" ") };
    });
}

describe("the Containerfile", () => {
  const all = readContainerfile(readFileSync(join(FOLDER, "Containerfile"), "utf8"));
  const last = all.slice(all.findLastIndex(({ name }) => name === "FROM"));
  const only = (name: string) => {
    const found = last.filter((instruction) => instruction.name === name);
    expect([name, found.length]).toEqual([name, 1]);
    return found[0]?.text ?? "";
  };
  const words = (text: string): string[] => JSON.parse(text.slice(text.indexOf("[")));

  it("starts from images with a full name and a version", () => {
    for (const { name, text } of all) {
      if (name === "FROM") expect(text).toMatch(/^docker\.io\/library\/node:24-[a-z-]+( AS [a-z]+)?$/);
    }
  });

  it("copies what the repository has", () => {
    const sources = all.filter(({ name, text }) => name === "COPY" && !text.startsWith("--from"));
    const paths = sources.flatMap(({ text }) => text.split(" ").slice(0, -1));
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter((path) => !existsSync(path))).toEqual([]);
  });

  it("runs as nobody special, and everything that runs later comes after that", () => {
    expect(only("USER")).toBe("node");
    const user = last.findIndex(({ name }) => name === "USER");
    const order = (name: string) => last.findIndex((instruction) => instruction.name === name);
    for (const name of ["HEALTHCHECK", "ENTRYPOINT", "CMD"]) expect([name, order(name) > user]).toEqual([name, true]);
    expect(last.findLastIndex(({ name }) => name === "RUN")).toBeLessThan(user);
  });

  it("fits its configuration: health, keys and ports", async () => {
    const [source, target] = last.find(({ text }) => text.includes(".json"))?.text.split(" ") ?? [];
    const config = await readNodeConfig(source ?? "");
    expect(words(only("ENTRYPOINT"))).toEqual(["toxcore-ts", "node"]);
    expect(words(only("CMD"))).toEqual(["--config", target]);
    const url = `http://127.0.0.1:${config.metrics?.port}/health`;
    expect(words(only("HEALTHCHECK"))).toEqual(["toxcore-ts", "node", "health", url]);
    expect(words(only("VOLUME"))).toEqual([dirname(config.keysFile)]);
    const ports = [`${config.port}/udp`, ...config.relayPorts.map((port) => `${port}/tcp`)];
    expect(only("EXPOSE").split(" ")).toEqual(ports);
    expect(config.relayPorts).not.toEqual([]);
  });
});
