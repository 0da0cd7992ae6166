// The page of both ways: a picture that is hard to encode, a tone, and what comes back counted.
const search = new URLSearchParams(location.search);
const withVideo = search.get("video") === "1";

function drawing() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [1280, 720];
  const context = canvas.getContext("2d");
  const noise = context.createImageData(256, 256);
  for (let at = 0; at < noise.data.length; at++) noise.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
  const tile = document.createElement("canvas");
  [tile.width, tile.height] = [256, 256];
  tile.getContext("2d").putImageData(noise, 0, 0);
  let step = 0;
  setInterval(() => {
    step++;
    context.fillStyle = `hsl(${step} 50% 50%)`;
    context.fillRect(0, 0, 1280, 720);
    for (let at = 0; at < 4; at++)
      context.drawImage(tile, 100 + at * 280 + 80 * Math.sin(step / 9 + at), 200 + 90 * Math.cos(step / 7));
  }, 1000 / 30);
  return canvas.captureStream(30).getVideoTracks()[0];
}

function tone() {
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 440 });
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  oscillator.connect(out);
  oscillator.start();
  return out.stream.getAudioTracks()[0];
}

/** A white picture and a tone, at the same moment, once a second for a fifth of it. */
function flashes() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [640, 360];
  const drawn = canvas.getContext("2d");
  const context = new AudioContext();
  const oscillator = new OscillatorNode(context, { frequency: 440 });
  const gain = new GainNode(context, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  oscillator.connect(gain).connect(out);
  oscillator.start();
  setInterval(() => {
    const isOn = performance.now() % 1_000 < 200;
    gain.gain.value = isOn ? 1 : 0;
    drawn.fillStyle = isOn ? "white" : "black";
    drawn.fillRect(0, 0, 640, 360);
  }, 1000 / 60);
  return { audio: out.stream.getAudioTracks()[0], video: canvas.captureStream(60).getVideoTracks()[0] };
}

/** How long after they began the last flashes came back, in ms: their tones, and their white pictures. */
function watchFlashes(video, stream) {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 256 });
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(256);
  const drawn = new OffscreenCanvas(8, 8).getContext("2d");
  const began = { sound: [], picture: [] };
  const was = { sound: true, picture: true };
  const note = (kind, is) => {
    if (is && !was[kind]) began[kind].push(performance.now());
    was[kind] = is;
  };
  setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    note(
      "sound",
      samples.some((sample) => Math.abs(sample) > 0.2),
    );
  }, 4);
  const look = () => {
    drawn.drawImage(video, 0, 0, 8, 8);
    note("picture", drawn.getImageData(4, 4, 1, 1).data[1] > 128);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const latest = (moments) => moments.slice(-10).map((moment) => moment % 1_000);
  globalThis.flashes = () => ({ sound: latest(began.sound), picture: latest(began.picture) });
}

/** A second connection in the same page: what a browser takes by itself. */
async function connectTo(connection, seen) {
  const other = new RTCPeerConnection();
  other.onicecandidate = ({ candidate }) => candidate && connection.addIceCandidate(candidate);
  connection.onicecandidate = ({ candidate }) => candidate && other.addIceCandidate(candidate);
  other.ontrack = ({ track }) => seen.addTrack(track);
  await connection.setLocalDescription();
  await other.setRemoteDescription(connection.localDescription);
  await other.setLocalDescription();
  await connection.setRemoteDescription(other.localDescription);
}

async function overWebRtc() {
  const connection = new RTCPeerConnection();
  const seen = new MediaStream();
  const video = document.createElement("video");
  document.body.append(video);
  Object.assign(video, { srcObject: seen, autoplay: true, muted: false });
  const flashing = search.get("flash") === "1" && flashes();
  connection.ontrack = ({ track }) => seen.addTrack(track);
  const shown = withVideo ? drawing() : "video";
  const streams = [new MediaStream()];
  connection.addTransceiver(flashing ? flashing.audio : tone(), { direction: "sendrecv", streams });
  connection.addTransceiver(flashing ? flashing.video : shown, { direction: "sendrecv", streams });
  if (search.get("direct") === "1") {
    await connectTo(connection, seen);
    watchFlashes(video, seen);
    globalThis.counts = async () => ({});
    return;
  }
  await connection.setLocalDescription();
  const sdp = await (await fetch("/offer", { method: "POST", body: connection.localDescription.sdp })).text();
  await connection.setRemoteDescription({ type: "answer", sdp });
  if (flashing) watchFlashes(video, seen);
  globalThis.counts = async () => {
    const counts = { framesSent: 0, framesSeen: 0, bytesSent: 0, bytesSeen: 0, jitterBuffer: 0 };
    for (const one of (await connection.getStats()).values()) {
      if (one.type === "outbound-rtp" && one.kind === "video")
        Object.assign(counts, { framesSent: one.framesSent, bytesSent: one.bytesSent });
      if (one.type === "inbound-rtp" && one.kind === "video")
        Object.assign(counts, { framesSeen: one.framesDecoded, bytesSeen: one.bytesReceived });
      if (one.type === "inbound-rtp" && one.kind === "audio")
        counts.jitterBuffer = one.jitterBufferDelay / one.jitterBufferEmittedCount;
    }
    return counts;
  };
}

async function overWebSocket() {
  const counts = { framesSent: 0, framesSeen: 0, bytesSent: 0, bytesSeen: 0, jitterBuffer: 0 };
  globalThis.counts = async () => counts;
  const socket = new WebSocket(`ws://${location.host}/media`);
  socket.binaryType = "arraybuffer";
  await new Promise((resolve) => (socket.onopen = resolve));
  let keyFrame = true;
  const send = (kind, time, chunk) => {
    const message = new Uint8Array(9 + (chunk?.byteLength ?? 0));
    message[0] = kind;
    new DataView(message.buffer).setFloat64(1, time);
    chunk?.copyTo(message.subarray(9));
    socket.send(message);
  };
  const error = (problem) => console.error(problem);
  const videoOut = new VideoEncoder({
    error,
    output: (chunk) => {
      counts.framesSent++;
      counts.bytesSent += chunk.byteLength;
      send(1, chunk.timestamp / 1000, chunk);
    },
  });
  videoOut.configure({
    codec: "vp8",
    width: 1280,
    height: 720,
    bitrate: 1_500_000,
    framerate: 30,
    latencyMode: "realtime",
  });
  const audioOut = new AudioEncoder({ error, output: (chunk) => send(0, chunk.timestamp / 1000, chunk) });
  const videoIn = new VideoDecoder({
    error,
    output: (frame) => {
      counts.framesSeen++;
      frame.close();
    },
  });
  videoIn.configure({ codec: "vp8" });
  const audioIn = new AudioDecoder({ error, output: (data) => data.close() });
  audioIn.configure({ codec: "opus", sampleRate: 48_000, numberOfChannels: 1 });
  let seenKey = false;
  socket.onmessage = ({ data }) => {
    const kind = new Uint8Array(data)[0];
    const timestamp = new DataView(data).getFloat64(1) * 1000;
    const bytes = new Uint8Array(data, 9);
    if (kind === 0) audioIn.decode(new EncodedAudioChunk({ type: "key", timestamp, data: bytes }));
    if (kind === 2) keyFrame = true;
    if (kind !== 1) return;
    counts.bytesSeen += bytes.length;
    const type = (bytes[0] & 1) === 0 ? "key" : "delta";
    seenKey ||= type === "key";
    if (seenKey) videoIn.decode(new EncodedVideoChunk({ type, timestamp, data: bytes }));
    else send(2, 0);
  };
  const pump = async (track, take) => {
    const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      take(next.value);
      next.value.close();
    }
  };
  void pump(tone(), (data) => {
    const { sampleRate, numberOfChannels } = data;
    if (audioOut.state === "unconfigured")
      audioOut.configure({ codec: "opus", sampleRate, numberOfChannels, bitrate: 48_000 });
    audioOut.encode(data);
  });
  if (withVideo) {
    void pump(drawing(), (frame) => {
      if (videoOut.encodeQueueSize > 2) return;
      videoOut.encode(frame, { keyFrame });
      keyFrame = false;
    });
  }
}

await (search.get("way") === "webrtc" ? overWebRtc() : overWebSocket());
