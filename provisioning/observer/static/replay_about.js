// What is known of a recording besides its words: facts, and what happened when.

import { t } from "./i18n.js";
import { median } from "./replay_time.js";

const CAUSES = new Set(["button", "remote", "idle", "longest", "answered", "goodbye", "shutdown"]);

// Why it began or ended, in words where there are some; as the robot told it otherwise.
function cause(reason) {
  const [kind] = (reason ?? "").split(":");
  return CAUSES.has(kind) ? t(`replay.by.${kind}`) : reason;
}

export class About {
  #facts;
  #happened;
  #record;
  #seek;

  // facts: <dl>; happened: <ol>; seek(at) jumps to a place.
  constructor(facts, happened, record, seek) {
    this.#facts = facts;
    this.#happened = happened;
    this.#record = record;
    this.#seek = seek;
  }

  // Writes all of it in `language`; clock(seconds) gives a place as people read it.
  write(language, clock) {
    this.#facts.replaceChildren(...this.#rows(language, clock).flatMap(([key, value]) => row(t(key), value)));
    this.#happened.replaceChildren(...this.#events().map((event) => this.#entry(event, clock)));
  }

  #rows(language, clock) {
    const { began_at, seconds, reason, end_reason, consent, model, cost, answers, whole, lost_seconds } = this.#record;
    const format = new Intl.DateTimeFormat(language, { dateStyle: "long", timeStyle: "medium" });
    const totals = answers.map((answer) => answer.total);
    const rows = [
      ["replay.began", format.format(new Date(began_at * 1000))],
      ["replay.seconds", clock(seconds)],
      ["replay.reason", cause(reason)],
      ["replay.end_reason", cause(end_reason)],
      ["replay.consent", t(consent === "asked" ? "replay.consent.asked" : "replay.consent.posted")],
      ["replay.model", model],
      ["replay.cost", cost],
      ["replay.cut", whole ? "" : t("replay.cut.why")],
      ["replay.lost", lost_seconds > 0 ? `${lost_seconds} s` : ""],
    ];
    if (totals.length > 0) {
      rows.push(["replay.answers", t("replay.answers.median", { count: totals.length, median: median(totals) })]);
    }
    return rows.filter(([, value]) => value);
  }

  #events() {
    const { answers, tools, faults } = this.#record;
    const said = [
      ...answers.map((each) => ({ at: each.at, words: t("replay.answer", each), detail: parts(each) })),
      ...tools.map((each) => ({ at: each.at, words: t("replay.tool", each), detail: `${each.arguments} → ${each.outcome}` })),
      ...faults.map((each) => ({ at: each.at, words: t("replay.fault", each), detail: each.text })),
    ];
    return said.sort((a, b) => a.at - b.at);
  }

  #entry({ at, words, detail }, clock) {
    const item = document.createElement("li");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "place" });
    button.textContent = clock(Math.max(0, at));
    button.addEventListener("click", () => this.#seek(at));
    const text = Object.assign(document.createElement("span"), { textContent: words });
    const more = Object.assign(document.createElement("small"), { textContent: detail });
    item.append(button, text, more);
    return item;
  }
}

const row = (term, value) => [
  Object.assign(document.createElement("dt"), { textContent: term }),
  Object.assign(document.createElement("dd"), { textContent: value }),
];

const parts = ({ network, model, device }) =>
  [network, model, device].includes(undefined) ? "" : t("replay.answer.parts", { network, model, device });
