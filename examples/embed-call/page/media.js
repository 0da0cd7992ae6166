const GATHERING = 2_000;
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };

const WHY = {
  NotAllowedError: "was not allowed",
  NotFoundError: "is not there",
  NotReadableError: "is used by another program",
  OverconstrainedError: "is not there any more",
};

/** What this page sends and shows in one call: one line of sound and one of pictures, whose tracks come and go. */
export class Media {
  microphone;
  /** What is shown to the friend: the camera's track, or the screen's. */
  picture;
  kind = "none";
  /** Sees each problem as a sentence. */
  #tell;
  #pictureEnded;
  #peer;
  #senders = {};
  #before = new Map();
  #closed = false;

  constructor(tell, pictureEnded) {
    this.#tell = tell;
    this.#pictureEnded = pictureEnded;
  }

  /** Never rejects: what cannot be had is told, and left out. */
  async openMicrophone(deviceId) {
    const track = await this.#get("microphone", { audio: { ...SOUND, ...exactly(deviceId) } });
    if (track === undefined) return;
    track.enabled = this.microphone?.enabled ?? true;
    this.microphone?.stop();
    this.microphone = track;
    await this.#senders.audio?.replaceTrack(track);
  }

  /** `kind`: camera, screen or none. Never rejects. */
  async show(kind, deviceId) {
    let track;
    if (kind === "camera") track = await this.#get("camera", { video: { ...PICTURE, ...exactly(deviceId) } });
    if (kind === "screen") track = await this.#get("screen", { video: { frameRate: { ideal: 15 } } });
    if (track === undefined && kind !== "none") return; // what there was goes on
    if (kind === "screen") track.contentHint = "detail";
    this.picture?.stop();
    this.picture = track;
    this.kind = kind;
    track?.addEventListener("ended", () => this.picture === track && this.#pictureEnded());
    await this.#senders.video?.replaceTrack(track ?? null);
  }

  /** `exchange` takes our offer to the program, and brings its answer. `view` is the <video> of the friend. */
  async connect(exchange, view, failed) {
    this.#peer?.close();
    const peer = new RTCPeerConnection();
    this.#peer = peer;
    const there = new MediaStream();
    view.srcObject = there;
    peer.ontrack = ({ track }) => there.addTrack(track);
    peer.onconnectionstatechange = () => peer.connectionState === "failed" && peer === this.#peer && failed();
    for (const [kind, track] of [
      ["audio", this.microphone],
      ["video", this.picture],
    ]) {
      this.#senders[kind] = peer.addTransceiver(track ?? kind, { direction: "sendrecv" }).sender;
    }
    await peer.setLocalDescription();
    await gathered(peer);
    await peer.setRemoteDescription({ type: "answer", sdp: await exchange(peer.localDescription.sdp) });
  }

  async limitSound(bitRate) {
    const parameters = this.#senders.audio?.getParameters();
    if (parameters?.encodings?.[0] === undefined) return;
    parameters.encodings[0].maxBitrate = bitRate;
    await this.#senders.audio.setParameters(parameters).catch(() => {});
  }

  /** Bits per second and sizes since the last time, by direction and kind: `inAudio`, `outVideo`, `outSize` … */
  async measure() {
    const seen = {};
    for (const report of (await this.#peer?.getStats())?.values() ?? []) {
      const { type, kind, timestamp, frameWidth, frameHeight } = report;
      if (type !== "inbound-rtp" && type !== "outbound-rtp") continue;
      const bytes = report.bytesReceived ?? report.bytesSent ?? 0;
      const before = this.#before.get(report.id);
      this.#before.set(report.id, { bytes, timestamp });
      const side = type === "inbound-rtp" ? "in" : "out";
      if (before) seen[`${side}${kind}`] = ((bytes - before.bytes) * 8000) / Math.max(1, timestamp - before.timestamp);
      if (frameWidth) seen[`${side}Size`] = `${frameWidth}×${frameHeight}`;
    }
    return seen;
  }

  close() {
    this.#closed = true;
    this.#peer?.close();
    this.#peer = undefined;
    this.microphone?.stop();
    this.picture?.stop();
  }

  async #get(what, wanted) {
    try {
      const media = navigator.mediaDevices;
      const stream = await (what === "screen" ? media.getDisplayMedia(wanted) : media.getUserMedia(wanted));
      const [track] = stream.getTracks();
      if (!this.#closed) return track;
      track.stop(); // the call was over before it was allowed
    } catch ({ name, message }) {
      this.#tell(`Your ${what} ${WHY[name] ?? `cannot be used (${message})`}. The call goes on without it.`);
    }
    return undefined;
  }
}

/** Fills the menus with what there is; names are known once one was allowed. */
export async function listDevices(menus) {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  for (const [kind, menu] of Object.entries(menus)) {
    const options = devices
      .filter((one) => one.kind === kind)
      .map((one) => new Option(one.label || "Unnamed", one.deviceId));
    const chosen = menu.value;
    menu.replaceChildren(...options);
    if (options.some(({ value }) => value === chosen)) menu.value = chosen;
    menu.closest("label").hidden = options.length === 0;
  }
}

function exactly(deviceId) {
  return deviceId ? { deviceId: { exact: deviceId } } : {};
}

function gathered(peer) {
  return new Promise((resolve) => {
    const look = () => peer.iceGatheringState === "complete" && resolve();
    peer.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, GATHERING);
    look();
  });
}
