// Sound and picture with little delay: this page joins the broadcast itself, by WebRTC, as Sora's own JavaScript SDK does it.

const OPTIONS = { audio: true, video: true, connectionTimeout: 10000 };
const TRIES = 2;
const PAUSE = 1000;
const EVERY = 1000;

// Seconds from a microphone to this browser's network: the robot's encoder and the way there and through the service.
const ON_THE_WAY = 0.1;

export class DirectPlayer extends EventTarget {
  #audio;
  #sound;
  #library = null;
  #connection = null;
  #watch = null;
  #status = "idle";
  #tries = 0;
  #attempt = 0;
  #timer = 0;
  #clock = 0;
  #latency = ON_THE_WAY;
  #emitted = { delay: 0, count: 0 };

  constructor(audio, sound) {
    super();
    this.#audio = audio;
    this.#sound = sound;
  }

  // idle, opening, playing, buffering, retrying or blocked; the event "failed" says that it has given up.
  get status() {
    return this.#status;
  }

  get channel() {
    return this.#watch?.channel ?? null;
  }

  get sounding() {
    return this.#status === "playing" || this.#status === "buffering";
  }

  static get possible() {
    return "RTCPeerConnection" in globalThis;
  }

  // What is sent has no clock of its own; see latency().
  heardAt() {
    return null;
  }

  // Seconds from a microphone to the loudspeaker, by what the browser measures of its own share of them.
  latency() {
    return this.#latency;
  }

  // Joins watch.channel at watch.signalling; another channel is another broadcast.
  open(watch) {
    if (watch.channel === this.channel && this.#status !== "blocked") return;
    this.close();
    this.#watch = watch;
    this.#tries = 0;
    this.#start("opening");
  }

  close() {
    this.#release();
    this.#watch = null;
    this.#become("idle");
  }

  async #start(status) {
    const watch = this.#watch;
    const attempt = ++this.#attempt;
    this.#become(status);
    try {
      const { default: Sora } = await this.#loaded();
      if (attempt !== this.#attempt) return;
      await this.#join(Sora.connection(watch.signalling, false).recvonly(watch.channel, null, OPTIONS));
    } catch (error) {
      if (attempt === this.#attempt) this.#again(error);
    }
  }

  // The SDK; a load that failed is made again the next time.
  #loaded() {
    this.#library ??= import("./vendor/sora.js").catch((error) => {
      this.#library = null;
      throw error;
    });
    return this.#library;
  }

  async #join(connection) {
    this.#connection = connection;
    connection.on("track", (event) => connection === this.#connection && this.#take(event));
    connection.on("removetrack", () => connection === this.#connection && this.sounding && this.#become("buffering"));
    connection.on("disconnect", (event) => connection === this.#connection && this.#again(event));
    await connection.connect();
    if (connection !== this.#connection) return void connection.disconnect();
    this.#tries = 0;
    if (!this.sounding) this.#become("buffering");
    this.#clock = setInterval(() => this.#measure(), EVERY);
  }

  #take({ track, streams: [stream] }) {
    if (track.kind !== "audio") return;
    track.addEventListener("mute", () => this.#status === "playing" && this.#become("buffering"));
    track.addEventListener("unmute", () => this.#play());
    this.#audio.srcObject = stream;
    this.#sound.take(stream);
    this.#play();
  }

  #play() {
    this.#audio.play().then(
      () => this.#watch && this.#become("playing"),
      (error) => error.name === "NotAllowedError" && this.#refused(),
    );
  }

  #refused() {
    this.#release();
    this.#watch = null;
    this.#become("blocked");
  }

  #again() {
    this.#release();
    this.#tries += 1;
    if (this.#tries >= TRIES) return this.#fail();
    this.#become("retrying");
    this.#timer = setTimeout(() => this.#start("retrying"), PAUSE);
  }

  #fail() {
    this.#watch = null;
    this.#become("idle");
    this.dispatchEvent(new Event("failed"));
  }

  #release() {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    clearInterval(this.#clock);
    const connection = this.#connection;
    this.#connection = null;
    connection?.disconnect().catch(() => {});
    this.#sound.take(null);
    this.#audio.srcObject = null;
    this.#latency = ON_THE_WAY;
    this.#emitted = { delay: 0, count: 0 };
  }

  // How long packets wait here before they are heard, and half of the way to the server and back.
  async #measure() {
    const report = await this.#connection?.pc?.getStats();
    if (!report) return;
    const stats = [...report.values()];
    const sound = stats.find((each) => each.type === "inbound-rtp" && each.kind === "audio");
    const pair = stats.find((each) => each.type === "candidate-pair" && each.nominated && each.currentRoundTripTime);
    const before = this.#emitted;
    if (!sound || sound.jitterBufferEmittedCount <= before.count) return;
    this.#emitted = { delay: sound.jitterBufferDelay, count: sound.jitterBufferEmittedCount };
    const waited = (this.#emitted.delay - before.delay) / (this.#emitted.count - before.count);
    this.#latency = ON_THE_WAY + waited + (pair?.currentRoundTripTime ?? 0) / 2;
  }

  #become(status) {
    if (status === this.#status) return;
    this.#status = status;
    this.dispatchEvent(new Event("change"));
  }
}
