// The list of events, newest first; each opens to all of its JSON. Deltas of one answer share a line.

import { t } from "./i18n.js";

const MOST = 1000;
const BAD = /^error$|\.failed$/;

const clock = (at) => new Date(at * 1000).toISOString().slice(11, 23);

// The few words of an event that tell most.
export function gist(body) {
  const error = body.error ?? body.response?.status_details?.error;
  if (error) return `${error.code ?? error.type ?? ""} ${error.message ?? ""}`.trim();
  const item = body.item ?? {};
  const said = (item.content ?? []).map((part) => part.transcript ?? part.text).find(Boolean);
  const found = body.transcript ?? body.delta ?? said ?? item.output ?? body.arguments ?? item.arguments;
  return String(found ?? item.name ?? body.response?.status ?? "");
}

function read(event) {
  try {
    return JSON.parse(event.body);
  } catch {
    return null;
  }
}

function element(tag, name, text = "") {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

export class EventLog {
  #list;
  #empty;
  #count;
  #entries = [];
  #filter = "";
  #direction = "";

  constructor(list, empty, count) {
    this.#list = list;
    this.#empty = empty;
    this.#count = count;
  }

  // Adds one event, and returns its JSON, or null where it was cut.
  add(event) {
    const body = read(event);
    const last = this.#entries[0];
    const of = event.name.endsWith(".delta") ? `${event.name} ${body?.response_id ?? ""} ${body?.item_id ?? ""}` : null;
    if (of !== null && last?.of === of) this.#extend(last, event, body);
    else this.#begin(event, body, of);
    return body;
  }

  // Adds a line that is no event.
  note(at, text) {
    this.#insert({ of: null, way: "", text, bodies: [] }, at, "·", text, "");
  }

  clear() {
    this.#entries = [];
    this.#list.replaceChildren();
    this.#tell();
  }

  show(filter, direction) {
    this.#filter = filter.toLowerCase();
    this.#direction = direction;
    for (const entry of this.#entries) this.#sift(entry);
  }

  #begin(event, body, of) {
    const way = event.sent ? "sent" : "received";
    const entry = { of, way, text: `${event.name} ${event.body}`.toLowerCase(), bodies: [event], words: gist(body ?? {}) };
    this.#insert(entry, event.at, event.sent ? "↑" : "↓", event.name, entry.words);
    if (BAD.test(event.name) || body?.response?.status === "failed") entry.line.classList.add("bad");
  }

  #extend(entry, event, body) {
    entry.bodies.push(event);
    entry.words += body?.delta ?? "";
    entry.text += ` ${event.body}`.toLowerCase();
    entry.gist.textContent = entry.words;
    entry.times.textContent = `×${entry.bodies.length}`;
    if (entry.details.open) this.#unfold(entry);
    this.#sift(entry);
  }

  #insert(entry, at, arrow, name, words) {
    entry.line = element("li", entry.way);
    entry.details = document.createElement("details");
    const summary = document.createElement("summary");
    const way = element("span", "way", arrow);
    const spoken = entry.way && t(`console.${entry.way}`);
    if (spoken) way.title = way.ariaLabel = spoken;
    if (spoken) way.role = "img";
    const title = element("span", "name", name);
    entry.times = element("span", "times");
    title.append(entry.times);
    entry.gist = element("span", "gist", words);
    summary.append(element("time", "", clock(at)), way, title, entry.gist);
    entry.details.append(summary);
    entry.details.addEventListener("toggle", () => entry.details.open && this.#unfold(entry));
    entry.line.append(entry.details);
    this.#list.prepend(entry.line);
    this.#entries.unshift(entry);
    while (this.#entries.length > MOST) this.#entries.pop().line.remove();
    this.#sift(entry);
    this.#tell();
  }

  // Writes out the JSON only when somebody looks.
  #unfold(entry) {
    const whole = entry.bodies.map((event) => {
      const body = read(event);
      return body === null ? `${event.body}\n… ${t("console.cut")}` : JSON.stringify(body, null, 2);
    });
    entry.details.querySelector("pre")?.remove();
    const shown = element("pre", "", whole.join("\n"));
    shown.tabIndex = 0;
    entry.details.append(shown);
  }

  #sift(entry) {
    const fits = entry.text.includes(this.#filter) && (!this.#direction || entry.way === this.#direction);
    entry.line.hidden = !fits;
  }

  #tell() {
    this.#empty.hidden = this.#entries.length > 0;
    this.#count.textContent = String(this.#entries.length);
  }
}
