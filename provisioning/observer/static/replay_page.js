// A recording played back on the page of a robot: the same stage and captions, with the recording's own time.

import { Captions } from "./captions.js";
import { bigTextButton, labelLanguage, languageButton } from "./controls.js";
import { currentLanguage, fill, onLanguage, t } from "./i18n.js";
import { keep, kept } from "./kept.js";
import { About } from "./replay_about.js";
import { phaseAt } from "./replay_time.js";
import { Sound } from "./sound.js";
import { Stage } from "./stage.js";
import { loudness, shares, wordsOf } from "./view.js";

const TICK = 50;
const JUMP = 10;
const VOLUME = "kaiwa.volume";
const NOBODY = { volume: 1, muted: false };

const part = (id) => document.getElementById(id);
const record = await fetch("/record.json").then((answer) => answer.json());
const audio = part("audio");
const sound = new Sound(audio, NOBODY);
const stage = new Stage(part("scene"), { user: part("meter-user"), assistant: part("meter-assistant") });
const about = new About(part("facts"), part("happened"), record, seek);
const captions = new Captions({
  list: part("captions"),
  scroller: part("scroller"),
  jump: part("jump"),
  reader: part("reader"),
  name: () => record.device,
});
let shown = 0;
let before = 0;
let track = record.tracks[0];
let muted = false;

// The place in the recording that is heard.
const now = () => audio.currentTime - (audio.paused ? 0 : sound.delay);
const length = () => (Number.isFinite(audio.duration) ? audio.duration : record.seconds);
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function seek(at) {
  audio.currentTime = Math.min(Math.max(0, at), length());
  tick();
}

function toggle() {
  sound.open(true);
  if (audio.paused) audio.play();
  else audio.pause();
}

function listenTo(chosen) {
  const [at, playing] = [audio.currentTime, !audio.paused];
  track = chosen;
  audio.src = `/sound/${track}.ogg`;
  audio.currentTime = at;
  if (playing) audio.play();
  draw();
}

function mute() {
  muted = !muted;
  draw();
}

// Words whose time has come; going back takes away what has not been said yet.
function say(at) {
  if (at < before) {
    captions.clear();
    shown = 0;
  }
  before = at;
  while (shown < record.captions.length && record.captions[shown].start <= at) {
    captions.show(record.captions[shown], at);
    shown += 1;
  }
  captions.follow(at);
  part("empty").hidden = !captions.empty;
}

function tick() {
  const at = now();
  say(at);
  const state = phaseAt(record.phases, at);
  stage.mood = state.view;
  document.body.dataset.view = state.view;
  const words = t(`state.${wordsOf(state.view, state)}`);
  if (part("state").textContent !== words) part("state").textContent = words;
  part("seek").max = length();
  part("seek").value = at;
  part("time").textContent = `${clock(Math.max(0, at))} / ${clock(length())}`;
  part("seek").ariaValueText = part("time").textContent;
}

// What each voice's meter should show now; a sound of one voice is that voice's.
function voices() {
  const heard = audio.paused ? null : sound.level();
  if (heard === null) return { user: 0, assistant: 0 };
  const alone = { near: "listening", played: "speaking" }[track];
  const each = shares(heard, null, alone ?? phaseAt(record.phases, now()).phase);
  return { user: loudness(each.user), assistant: loudness(each.assistant) };
}

function picture() {
  stage.levels(voices());
  requestAnimationFrame(picture);
}

function draw() {
  const playing = !audio.paused;
  part("listen").ariaPressed = String(playing);
  part("listen-words").textContent = t(playing ? "replay.pause" : "replay.play");
  part("mute").ariaPressed = String(muted);
  part("mute").ariaLabel = part("mute").title = t(muted ? "unmute" : "mute");
  sound.volume = muted ? 0 : Number(part("volume").value);
  for (const button of part("tracks").children) {
    button.textContent = t(`replay.track.${button.dataset.track}`);
    button.ariaPressed = String(button.dataset.track === track);
  }
}

function relabel() {
  fill(document, { name: record.device });
  labelLanguage(part("language"));
  part("meter-user").ariaLabel = t("meter.user");
  part("meter-assistant").ariaLabel = t("meter.assistant", { name: record.device });
  captions.relabel();
  about.write(currentLanguage(), clock);
  draw();
}

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  if (event.key === "k") toggle();
  if (event.key === "m") mute();
  if (event.key === "j") seek(audio.currentTime - JUMP);
  if (event.key === "l") seek(audio.currentTime + JUMP);
}

for (const name of record.tracks) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "tool text" });
  button.dataset.track = name;
  button.addEventListener("click", () => listenTo(name));
  part("tracks").append(button);
}
part("volume").value = kept(VOLUME) ?? "1";
part("volume").addEventListener("input", () => {
  keep(VOLUME, part("volume").value);
  muted = false;
  draw();
});
part("seek").addEventListener("input", () => seek(Number(part("seek").value)));
part("listen").addEventListener("click", toggle);
part("mute").addEventListener("click", mute);
part("captions").addEventListener("click", (event) => {
  const said = record.captions.find((caption) => caption.id === event.target.closest("li")?.dataset.caption);
  if (said) seek(said.start);
});
for (const change of ["play", "pause", "ended"]) audio.addEventListener(change, draw);
audio.src = `/sound/${track}.ogg`;
bigTextButton(part("big"));
languageButton(part("language"));
document.addEventListener("keydown", shortcut);
onLanguage(relabel);
setInterval(tick, TICK);
tick();
picture();
globalThis.kaiwa = { record, audio, captions };
