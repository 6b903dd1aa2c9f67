// The operator's console: what one robot and its model say to each other, and the orders that an operator gives.

import { Calls, showSettings } from "./calls.js";
import { CONSOLE_WORDS } from "./console_words.js";
import { EventLog } from "./event_log.js";
import { drawStart, LevelPlot, Turns } from "./figures.js";
import { fill, learn, onLanguage, switchLanguage, t } from "./i18n.js";
import { keep, kept } from "./kept.js";

const KEY = "kaiwa.console.robot";
const LIVE = new Set(["listening", "thinking", "speaking"]);
const TALKING = new Set([...LIVE, "reconnecting"]);
const PHASES = { idle: "waiting", starting: "waking", fault: "trouble", offline: "offline" };

learn(CONSOLE_WORDS);
const the = (id) => document.getElementById(id);
const log = new EventLog(the("log"), the("empty"), the("count"));
const levels = new LevelPlot(the("levels"), the("levels-now"));
const turns = new Turns(the("turn-times").tBodies[0]);
const calls = new Calls(the("calls"));
const robots = new Map();
let device = "";
let marks = {};
let spent = null;
let session = null;
let source = null;

function stateWords(state) {
  if (state === undefined) return t("state.unknown");
  if (state.lifecycle === "lost") return t("state.offline");
  if (state.lifecycle === "disconnected") return t("state.stopped");
  const phase = state.phase ?? "idle";
  if (state.muted && LIVE.has(phase)) return t("state.muted");
  return t(`state.${PHASES[phase] ?? phase}`);
}

function showRobot() {
  const state = robots.get(device);
  const there = state?.lifecycle === "ready" || state?.lifecycle === "init";
  const live = there && LIVE.has(state.phase ?? "idle");
  const closing = there && TALKING.has(state.phase) && state.ends_at;
  const now = closing ? t("state.closing", { state: stateWords(state) }) : stateWords(state);
  const words = now + (state?.fault ? ` · ${state.fault}` : "");
  the("robot-title").textContent = device || t("console.none");
  if (the("state").textContent !== words) the("state").textContent = words;
  document.body.dataset.phase = state?.phase ?? "idle";
  the("air").classList.toggle("on", Boolean(state?.on_air));
  the("air-words").textContent = t(state?.on_air ? "air.on" : "air.off");
  the("start").disabled = !there || Boolean(state.session);
  the("stop").disabled = !there || !state.session;
  the("hush").disabled = !live;
  the("mute").disabled = !(there && TALKING.has(state.phase));
  the("cut").hidden = !(state?.delay > 0);
  the("cut").disabled = !there || !state.on_air;
  for (const button of the("say").querySelectorAll("button")) button.disabled = the("mute").disabled;
  the("volume").disabled = !there;
  the("mute").ariaPressed = String(Boolean(state?.muted));
  the("mute").textContent = t(state?.muted ? "console.unmute" : "console.mute");
}

function showChoice() {
  const names = [...robots.keys()].sort();
  const options = names.map((name) => new Option(name, name, false, name === device));
  the("robot").replaceChildren(...options);
  if (!names.length) the("robot").append(new Option(t("console.none"), ""));
}

function showMoney() {
  if (spent === null) return;
  const money = (micros) => (micros / 1e6).toFixed(2);
  const words = ({ spent: used, reserved, limit }) => t(limit === null ? "console.spent.free" : "console.spent.of", {
    spent: money(used), reserved: money(reserved), limit: money(limit ?? 0), currency: spent.currency,
  });
  const mine = spent.robots[device] ?? { spent: 0, reserved: 0, limit: spent.robot_limit };
  the("spent-robot").textContent = words(mine);
  the("spent-fleet").textContent = words(spent.fleet);
}

function answered(text, bad) {
  const line = document.createElement("li");
  line.textContent = text;
  line.classList.toggle("bad", bad);
  the("answers").prepend(line);
  while (the("answers").children.length > 20) the("answers").lastChild.remove();
}

async function order(verb, tool = "", args = {}) {
  const body = JSON.stringify({ device, verb, tool, arguments: args });
  try {
    const response = await fetch("/order", { method: "POST", body, headers: { "Content-Type": "application/json" } });
    if (!response.ok) answered(t("console.refused", { reason: (await response.text()).trim() }), true);
  } catch (error) {
    answered(t("console.refused", { reason: String(error.message) }), true);
  }
}

const use = (tool, args) => order("use", tool, args);

function seen(event) {
  if (event.type === "levels") return levels.add(event.levels ?? {});
  if (event.type === "missed") return log.note(event.at, t("console.missed", { count: String(event.count) }));
  const body = log.add(event);
  turns.take(event);
  if (body === null) return undefined;
  calls.take(event.name, body);
  if (/^session\.(created|updated)$/.test(event.name)) {
    session = body.session ?? {};
    showSettings(the("settings"), the("instructions"), session);
  }
  return undefined;
}

function happened(event) {
  if (event.type === "session_started") marks = {};
  if (event.type === "trace") {
    marks = event.marks;
    drawStart(the("start-times").tBodies[0], marks);
  }
  if (event.type === "fault") answered(`${event.fault}: ${event.text}`, true);
}

const HANDLERS = {
  robots: (found) => {
    for (const state of found) robots.set(state.device, state);
    if (!device && robots.size) choose(robots.has(kept(KEY)) ? kept(KEY) : found[0].device);
    showChoice();
    showRobot();
  },
  state: (state) => {
    const known = robots.has(state.device);
    robots.set(state.device, state);
    if (!known) showChoice();
    if (!device) choose(state.device);
    else if (state.device === device) showRobot();
  },
  shown: seen,
  happened,
  status: (status) => {
    const bad = ["REJECTED", "FAILED", "EXPIRED"].includes(status.step);
    const step = t(`console.step.${status.step}`);
    answered(`${status.name}: ${step}${status.reason ? ` · ${status.reason}` : ""}`, bad);
  },
  spent: (found) => {
    spent = found;
    showMoney();
  },
};

function connect() {
  source?.close();
  source = new EventSource(`/events?robot=${encodeURIComponent(device)}`);
  for (const [kind, handle] of Object.entries(HANDLERS)) {
    source.addEventListener(kind, (message) => handle(JSON.parse(message.data)));
  }
  source.addEventListener("open", () => {
    log.clear();
    the("link").classList.remove("shown");
  });
  source.addEventListener("error", () => {
    the("link").textContent = t(source.readyState === EventSource.CLOSED ? "console.lost" : "link.lost");
    the("link").classList.add("shown");
  });
}

// Nothing that is shown of one robot must stand under the name of another.
function forget() {
  marks = {};
  session = null;
  levels.clear();
  turns.clear();
  calls.clear();
  drawStart(the("start-times").tBodies[0], marks);
  the("settings").replaceChildren();
  the("instructions").textContent = "";
  the("answers").replaceChildren();
}

function choose(name) {
  if (name !== device) forget();
  device = name;
  keep(KEY, name);
  showChoice();
  showRobot();
  showMoney();
  connect();
}

the("robot").addEventListener("change", (event) => event.target.value && choose(event.target.value));
the("start").addEventListener("click", () => order("start"));
the("stop").addEventListener("click", () => order("stop"));
the("mute").addEventListener("click", () => use(robots.get(device)?.muted ? "unmute" : "mute"));
the("hush").addEventListener("click", () => use("hush"));
the("cut").addEventListener("click", () => use("cut"));
the("volume").addEventListener("input", (event) => { the("volume-now").textContent = event.target.value; });
the("volume").addEventListener("change", (event) => use("volume", { action: "set", percent: Number(event.target.value) }));
the("say").addEventListener("submit", (event) => {
  event.preventDefault();
  use(event.submitter?.value ?? "ask", { text: the("say-text").value.trim() });
  the("say-text").value = "";
});
for (const id of ["filter", "direction"]) {
  the(id).addEventListener("input", () => log.show(the("filter").value, the("direction").value));
}
the("clear").addEventListener("click", () => log.clear());
the("language").addEventListener("click", switchLanguage);

onLanguage(() => {
  fill(document);
  for (const field of document.querySelectorAll("[data-t-place]")) field.placeholder = t(field.dataset.tPlace);
  the("language").textContent = t("language.other");
  the("language").ariaLabel = t("language.switch");
  showChoice();
  showRobot();
  showMoney();
  if (session !== null) showSettings(the("settings"), the("instructions"), session);
  turns.draw();
  drawStart(the("start-times").tBodies[0], marks);
});

connect();
