// The line to the server: one event stream that comes back by itself, whatever happens to the network.

const EVENTS = ["snapshot", "state", "caption", "levels", "viewers", "list", "card"];
const BEGINNINGS = new Set(["snapshot", "list"]);
const LONGEST_PAUSE = 8000;
const STALE_AFTER = 30000;

export class FeedLink {
  #url;
  #take;
  #tell;
  #source = null;
  #pause = 500;
  #timer = 0;
  #hiddenAt = 0;

  // take(name, data) gets each event; tell(up) is called when the line comes up or is lost.
  constructor(url, take, tell) {
    this.#url = url;
    this.#take = take;
    this.#tell = tell;
    addEventListener("online", () => this.open());
    document.addEventListener("visibilitychange", () => this.#afterSleep());
    addEventListener("pagehide", () => this.#source?.close());
    addEventListener("pageshow", (event) => event.persisted && this.open());
  }

  open() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = new EventSource(this.#url);
    for (const name of EVENTS) this.#source.addEventListener(name, (event) => this.#arrived(name, event));
    this.#source.onerror = () => this.#lost();
  }

  #arrived(name, event) {
    if (BEGINNINGS.has(name)) {
      this.#pause = 500;
      this.#tell(true);
    }
    this.#take(name, JSON.parse(event.data));
  }

  #lost() {
    this.#source.close();
    this.#tell(false);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#timer = setTimeout(() => this.open(), this.#pause * (0.5 + Math.random() / 2));
  }

  // A stream that slept with its page may be dead without knowing.
  #afterSleep() {
    if (document.hidden) this.#hiddenAt = Date.now();
    else if (this.#hiddenAt && Date.now() - this.#hiddenAt > STALE_AFTER) this.open();
  }
}
