// What is heard: measures the level of the played sound and sets its volume, through Web Audio.

const SILENCE = -100;

export class Sound {
  #audio;
  #context = null;
  #gain = null;
  #analyser = null;
  #samples = null;
  #volume = 1;
  #direct;
  #stream = null;

  // audio plays what is fetched, direct what is joined.
  constructor(audio, direct) {
    this.#audio = audio;
    this.#direct = direct;
  }

  // Call it in a tap: browsers let sound begin there. Safari's own HLS player gives Web Audio nothing, so `tap` is false.
  open(tap) {
    if (tap && this.#context === null) this.#build();
    this.#context?.resume();
  }

  set volume(value) {
    this.#volume = value;
    this.#direct.volume = value * value;
    this.#direct.muted = value === 0;
    if (this.#gain) this.#gain.gain.setTargetAtTime(value * value, this.#context.currentTime, 0.02);
    else this.#audio.volume = value * value;
  }

  // Measures a joined stream from now on, which plays by itself; null: no more.
  take(stream) {
    this.#stream?.disconnect();
    this.#stream = stream && this.#context && this.#context.createMediaStreamSource(stream);
    this.#stream?.connect(this.#analyser);
  }

  // Seconds between this program and the listener's ear, as far as the browser knows.
  get delay() {
    return this.#context?.outputLatency ?? 0;
  }

  // RMS of the last 43 ms in dBFS, before the volume control; null when it cannot be measured.
  level() {
    if (this.#analyser === null) return null;
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    return power > 0 ? Math.max(SILENCE, 10 * Math.log10(power)) : SILENCE;
  }

  #build() {
    this.#context = new AudioContext();
    this.#analyser = new AnalyserNode(this.#context, { fftSize: 2048 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#gain = new GainNode(this.#context);
    const source = this.#context.createMediaElementSource(this.#audio);
    source.connect(this.#analyser);
    source.connect(this.#gain).connect(this.#context.destination);
    this.#audio.volume = 1;
    this.volume = this.#volume;
    this.#context.addEventListener("statechange", () => this.#interrupted());
  }

  // A phone call takes the sound away; take it back when it may be had again.
  #interrupted() {
    if (this.#context.state === "interrupted") document.addEventListener("visibilitychange", () => this.open(true), { once: true });
  }
}
