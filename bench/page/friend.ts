/** A friend in a process of his own, who sends each frame back. Prints his Tox ID. */
import { parseBootstrapNode, Tox } from "../../src/index.ts";

const node = parseBootstrapNode(process.argv[2] ?? "");
const tox = await Tox.create({ bindIpv4: "127.0.0.1", ipv6: false, port: 0, bootstrap: [node], name: "echo" });
console.log(tox.id);
tox.on("friendRequest", (request) => request.accept());
tox.on("incomingCall", (call) => {
  call.audio.on("arrived", (frame) => call.audio.send(frame));
  call.video.on("frame", (frame) => call.video.send(frame));
  call.video.on("keyFrameWanted", () => call.video.requestKeyFrame());
  call.answer({ audio: true, video: true });
});
process.stdin.on("end", () => tox.close()).resume();
