// Time as the listener hears it. Words, states and levels carry Unix times; they are shown when the sound gets there.

const FARTHEST = 60;
const LONGEST_HOLD = 15;
const FURTHEST_AHEAD = 2;

export class StreamClock {
  #player;
  #sound;
  #offset = 0;

  constructor(player, sound) {
    this.#player = player;
    this.#sound = sound;
  }

  // Learns the server's clock, so that a wrong one in this device does no harm.
  sync(serverNow) {
    this.#offset = serverNow - Date.now() / 1000;
  }

  // Unix seconds by the server's clock.
  server() {
    return Date.now() / 1000 + this.#offset;
  }

  // Unix seconds of the sound that is heard at this moment; the present when nothing is played.
  now() {
    if (!this.#player.sounding) return this.server();
    const heard = this.#player.heardAt();
    const behind = heard === null ? null : this.server() - heard;
    return behind !== null && Math.abs(behind) < FARTHEST ? heard - this.#sound.delay : this.server() - this.#player.latency();
  }
}

// Things to do when the sound gets to their time. A wrong clock somewhere can neither keep one back for more than
// LONGEST_HOLD seconds nor put one further ahead than FURTHEST_AHEAD, and by how much the broadcast is late on purpose.
export class Timeline {
  late = 0;
  #clock;
  #due = [];

  constructor(clock) {
    this.#clock = clock;
  }

  put(wanted, action) {
    const at = Math.min(wanted, this.#clock.server() + this.late + FURTHEST_AHEAD);
    let index = this.#due.length;
    while (index > 0 && this.#due[index - 1].at > at) index -= 1;
    this.#due.splice(index, 0, { at, action });
    this.run();
  }

  run() {
    const now = Math.max(this.#clock.now(), this.#clock.server() - LONGEST_HOLD);
    while (this.#due.length > 0 && this.#due[0].at <= now) this.#due.shift().action();
  }
}
