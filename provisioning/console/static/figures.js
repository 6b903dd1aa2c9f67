// Levels and waiting times as pictures that are numbers, too.

import { t } from "./i18n.js";

const SAMPLES = 150;
const QUIETEST = -70;
const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

// The loudness of both voices over the last 30 seconds.
export class LevelPlot {
  #plot;
  #words;
  #taken = { user: [], assistant: [] };
  #lines = {};

  constructor(plot, words) {
    this.#plot = plot;
    this.#words = words;
    for (const y of [30, 60]) plot.append(drawn("line", { class: "grid", x1: 0, x2: 300, y1: y, y2: y }));
    for (const [who, look] of [["user", "guest"], ["assistant", "robot"]]) {
      this.#lines[who] = drawn("polyline", { class: look });
      plot.append(this.#lines[who]);
    }
  }

  clear() {
    for (const [who, taken] of Object.entries(this.#taken)) {
      taken.length = 0;
      this.#lines[who].setAttribute("points", "");
    }
    this.#words.textContent = "";
  }

  add(levels) {
    const now = { user: levels.user ?? -100, assistant: levels.assistant ?? -100 };
    for (const [who, taken] of Object.entries(this.#taken)) {
      taken.push(now[who]);
      if (taken.length > SAMPLES) taken.shift();
      this.#lines[who].setAttribute("points", taken.map((level, index) => this.#point(level, index, taken.length)).join(" "));
    }
    const words = t("console.levels.now", { user: now.user.toFixed(0), assistant: now.assistant.toFixed(0) });
    this.#words.textContent = words;
    this.#plot.ariaLabel = `${t("console.levels")}: ${words}`;
  }

  #point(level, index, count) {
    const x = 300 - (count - 1 - index) * (300 / (SAMPLES - 1));
    const share = Math.min(1, Math.max(0, (level - QUIETEST) / -QUIETEST));
    return `${x.toFixed(1)},${(88 - 86 * share).toFixed(1)}`;
  }
}

function row(name, begin, end, longest, look = "") {
  const made = document.createElement("tr");
  made.className = look;
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  const cell = document.createElement("td");
  const lane = document.createElement("div");
  lane.className = "lane";
  const bar = document.createElement("span");
  bar.className = "span";
  bar.style.marginLeft = `${(60 * begin) / longest}%`;
  bar.style.width = `${(60 * (end - begin)) / longest}%`;
  const number = document.createElement("span");
  number.textContent = `${Math.round(end)} ms`;
  lane.append(bar, number);
  cell.append(lane);
  made.append(head, cell);
  return made;
}

// How long a conversation took to begin: milliseconds from the request for it.
export function drawStart(body, marks) {
  const steps = ["granted", "listening", "on_air"].filter((name) => name in marks && "asked" in marks);
  const ends = steps.map((name) => [name, 1000 * (marks[name] - marks.asked)]).sort((one, other) => one[1] - other[1]);
  const longest = Math.max(1, ...ends.map(([, end]) => end));
  let before = 0;
  body.replaceChildren(...ends.map(([name, end]) => {
    const made = row(t(`console.${name}`), before, end, longest);
    before = end;
    return made;
  }));
}

// How long each answer took: milliseconds from the end of speech, as the robot heard of it.
export class Turns {
  #body;
  #turns = [];
  #number = 0;

  constructor(body) {
    this.#body = body;
  }

  clear() {
    this.#turns = [];
    this.#number = 0;
    this.draw();
  }

  take(event) {
    const last = this.#turns[0];
    switch (event.name) {
      case "input_audio_buffer.speech_stopped":
        this.#turns.unshift({ number: (this.#number += 1), from: event.at, steps: {} });
        this.#turns.length = Math.min(this.#turns.length, 4);
        return;
      case "response.created":
        return this.#mark(last, "created", event);
      case "response.output_audio_transcript.delta":
        return this.#mark(last, "words", event);
      case "output_audio_buffer.started":
        return this.#mark(last, "sound", event);
    }
  }

  draw() {
    const longest = Math.max(1, ...this.#turns.flatMap((turn) => Object.values(turn.steps)));
    this.#body.replaceChildren(...this.#turns.flatMap((turn) => this.#rows(turn, longest)));
  }

  #rows(turn, longest) {
    const head = document.createElement("tr");
    head.className = "turn";
    const title = document.createElement("th");
    title.scope = "rowgroup";
    title.textContent = t("console.turn", { number: String(turn.number) });
    head.append(title, document.createElement("td"));
    const steps = Object.entries(turn.steps).sort((one, other) => one[1] - other[1]);
    return [head, ...steps.map(([name, end]) => row(t(`console.${name}`), 0, end, longest, name === "sound" ? "whole" : ""))];
  }

  #mark(turn, step, event) {
    if (turn === undefined || step in turn.steps) return;
    turn.steps[step] = 1000 * (event.at - turn.from);
    this.draw();
  }
}
