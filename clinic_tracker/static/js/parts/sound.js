// Whether this browser may make a sound. A setting of the screen, not of the person: nothing about patients is kept.
const KEY = "clinic-tracker-sound";
let context = null;

export const soundIsOn = () => localStorage.getItem(KEY) === "on";

export function switchSound(on) {
  if (on) localStorage.setItem(KEY, "on");
  else localStorage.removeItem(KEY);
}

// Browsers allow sound only after somebody touched the page; until then there is nothing to play on, and no error.
export function mayPlay() {
  return navigator.userActivation?.hasBeenActive ?? context !== null;
}

export function beep() {
  if (!soundIsOn() || !mayPlay()) return;
  context ??= new AudioContext();
  context.resume().catch(() => {});
  for (const [at, pitch] of [[0, 880], [0.25, 660]]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, context.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, context.currentTime + at + 0.22);
    tone.connect(volume).connect(context.destination);
    tone.start(context.currentTime + at);
    tone.stop(context.currentTime + at + 0.24);
  }
}
