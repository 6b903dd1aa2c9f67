// The sound: one HLS stream at a time, close to its live edge, taken up again whenever it breaks.

// What is not there is tried again here, with words about it, and not silently in there.
const FAST = {
  maxTimeToFirstByteMs: 5000,
  maxLoadTimeMs: 8000,
  timeoutRetry: null,
  errorRetry: { maxNumRetry: 1, retryDelayMs: 500, maxRetryDelayMs: 500 },
};

// One segment behind the edge and 1.5 times speed to get there: 1.3-1.4 s with segments of 1 s.
const LIVE = {
  liveSyncDurationCount: 1,
  liveMaxLatencyDurationCount: 8,
  maxLiveSyncPlaybackRate: 1.5,
  backBufferLength: 10,
  enableWorker: false,
  manifestLoadPolicy: { default: FAST },
  playlistLoadPolicy: { default: FAST },
};
const AAC = 'audio/mp4; codecs="mp4a.40.2"';
const NATIVE = "application/vnd.apple.mpegurl";
const LONGEST_PAUSE = 5000;
const STALLED_AFTER = 8000;

export class Player extends EventTarget {
  #audio;
  #library = null;
  #hls = null;
  #url = null;
  #status = "idle";
  #pause = 500;
  #timer = 0;
  #watchdog = 0;

  constructor(audio) {
    super();
    this.#audio = audio;
    audio.addEventListener("playing", () => this.#playing());
    audio.addEventListener("waiting", () => this.#starved());
    audio.addEventListener("pause", () => this.#paused());
    audio.addEventListener("ended", () => this.#url && this.close());
    audio.addEventListener("error", () => this.native && this.#url && this.#again());
  }

  // idle, opening, playing, buffering, retrying, blocked or unsupported.
  get status() {
    return this.#status;
  }

  get url() {
    return this.#url;
  }

  // Whether the browser itself has to play HLS, for want of Media Source Extensions.
  get native() {
    return !(globalThis.ManagedMediaSource ?? globalThis.MediaSource)?.isTypeSupported(AAC);
  }

  get sounding() {
    return this.#status === "playing" || this.#status === "buffering";
  }

  // Fetches hls.js, a third of a megabyte, for those who will want it.
  prepare() {
    if (!this.native) this.#library ??= import("./vendor/hls.light.min.mjs");
  }

  // Plays `url` from its live edge on; a change of address is a new stream.
  open(url) {
    if (url === this.#url && this.#status !== "blocked") return;
    this.#release();
    this.#url = url;
    this.#pause = 500;
    this.#start("opening");
  }

  close() {
    this.#release();
    this.#url = null;
    this.#become("idle");
  }

  // Unix seconds of the sound now at the loudspeaker, by EXT-X-PROGRAM-DATE-TIME; null when the playlist has none.
  heardAt() {
    const hls = this.#hls?.playingDate;
    if (hls) return hls.getTime() / 1000;
    const start = this.#hls ? NaN : Number(this.#audio.getStartDate?.());
    return start > 0 ? start / 1000 + this.#audio.currentTime : null;
  }

  // Seconds behind the live edge, as well as it is known.
  latency() {
    return this.#hls?.latency ?? 0;
  }

  #start(status) {
    const native = this.native;
    if (native && !this.#audio.canPlayType(NATIVE)) return this.#become("unsupported");
    this.#become(status);
    this.#watch();
    if (!native) return this.#startHls(this.#url);
    this.#audio.src = this.#url;
    this.#play();
  }

  async #startHls(url) {
    this.prepare();
    const Hls = await this.#library.then((library) => library.default).catch(() => (this.#library = null));
    if (url !== this.#url || this.#hls) return;
    if (Hls === null) return this.#again();
    this.#hls = new Hls(LIVE);
    this.#hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.#again());
    this.#hls.loadSource(url);
    this.#hls.attachMedia(this.#audio);
    this.#play();
  }

  #play() {
    this.#audio.play().catch((error) => this.#refused(error));
  }

  #refused(error) {
    if (error.name !== "NotAllowedError") return; // an interrupted play() is followed by another
    this.#release();
    this.#become("blocked");
  }

  #playing() {
    clearTimeout(this.#watchdog);
    this.#pause = 500;
    if (this.#url) this.#become("playing");
  }

  // By a media key, or because the headphones were taken off; the end of the stream pauses too.
  #paused() {
    if (this.sounding && !this.#audio.ended) this.dispatchEvent(new Event("paused"));
  }

  #starved() {
    if (this.#status === "playing") this.#become("buffering");
    this.#watch();
  }

  #watch() {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => this.#url && this.#again(), STALLED_AFTER);
  }

  #again() {
    this.#release();
    this.#become("retrying");
    this.#timer = setTimeout(() => this.#start("retrying"), this.#pause);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #release() {
    clearTimeout(this.#timer);
    clearTimeout(this.#watchdog);
    this.#hls?.destroy();
    this.#hls = null;
    this.#audio.removeAttribute("src");
    this.#audio.load();
  }

  #become(status) {
    if (status === this.#status) return;
    this.#status = status;
    this.dispatchEvent(new Event("change"));
  }
}
