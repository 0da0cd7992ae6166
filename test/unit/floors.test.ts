import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const FACADE: readonly string[] = [
  "tox.ts",
  "tox_env.ts",
  "tox_floors.ts",
  "tox_node.ts",
  "tox_options.ts",
  "tox_profile.ts",
  "ways_in.ts",
  "bootstrap_node.ts",
  "public_nodes.ts",
  "core.ts",
];

/**
 * The floors of the house, lowest first. A file imports from its own floor's folder or from lower floors; folders on one
 * floor never import one another. ARCHITECTURE.md says what lives where.
 */
const FLOORS: readonly (readonly string[])[] = [
  ["env", "util"],
  ["crypto"],
  ["wire"],
  ["network"],
  ["dht"],
  ["onion"],
  ["relay"],
  ["net_crypto"],
  ["friend"],
  ["files", "groups", "av", "state"],
  FACADE,
  ["node", "testing"],
  ["index.ts"],
  ["media"],
  ["rpc", "webrtc"],
  ["cli"],
];

/** env and util are one floor that may look at each other; tox.ts and core.ts are the facade together. */
const TOGETHER: readonly (readonly string[])[] = [["env", "util"], FACADE];

/** They use what an app can use, and small data structures. */
const PROGRAMS = ["cli", "rpc", "webrtc"];

/** The edges bring what the core's ports ask for: they know the ports, the crypto floor, and nothing of the protocol. */
const EDGES_MAY_IMPORT = new Set(["env", "util", "crypto"]);

const root = resolve(import.meta.dirname, "../..");
const source = join(root, "src");
const files = globSync("src/**/*.{ts,tsx}", { cwd: root }).map((file) => join(root, file));

const roomOf = (file: string): string => relative(source, file).split("/")[0] ?? "";
const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => ({ from: file, to: resolve(dirname(file), specifier) }));
}

function isAllowed({ from, to }: Import): boolean {
  const fromRoom = roomOf(from);
  const toRoom = roomOf(to);
  if (fromRoom === toRoom) return true;
  if (fromRoom === "node" || fromRoom === "testing") return EDGES_MAY_IMPORT.has(toRoom);
  if (toRoom === "node" || toRoom === "testing") return floorOf(fromRoom) > floorOf(toRoom);
  if (TOGETHER.some((rooms) => rooms.includes(fromRoom) && rooms.includes(toRoom))) return true;
  return floorOf(toRoom) >= 0 && floorOf(toRoom) < floorOf(fromRoom);
}

describe("the house", () => {
  it("has a floor for every room", () => {
    expect(files.filter((file) => floorOf(roomOf(file)) < 0)).toEqual([]);
    expect(files.length).toBeGreaterThan(50);
  });

  it("has imports that only go down", () => {
    const upward = files
      .flatMap(importsOf)
      .filter((edge) => !isAllowed(edge))
      .map((edge) => `${relative(root, edge.from)} imports ${relative(root, edge.to)}`);
    expect(upward).toEqual([]);
  });

  it("has programs that are written against the public API alone", () => {
    const programs = files.filter((file) => PROGRAMS.includes(roomOf(file)));
    const inside = programs
      .flatMap(importsOf)
      .filter((edge) => ![...PROGRAMS, "util", "index.ts", "core.ts", "node", "media"].includes(roomOf(edge.to)))
      .map((edge) => `${relative(root, edge.from)} imports ${relative(root, edge.to)}`);
    expect(inside).toEqual([]);
  });

  it("has no circle of imports", () => {
    const edges = new Map(files.map((file) => [file, importsOf(file).map((edge) => edge.to)]));
    const state = new Map<string, "open" | "done">();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === "done") return;
      if (state.get(file) === "open") {
        circles.push([...path.slice(path.indexOf(file)), file].map((step) => relative(root, step)).join(" -> "));
        return;
      }
      state.set(file, "open");
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      state.set(file, "done");
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });

  it("has a core that does not touch the machine", () => {
    const core = files.filter((file) => floorOf(roomOf(file)) <= floorOf("core.ts"));
    const machine =
      /\bMath\.random\b|\bDate\b\s*[.(]|\bnew Date\b|\bperformance\.|\bset(?:Timeout|Interval|Immediate)\(|\bBuffer\.|\bprocess\.|"node:|\bglobalThis\./;
    const reaching = core.filter((file) => machine.test(withoutComments(readFileSync(file, "utf8"))));
    expect(reaching.map((file) => relative(root, file))).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
}
