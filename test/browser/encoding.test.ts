/** What a browser makes of the ways to encode that a gateway can ask for. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { CallGateway, type CallGatewayOptions } from "../../src/webrtc/index.ts";
import { opusPacketFacts } from "../../src/wire/av/opus_packet.ts";
import { FakeCall } from "../unit/webrtc/fake_call.ts";
import { describeBrowser, startChromium } from "./chromium.ts";

/** Two tones, one on each side, that `hush()` ends. */
const PAGE = `<!doctype html><script type="module">
  const context = new AudioContext();
  const merger = new ChannelMergerNode(context, { numberOfInputs: 2 });
  const gain = new GainNode(context);
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 2 });
  [300, 700].forEach((frequency, side) => {
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(merger, 0, side);
    tone.start();
  });
  merger.connect(gain).connect(out);
  globalThis.hush = () => { gain.gain.value = 0; };
  const peer = new RTCPeerConnection();
  peer.addTransceiver(out.stream.getAudioTracks()[0], { direction: "sendrecv" });
  peer.addTransceiver("video", { direction: "sendrecv" });
  await peer.setLocalDescription();
  const sdp = await (await fetch("/offer", { method: "POST", body: peer.localDescription.sdp })).text();
  await peer.setRemoteDescription({ type: "answer", sdp });
</script>`;

/** A page that sends into a call that there is not. */
async function pageInto(call: FakeCall, options: CallGatewayOptions) {
  await using starting = new AsyncDisposableStack();
  const server = createServer(async (request, response) => {
    if (request.url !== "/offer") {
      response.setHeader("content-type", "text/html").end(PAGE);
      return;
    }
    const offer = Buffer.concat(await request.toArray()).toString();
    const gateway = await CallGateway.open(call.asCall, offer, options);
    stack.defer(() => gateway.close());
    response.end(gateway.answer);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  starting.defer(() => void server.close());
  const browser = await startChromium();
  starting.defer(() => browser.close());
  const page = await browser.newPage();
  const stack = starting.move();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: "commit" });
  return { page, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describeBrowser("a page that is asked for stereo, frames of 40 ms and silence in silences", () => {
  it("sends that, with the time that passes in silence", async () => {
    const call = new FakeCall();
    await using sender = await pageInto(call, { stereo: true, frameDuration: 40, dtx: true });
    const { sent } = call.audio;
    await expect.poll(() => sent.length, { timeout: 60_000 }).toBeGreaterThan(30);
    const facts = sent.slice(-10).map(({ data }) => opusPacketFacts(data));
    expect(new Set(facts.map((one) => one?.duration))).toEqual(new Set([40]));
    expect(new Set(facts.map((one) => one?.channels))).toEqual(new Set([2]));
    const steps = () => sent.slice(1).map(({ timestamp }, at) => timestamp - (sent[at]?.timestamp ?? 0));
    expect(
      steps()
        .slice(-10)
        .every((step) => Math.abs(step - 40) < 0.01),
    ).toBe(true);

    await sender.page.evaluate("hush()");
    await expect.poll(() => Math.max(...steps()), { timeout: 60_000 }).toBeGreaterThan(200);
  });
});
