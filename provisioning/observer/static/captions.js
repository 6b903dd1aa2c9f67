// The conversation as text: who says what, in the order of speech, the words that are being heard in full ink.

import { t } from "./i18n.js";

const MOST = 200;
const NEAR_THE_END = 80;

export class Captions {
  #list;
  #scroller;
  #jump;
  #reader;
  #name;
  #entries = new Map();
  #pinned = true;

  // list: <ol>; scroller: what scrolls; jump: button to the end; reader: the live region; name(): the robot's name.
  constructor({ list, scroller, jump, reader, name }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#jump = jump;
    this.#reader = reader;
    this.#name = name;
    scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    jump.addEventListener("click", () => this.#toEnd("smooth"));
    new ResizeObserver(() => this.#pinned && this.#toEnd("instant")).observe(scroller);
  }

  get empty() {
    return this.#entries.size === 0;
  }

  // Shows a caption, or puts it in the place of the one with its id; `now` is the time that is heard.
  show(caption, now) {
    const known = this.#entries.get(caption.id);
    if (!caption.text.trim()) return this.#remove(known);
    const entry = known ?? { item: this.#item(caption) };
    entry.caption = caption;
    entry.cut = null;
    this.#entries.set(caption.id, entry);
    if (!known) this.#place(entry);
    this.#ink(entry, now);
    this.#read(entry);
    this.#group();
    if (this.#pinned) this.#toEnd("instant");
  }

  clear() {
    this.#entries.clear();
    this.#list.replaceChildren();
    this.#jump.hidden = true;
    this.#pinned = true;
  }

  // Writes the words in the present language again.
  relabel() {
    for (const { item, caption } of this.#entries.values()) this.#label(item, caption);
  }

  // Lets the ink follow the sound: `now` is the time that is heard.
  follow(now) {
    for (const entry of this.#entries.values()) if (entry.cut !== entry.caption.text.length) this.#ink(entry, now);
  }

  #ink(entry, now) {
    const { speaker, text, start, end } = entry.caption;
    const share = speaker === "assistant" && end > start ? (now - start) / (end - start) : 1;
    this.#write(entry, wordBoundary(text, share));
  }

  #item(caption) {
    const item = document.createElement("li");
    item.className = caption.speaker;
    const who = Object.assign(document.createElement("p"), { className: "who" });
    const words = Object.assign(document.createElement("p"), { className: "words" });
    words.append(Object.assign(document.createElement("span"), { className: "spoken" }));
    words.append(Object.assign(document.createElement("span"), { className: "coming" }));
    item.append(who, words);
    this.#label(item, caption);
    return item;
  }

  #label(item, caption) {
    const who = item.querySelector(".who");
    who.textContent = caption.speaker === "user" ? t("voice.user") : this.#name();
    if (!caption.approximate) return;
    const mark = Object.assign(document.createElement("span"), { className: "approximate" });
    mark.textContent = t("captions.approximate");
    mark.title = t("captions.approximate.why");
    who.append(" ", mark);
  }

  #write(entry, cut) {
    if (entry.cut === cut) return;
    entry.cut = cut;
    const [spoken, coming] = entry.item.querySelectorAll(".words > span");
    spoken.textContent = entry.caption.text.slice(0, cut);
    coming.textContent = entry.caption.text.slice(cut);
    entry.item.classList.toggle("partial", !entry.caption.final);
  }

  #place(entry) {
    const later = [...this.#list.children].find((item) => this.#startOf(item) > entry.caption.start);
    entry.item.dataset.caption = entry.caption.id;
    this.#list.insertBefore(entry.item, later ?? null);
    if (this.#entries.size > MOST) this.#remove(this.#entries.get(this.#list.firstElementChild.dataset.caption));
  }

  #startOf(item) {
    return this.#entries.get(item.dataset.caption).caption.start;
  }

  #remove(entry) {
    if (!entry) return;
    this.#entries.delete(entry.caption.id);
    entry.item.remove();
    this.#group();
  }

  // Only what is final is read aloud, once.
  #read(entry) {
    if (!entry.caption.final || entry.readAloud) return;
    entry.readAloud = true;
    const who = entry.caption.speaker === "user" ? t("voice.user") : this.#name();
    this.#reader.textContent = `${who}: ${entry.caption.text}`;
  }

  #group() {
    let before = null;
    for (const item of this.#list.children) {
      item.classList.toggle("goes-on", before === item.classList[0]);
      item.classList.toggle("last", item === this.#list.lastElementChild);
      before = item.classList[0];
    }
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    this.#pinned = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
    this.#jump.hidden = this.#pinned;
  }

  #toEnd(behavior) {
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
  }
}

// The end of the word that `share` (0..1) of the text falls into; text without spaces is cut between characters.
export function wordBoundary(text, share) {
  const cut = Math.round(Math.min(1, Math.max(0, share)) * text.length);
  if (cut === 0) return 0;
  const rest = text.slice(cut).search(/[\s\u3000-\u30ff\u4e00-\u9fff]/);
  return rest < 0 ? text.length : cut + rest;
}
