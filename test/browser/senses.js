// Runs in the page beside it: what its person sees and hears of the friend.
(() => {
  let before;
  let ear;
  let connection;
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...options) {
      super(...options);
      connection = this;
    }
  };

  function pixels() {
    const video = document.querySelector("#remote");
    if (!video?.videoWidth) return undefined;
    const context = new OffscreenCanvas(64, 48).getContext("2d");
    context.drawImage(video, 0, 0, 64, 48);
    return context.getImageData(0, 0, 64, 48).data;
  }

  globalThis.senses = {
    /** Whether the picture differs from the last time. */
    changes() {
      const [now, last] = [pixels(), before];
      before = now;
      return now?.some((value, at) => last !== undefined && Math.abs(value - last[at]) > 16) ?? false;
    },

    /** The mean, 0 to 255. */
    brightness() {
      const seen = pixels() ?? [];
      let sum = 0;
      for (let at = 0; at < seen.length; at += 4) sum += 0.299 * seen[at] + 0.587 * seen[at + 1] + 0.114 * seen[at + 2];
      return (sum * 4) / seen.length;
    },

    /** By how many ms the sound that plays and the picture that is shown were taken apart, as the browser reckons; undefined: not known. */
    async apart() {
      const streams = [...(await connection.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
      const [sound, picture] = ["audio", "video"].map((kind) => {
        return streams.find((one) => one.kind === kind)?.estimatedPlayoutTimestamp;
      });
      return sound && picture ? Math.abs(sound - picture) : undefined;
    },

    /** The strongest frequency in Hz, where it is the one that is looked for, or none is; false otherwise, and in silence. */
    hears(hertz) {
      const [track] = document.querySelector("#remote")?.srcObject?.getAudioTracks() ?? [];
      if (!track) return false;
      if (ear?.track !== track) {
        const context = new AudioContext();
        const analyser = new AnalyserNode(context, { fftSize: 16384, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
        ear = { track, context, analyser };
      }
      const power = new Float32Array(ear.analyser.frequencyBinCount);
      ear.analyser.getFloatFrequencyData(power);
      const best = power.reduce((highest, value, bin) => (bin > 0 && value > power[highest] ? bin : highest), 1);
      const found = (best * ear.context.sampleRate) / ear.analyser.fftSize;
      return power[best] > -60 && (hertz === undefined || Math.abs(found - hertz) < 6) && found;
    },
  };
})();
