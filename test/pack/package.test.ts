import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

/** The tarball as npm would publish it, installed in a folder of its own beside the same dependencies. */
describe("the package", () => {
  let app: string;

  beforeAll(() => {
    app = mkdtempSync(join(tmpdir(), "toxcore-ts-pack-"));
    const modules = join(app, "node_modules");
    const unpacked = join(modules, "toxcore-ts");
    mkdirSync(unpacked, { recursive: true });
    execFileSync(process.execPath, [join(root, "scripts/build.mjs")], { stdio: "pipe" });
    execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", app], { cwd: root, stdio: "pipe" });
    const [tarball = ""] = readdirSync(app).filter((file) => file.endsWith(".tgz"));
    execFileSync("tar", ["-xzf", join(app, tarball), "-C", unpacked, "--strip-components=1"]);
    for (const name of readdirSync(join(root, "node_modules"))) {
      if (!name.startsWith(".") && name !== "toxcore-ts")
        symlinkSync(join(root, "node_modules", name), join(modules, name));
    }
    writeFileSync(join(app, "package.json"), '{ "type": "module", "private": true }');
  }, 120_000);

  afterAll(() => rmSync(app, { recursive: true, force: true }));

  const run = (code: string): string => {
    writeFileSync(join(app, "app.js"), code);
    return execFileSync(process.execPath, ["app.js"], { cwd: app, encoding: "utf8", timeout: 60_000 });
  };

  it("gives each of its entry points", () => {
    const out = run(`
      import * as main from "toxcore-ts";
      import * as core from "toxcore-ts/core";
      import * as node from "toxcore-ts/node";
      import * as testing from "toxcore-ts/testing";
      console.log(typeof main.Tox.create, typeof core.Tox.create, typeof node.nodeEdges, typeof testing.Universe);
    `);
    expect(out).toBe("function function function function\n");
  });

  it("makes an instance and lets go of the process when it closes", () => {
    const out = run(`
      import { Tox } from "toxcore-ts";
      const tox = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0 });
      console.log(/^[0-9A-F]{76}$/.test(tox.id));
      await tox.close();
    `);
    expect(out).toBe("true\n");
  });

  it("has types that an app compiles against", () => {
    const source = `
      import { Tox, type ToxErrorCode } from "toxcore-ts";
      import { Universe } from "toxcore-ts/testing";
      export async function app(): Promise<string> {
        await using tox = await Tox.create({ name: "typed" });
        tox.on("message", ({ friend, text }) => friend.send(text.toUpperCase()));
        const code: ToxErrorCode = "closed";
        // @ts-expect-error there is no such event
        tox.on("nonsense", () => {});
        return code + tox.id + new Universe({ seed: 1 }).now;
      }`;
    writeFileSync(join(app, "app.ts"), source);
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const flags = [
      "--noEmit",
      "--strict",
      "--module",
      "nodenext",
      "--target",
      "es2024",
      "--lib",
      "es2024,esnext.disposable",
    ];
    execFileSync(process.execPath, [tsc, ...flags, "--types", "node", "app.ts"], { cwd: app, encoding: "utf8" });
  }, 60_000);

  it("has the program", () => {
    const main = join(app, "node_modules/toxcore-ts/dist/cli/main.js");
    expect(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" })).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("has no fault that publint knows of", async () => {
    const { messages, pkg } = await publint({ pkgDir: root, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  }, 60_000);
});
