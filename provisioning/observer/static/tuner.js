// Which of two ways the sound takes to this page: HLS, which any number can hear, or WebRTC, with little delay.

import { keep, kept } from "./kept.js";
import { DirectPlayer } from "./direct_player.js";

const WISH = "kaiwa.lowdelay";

export class Tuner extends EventTarget {
  #hls;
  #direct;
  #source = { playlist: null, watch: null };
  #wished = kept(WISH) === "yes";
  #failed = null;

  constructor(hls, direct) {
    super();
    this.#hls = hls;
    this.#direct = direct;
    for (const player of [hls, direct]) {
      player.addEventListener("change", () => player === this.#player && this.dispatchEvent(new Event("change")));
      player.addEventListener("paused", () => player === this.#player && this.dispatchEvent(new Event("paused")));
    }
    direct.addEventListener("failed", () => this.#giveUp());
  }

  get #player() {
    return this.direct ? this.#direct : this.#hls;
  }

  // Whether the broadcast can be joined from here.
  get offered() {
    return DirectPlayer.possible && this.#source.watch !== null;
  }

  // Whether the sound comes, or would come, with little delay.
  get direct() {
    return this.#wished && this.offered && this.#source.watch.channel !== this.#failed;
  }

  // Whether there is anything to listen to.
  get receivable() {
    return this.direct || this.#source.playlist !== null;
  }

  get status() {
    return this.#player.status;
  }

  get native() {
    return this.#hls.native;
  }

  get sounding() {
    return this.#player.sounding;
  }

  heardAt() {
    return this.#player.heardAt();
  }

  latency() {
    return this.#player.latency();
  }

  // Takes where the sound is: {playlist, watch}, each null when there is none.
  follow(source) {
    this.#source = source;
    if (source.playlist !== null) this.#hls.prepare();
  }

  // Takes the other way, and keeps the choice.
  toggle() {
    this.#wished = !this.direct;
    this.#failed = null;
    keep(WISH, this.#wished ? "yes" : "no");
  }

  // Plays what there is; what plays already goes on.
  open() {
    if (this.direct) {
      this.#hls.close();
      return this.#direct.open(this.#source.watch);
    }
    this.#direct.close();
    this.#hls.open(this.#source.playlist);
  }

  close() {
    this.#hls.close();
    this.#direct.close();
  }

  // This broadcast cannot be joined from here; the other way may still be open.
  #giveUp() {
    this.#failed = this.#source.watch?.channel ?? null;
    this.dispatchEvent(new Event("failed"));
  }
}
