let stop;

/** A quiet ring, where the browser lets a page sound: after the first click in it. */
export function ring(on) {
  if (!on) stop?.();
  if (on === (stop !== undefined)) return;
  const context = new AudioContext();
  const strike = () => {
    for (const [after, pitch] of [
      [0, 659],
      [0.18, 523],
    ]) {
      const [tone, loudness] = [context.createOscillator(), context.createGain()];
      const at = context.currentTime + after;
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.12, at);
      loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
      tone.connect(loudness).connect(context.destination);
      tone.start(at);
      tone.stop(at + 0.5);
    }
  };
  const timer = setInterval(() => context.state === "running" && strike(), 1_800);
  stop = () => {
    clearInterval(timer);
    context.close();
    stop = undefined;
  };
}
