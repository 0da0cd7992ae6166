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
      import * as media from "toxcore-ts/media";
      import * as rpc from "toxcore-ts/rpc";
      import * as webrtc from "toxcore-ts/webrtc";
      import * as testing from "toxcore-ts/testing";
      console.log(typeof main.Tox.create, typeof core.Tox.create, typeof node.nodeEdges);
      console.log(typeof media.loadOpus, typeof testing.Universe);
      console.log(typeof rpc.RpcServer, typeof webrtc.CallGateway);
    `);
    expect(out).toBe("function function function\nfunction function\nfunction function\n");
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

  it("has codecs, in threads of their own where they are slow", () => {
    const out = run(`
      import { loadOpus, loadVp8, testPicture } from "toxcore-ts/media";
      const opus = await loadOpus();
      const sound = await opus.encoder({ sampleRate: 48000, channels: 1, bitRate: 32000 });
      const vp8 = await loadVp8();
      const encoder = await vp8.encoder({ width: 64, height: 48, bitRate: 100000, frameRate: 30 });
      const decoder = await vp8.decoder();
      const frame = await encoder.encode(await testPicture({ width: 64, height: 48 }).read());
      const picture = await decoder.decode(frame.data);
      console.log(sound.encode(new Int16Array(960)).length, picture.width, picture.height);
    `);
    expect(out).toBe("80 64 48\n");
  });

  it("says what is missing where the optional codecs are not installed", () => {
    for (const name of ["libopus-wasm", "@libav.js"]) rmSync(join(app, "node_modules", name));
    const out = run(`
      import { loadOpus, loadVp8 } from "toxcore-ts/media";
      for (const load of [loadOpus, loadVp8]) {
        await load().catch(({ code, message }) => console.log(code, /install the package [a-z@]/.test(message)));
      }
    `);
    expect(out).toBe("codec-unavailable true\ncodec-unavailable true\n");
  });

  it("has types that an app compiles against", () => {
    const source = `
      import { Tox, type ToxErrorCode } from "toxcore-ts";
      import { loadOpus, toneSource } from "toxcore-ts/media";
      import { Universe } from "toxcore-ts/testing";
      export async function sound(): Promise<Uint8Array> {
        const encoder = await (await loadOpus()).encoder({ sampleRate: 48000, channels: 1, bitRate: 32000 });
        return encoder.encode((await toneSource(440).read(960)) ?? new Int16Array(960));
      }
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
