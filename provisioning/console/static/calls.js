// Calls of tools with what came of them, and the settings of the conversation.

import { t } from "./i18n.js";

const MOST = 50;

function line(name, args) {
  const made = document.createElement("li");
  const code = document.createElement("code");
  code.textContent = `${name}(${args})`;
  const result = document.createElement("span");
  result.className = "result";
  result.textContent = "…";
  made.append(code, result);
  return made;
}

// What the model called, newest first.
export class Calls {
  #list;
  #open = new Map();

  constructor(list) {
    this.#list = list;
  }

  clear() {
    this.#open.clear();
    this.#list.replaceChildren();
  }

  take(name, body) {
    if (name === "response.output_item.done" && body.item?.type === "function_call") this.#called(body.item);
    else if (name === "conversation.item.create" && body.item?.type === "function_call_output") this.#done(body.item);
  }

  #called(item) {
    const made = line(item.name, item.arguments);
    this.#open.set(item.call_id, made);
    this.#list.prepend(made);
    while (this.#list.children.length > MOST) this.#list.lastChild.remove();
  }

  #done(item) {
    const made = this.#open.get(item.call_id);
    if (made !== undefined) made.querySelector(".result").textContent = `→ ${item.output}`;
    this.#open.delete(item.call_id);
  }
}

// Shows what a session object says that an operator asks about.
export function showSettings(list, whole, session) {
  const input = session.audio?.input ?? {};
  const turns = input.turn_detection;
  const facts = {
    model: session.model,
    voice: session.audio?.output?.voice,
    transcription: input.transcription?.model,
    language: input.transcription?.language,
    turns: turns && [turns.type, turns.eagerness, turns.silence_duration_ms && `${turns.silence_duration_ms} ms`].filter(Boolean).join(" · "),
    noise: input.noise_reduction?.type,
    tools: session.tools?.map((tool) => tool.name ?? tool.server_label).join(", "),
    limit: session.max_output_tokens,
    expires: session.expires_at && new Date(session.expires_at * 1000).toLocaleTimeString(),
  };
  const shown = Object.entries(facts).filter(([, value]) => value !== undefined && value !== null && value !== "");
  list.replaceChildren(...shown.flatMap(([name, value]) => {
    const term = document.createElement("dt");
    term.textContent = t(`console.set.${name}`);
    const said = document.createElement("dd");
    said.textContent = String(value);
    return [term, said];
  }));
  whole.textContent = `${session.instructions ?? ""}\n\n${JSON.stringify(session.tools ?? [], null, 2)}`.trim();
}
