// The listen button, the low-delay switch, mute, volume, and the line that says how the sound is doing.

import { keep, kept } from "./kept.js";
import { t } from "./i18n.js";
import { isLive } from "./view.js";

const VOLUME = "kaiwa.volume";

export class Listening {
  wanted = false;
  #tuner;
  #sound;
  #parts;
  #muted = false;
  #view = "connecting";

  // parts: {listen, label, direct, mute, volume, words, bar}; tell(words) shows them for a moment.
  constructor(tuner, sound, parts, tell) {
    this.#tuner = tuner;
    this.#sound = sound;
    this.#parts = parts;
    parts.listen.addEventListener("click", () => this.toggle());
    parts.direct.addEventListener("click", () => this.switchDelay());
    parts.mute.addEventListener("click", () => this.mute());
    parts.volume.value = kept(VOLUME) ?? "1";
    parts.volume.addEventListener("input", () => this.#turned());
    tuner.addEventListener("change", () => this.#changed());
    tuner.addEventListener("paused", () => this.toggle());
    tuner.addEventListener("failed", () => this.#fallBack(tell));
  }

  toggle() {
    this.wanted = !this.wanted;
    if (this.wanted) this.#sound.open(!this.#tuner.native);
    else this.#tuner.close();
    this.#apply();
  }

  switchDelay() {
    if (!this.#tuner.offered) return;
    this.#tuner.toggle();
    this.#apply();
  }

  mute() {
    this.#muted = !this.#muted;
    this.#apply();
  }

  // Takes what the page shows and where the sound is: {playlist, watch}, each null when there is none.
  follow(view, source) {
    this.#view = view;
    this.#tuner.follow(source);
    this.#apply();
  }

  // Says how the sound is doing; `behind` in seconds, or null.
  describe(behind = null) {
    const words = this.#words(behind);
    if (this.#parts.words.textContent !== words) this.#parts.words.textContent = words;
  }

  #apply() {
    if (this.wanted && this.#tuner.receivable) this.#tuner.open();
    else this.#tuner.close();
    this.#sound.volume = this.#muted ? 0 : Number(this.#parts.volume.value);
    this.#draw();
  }

  #draw() {
    const { listen, label, direct, mute, bar } = this.#parts;
    bar.dataset.sound = this.wanted ? this.#tuner.status : "off";
    direct.hidden = !this.#tuner.offered;
    direct.ariaPressed = String(this.#tuner.direct);
    bar.dataset.when = isLive(this.#view) ? "now" : "later";
    listen.ariaPressed = String(this.wanted);
    label.textContent = t(this.wanted ? "listen.stop" : isLive(this.#view) ? "listen" : "listen.armed");
    listen.title = label.textContent;
    mute.ariaPressed = String(this.#muted);
    mute.ariaLabel = mute.title = t(this.#muted ? "unmute" : "mute");
    this.describe();
  }

  #words(behind) {
    const { status, direct } = this.#tuner;
    if (status === "blocked") return t("sound.blocked");
    if (!this.wanted) return "";
    if (status === "idle") return t("sound.armed");
    if (status === "playing" && direct) return t("sound.direct");
    if (status === "playing" && behind !== null) return t("sound.behind", { seconds: behind.toFixed(1) });
    return t(`sound.${status}`);
  }

  #turned() {
    keep(VOLUME, this.#parts.volume.value);
    this.#muted = false;
    this.#apply();
  }

  #changed() {
    if (this.#tuner.status === "blocked") this.wanted = false;
    this.#draw();
  }

  #fallBack(tell) {
    tell(t("sound.fellback"));
    this.#apply();
  }
}
