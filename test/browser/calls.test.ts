/** Calls between pages, in real browsers, over the real stack. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Call, Tox } from "../../src/core.ts";
import { loadCryptoProvider, nodeEdges } from "../../src/node/index.ts";
import { libtoxcoreAvailable } from "../interop/available.ts";
import { ToxcorePeer } from "../interop/toxcore.ts";
import { type Ours, startOurs } from "../interop/two_sides.ts";
import { describeBrowser } from "./chromium.ts";
import { type Drops, droppable } from "./droppable.ts";
import { PagePerson } from "./page_person.ts";

/** Where the README has its pictures from: written there when `UPDATE_SCREENSHOTS` is set. */
const SCREENSHOTS = join(
  import.meta.dirname,
  process.env.UPDATE_SCREENSHOTS ? "../../docs/images" : "../../node_modules/.cache/screenshots",
);
const PATIENCE_MS = 60_000;

function screenshot(person: PagePerson, name: string): Promise<Buffer> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return person.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/** An address of a node, as programs take it. */
function addressOf({ node }: Ours): string {
  return `${node.host}:${node.port}:${node.publicKey}`;
}

async function until(what: string, condition: () => boolean): Promise<number> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return performance.now();
}

describeBrowser("two pages", () => {
  let network: Ours;
  let [alice, bob]: PagePerson[] = [];

  beforeAll(async () => {
    network = await startOurs();
    const bootstrap = addressOf(network);
    [alice, bob] = await Promise.all([
      PagePerson.start({ name: "Alice", bootstrap, tone: 440 }),
      PagePerson.start({ name: "Bob", bootstrap, tone: 660, colors: "dark" }),
    ]);
  });
  afterAll(async () => {
    await Promise.all([alice?.[Symbol.asyncDispose](), bob?.[Symbol.asyncDispose]()]);
    await network?.[Symbol.asyncDispose]();
  });

  it("become friends, call, and see and hear each other; one is loaded anew, and hangs up", async () => {
    if (alice === undefined || bob === undefined) throw new Error("they are not there");
    await alice.add(await bob.id());
    await bob.acceptRequest();
    await Promise.all([alice.untilOnline(), bob.untilOnline()]);
    await screenshot(alice, "embed-call-friend");

    await alice.click("call-video");
    await bob.page.locator("#answer-video").waitFor();
    await screenshot(bob, "embed-call-incoming");
    await bob.click("answer-video");
    await Promise.all([alice.untilMoving(), bob.untilMoving()]);
    await Promise.all([alice.untilHeard(660), bob.untilHeard(440)]);
    await Promise.all([alice.untilInStep(), bob.untilInStep()]);
    const whole = { hasText: "direct", hasNotText: "–" };
    await Promise.all([alice, bob].map(({ page }) => page.locator("#stats").filter(whole).waitFor()));
    await Promise.all([screenshot(alice, "embed-call-call"), screenshot(bob, "embed-call-call-dark")]);
    await alice.page.setViewportSize({ width: 400, height: 800 });
    await screenshot(alice, "embed-call-narrow");
    await alice.page.setViewportSize({ width: 1280, height: 800 });

    await bob.page.reload();
    await bob.untilMoving();
    await bob.untilHeard(440);
    await alice.untilHeard(660);
    await bob.click("hang-up");
    await Promise.all([alice, bob].map(({ page }) => page.locator("#call-video").waitFor()));
    expect([alice.complaints, bob.complaints]).toEqual([[], []]);
  });

  it("speak without pictures, and show the screen then", async () => {
    if (alice === undefined || bob === undefined) throw new Error("they are not there");
    await bob.click("call-voice");
    await alice.click("answer-voice");
    await Promise.all([alice.untilHeard(660), bob.untilHeard(440)]);
    await bob.click("camera");
    await alice.untilMoving();
    await bob.click("camera");
    await alice.page.locator('#call[data-seen="false"]').waitFor();
    await bob.click("mute");
    await alice.page.locator("#call-state").filter({ hasText: "microphone is off" }).waitFor();
    await bob.page.reload();
    await bob.page.locator('#mute[aria-pressed="true"]').waitFor();
    await alice.click("hang-up");
    await bob.page.locator("#call-video").waitFor();
  });
});

describeBrowser("a page without devices", () => {
  it("says what is missing, and hears and sees its friend all the same", async () => {
    await using network = await startOurs();
    const bootstrap = addressOf(network);
    await using listener = await PagePerson.start({ name: "Listener", bootstrap, present: false });
    await using speaker = await PagePerson.start({ name: "Speaker", bootstrap });
    await listener.add(await speaker.id());
    await speaker.acceptRequest();
    await Promise.all([listener.untilOnline(), speaker.untilOnline()]);
    await listener.click("call-video");
    await listener.page
      .locator("#notices p")
      .filter({ hasText: "camera is not there. The call goes on without it." })
      .waitFor();
    await speaker.click("answer-video");
    await listener.untilMoving();
    await listener.untilHeard(440);
  });

  it("says so when its link is not the program's", async () => {
    await using person = await PagePerson.start({ name: "Somebody" });
    await person.page.goto(person.url.slice(0, -1));
    await person.page.locator("#banner").filter({ hasText: "does not take this link" }).waitFor();
  });
});

describeBrowser("a page whose friend's way loses everything for two seconds", () => {
  let network: Ours;
  let page: PagePerson;
  let friend: Tox;
  let call: Call;
  const drops: Drops = { coming: false, going: false };
  /** Pictures of the page, with the moment they came, of which none is missing. */
  const seen: number[] = []; // bounded by the test

  beforeAll(async () => {
    network = await startOurs();
    const edges = nodeEdges();
    friend = await Tox.create(
      {
        ...edges,
        datagrams: droppable(edges.datagrams, drops),
        crypto: await loadCryptoProvider(),
        release: edges.close,
      },
      { bindIpv4: "127.0.0.1", ipv6: false, port: 0, bootstrap: [network.node], name: "Mirror" },
    );
    friend.on("friendRequest", (request) => request.accept());
    page = await PagePerson.start({ name: "Page", bootstrap: addressOf(network) });
    const incoming = new Promise<Call>((resolve) => friend.on("incomingCall", resolve));
    await page.add(friend.id);
    await page.untilOnline();
    await page.click("call-video");
    call = await incoming;
    call.audio.on("arrived", (frame) => call.audio.send(frame));
    call.video.on("frame", (frame) => {
      if (!frame.damaged) seen.push(performance.now());
      call.video.send(frame);
    });
    call.video.on("keyFrameWanted", () => call.video.requestKeyFrame());
    call.answer({ video: true });
    await page.untilMoving();
  });
  afterAll(async () => {
    await page?.[Symbol.asyncDispose]();
    await friend?.close();
    await network?.[Symbol.asyncDispose]();
  });

  async function loseForTwoSeconds(direction: keyof Drops): Promise<void> {
    drops[direction] = true;
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    drops[direction] = false;
  }

  it("sees him again", async () => {
    const frames = () =>
      page.page.evaluate("document.querySelector('#remote').getVideoPlaybackQuality().totalVideoFrames");
    const began = performance.now();
    await loseForTwoSeconds("going");
    const before = Number(await frames());
    let now = before;
    while (now < before + 5) now = Number(await frames());
    console.log(`the page shows him again after ${Math.round(performance.now() - began)} ms`);
    await page.untilMoving();
  });

  it("is seen again by him", async () => {
    const began = performance.now();
    await loseForTwoSeconds("coming");
    const count = seen.length;
    const back = await until("a whole picture", () => seen.length > count + 5);
    console.log(`he sees the page again after ${Math.round(back - began)} ms`);
    expect(call.state).toBe("active");
  });
});

describeBrowser("a page and libtoxav", () => {
  it.skipIf(!libtoxcoreAvailable() && !process.env.CI)("recognise each other's tone and picture", async () => {
    await using network = await startOurs();
    await using page = await PagePerson.start({ name: "Page", bootstrap: addressOf(network), tone: 440 });
    await using theirs = await ToxcorePeer.start({ av: true });
    await theirs.bootstrap(network.node);
    await page.add(theirs.address);
    const { publicKey: us } = await theirs.waitFor("friendRequest", {}, 120_000);
    await theirs.friendAddNorequest(us);
    await page.untilOnline();
    await page.click("call-video");
    await theirs.waitFor("call", { friend: us, audio: true, video: true }, PATIENCE_MS);
    await theirs.calls.answer(us, { audio: 48, video: 1_000 });
    await theirs.calls.sendTone(us, 1_000);
    await theirs.calls.sendPicture(us);

    const heard = await theirs.calls.untilHeard(us, ({ frequency }) => Math.abs(frequency - 440) < 5, PATIENCE_MS);
    expect(heard).toMatchObject({ sampleRate: 48_000 });
    await theirs.calls.untilSeen(us, ({ frames, moving }) => frames > 30 && moving, PATIENCE_MS);

    expect(await page.untilHeard(1_000)).toBeGreaterThan(990);
    await page.untilMoving();
    // their picture's brightness walks between 63 and 183
    const seen = new Set<"dark" | "bright">();
    await expect
      .poll(
        async () => {
          const mean = await page.brightness();
          if (mean < 90) seen.add("dark");
          if (mean > 150) seen.add("bright");
          return seen.size;
        },
        { timeout: PATIENCE_MS, interval: 30 },
      )
      .toBe(2);
    await theirs.calls.control(us, "cancel");
    await page.page.locator("#call-video").waitFor();
    expect(page.complaints).toEqual([]);
  });
});
