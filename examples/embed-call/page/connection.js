import { byId } from "./dom.js";

const WAYS = { udp: "direct", tcp: "through a relay", none: "lost" };

/** How the call is doing, in a few words. */
export function showConnection(way, stats, measured, remote) {
  const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;
  const rate = (bits) => (bits === undefined ? "–" : `${Math.round(bits / 1000)}`);
  const both = (coming, going) => `↓ ${coming}  ↑ ${going}`;
  const size = remote.videoWidth > 0 ? `${remote.videoWidth}×${remote.videoHeight}` : "–";
  const rows = {
    Way: WAYS[way] ?? way,
    "Round trip": stats.roundTripMs === null ? "–" : `${Math.round(stats.roundTripMs)} ms`,
    Lost: both(percent(stats.lossHere), percent(stats.lossThere)),
    "Sound, kbit/s": both(rate(measured.inaudio), rate(measured.outaudio)),
    "Picture, kbit/s": both(rate(measured.invideo), rate(measured.outvideo)),
    Size: both(size, measured.outSize ?? "–"),
  };
  const cells = Object.entries(rows).flatMap(([name, value]) => [cell("dt", name), cell("dd", value)]);
  byId("stats").replaceChildren(...cells);
  byId("stats").dataset.way = way;
}

function cell(tag, text) {
  return Object.assign(document.createElement(tag), { textContent: text });
}
