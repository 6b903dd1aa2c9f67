// The robot on the page: its mood, its mouth, and how loud each voice is.

const LETTING_GO = 0.82;
const BLINK = 130;
const SELDOM = 3000;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  #scene;
  #meters;
  #shown = { user: 0, assistant: 0 };

  // scene: the figure; meters: {user, assistant}, elements with role="meter".
  constructor(scene, meters) {
    this.#scene = scene;
    this.#meters = meters;
    this.#blinkLater();
  }

  set mood(mood) {
    this.#scene.dataset.mood = mood;
  }

  #blinkLater() {
    setTimeout(() => this.#blink(), SELDOM * (0.6 + Math.random()));
  }

  #blink() {
    this.#scene.classList.toggle("blink", !STILL.matches);
    setTimeout(() => this.#scene.classList.remove("blink"), BLINK);
    this.#blinkLater();
  }

  // Moves towards loudness 0..1 of each voice: up at once, down slowly; called once per picture.
  levels(target) {
    for (const voice of ["user", "assistant"]) {
      const next = Math.max(target[voice], this.#shown[voice] * LETTING_GO);
      if (next === this.#shown[voice]) continue;
      this.#shown[voice] = next < 0.004 ? 0 : next;
      this.#scene.style.setProperty(`--${voice}`, this.#shown[voice].toFixed(3));
      const percent = String(Math.round(this.#shown[voice] * 100));
      if (this.#meters[voice].ariaValueNow !== percent) this.#meters[voice].ariaValueNow = percent;
    }
  }
}
