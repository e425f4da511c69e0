/** A short signal when a critical alert arrives: off until it is wanted, remembered by the browser. */

const WANTED = "alatau.sound";
/** Two tones, of hertz. */
const TONES = [880, 660];
const TONE_SECONDS = 0.18;

class Sound {
  #on = $state(localStorage.getItem(WANTED) === "on");
  #audio: AudioContext | null = null;

  get on(): boolean {
    return this.#on;
  }

  /** Called from a press: browsers allow no sound before one. The signal is heard once, so that one knows it. */
  choose(on: boolean): void {
    this.#on = on;
    if (on) localStorage.setItem(WANTED, "on");
    else localStorage.removeItem(WANTED);
    if (on) void this.play();
  }

  async play(): Promise<void> {
    // Before the first press on the page a browser would keep the signal back, and sound it late.
    if (!this.#on || !navigator.userActivation.hasBeenActive) return;
    this.#audio ??= new AudioContext();
    if (this.#audio.state === "suspended") await this.#audio.resume();
    const begin = this.#audio.currentTime;
    for (const [place, tone] of TONES.entries()) this.#tone(this.#audio, tone, begin + place * TONE_SECONDS);
  }

  #tone(audio: AudioContext, hertz: number, at: number): void {
    const oscillator = new OscillatorNode(audio, { frequency: hertz });
    const volume = new GainNode(audio, { gain: 0 });
    volume.gain.setValueAtTime(0.2, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + TONE_SECONDS);
    oscillator.connect(volume).connect(audio.destination);
    oscillator.start(at);
    oscillator.stop(at + TONE_SECONDS);
  }
}

export const sound = new Sound();
