// The page of one robot: joins the feed, the sound and what is seen.

import { Captions } from "./captions.js";
import { bigTextButton, labelLanguage, languageButton, toast } from "./controls.js";
import { DirectPlayer } from "./direct_player.js";
import { FeedLink } from "./feed_link.js";
import { fill, onLanguage, t } from "./i18n.js";
import { Listening } from "./listening.js";
import { showPicture } from "./picture.js";
import { Player } from "./player.js";
import { ShareSheet } from "./share.js";
import { Sound } from "./sound.js";
import { Stage } from "./stage.js";
import { StreamClock, Timeline } from "./stream_clock.js";
import { Tuner } from "./tuner.js";
import { emptyWords, isClosing, isLive, loudness, shares, viewOf, wordsOf } from "./view.js";

const TICK = 100;
const LEVELS_ARE_OLD = 1.5;
// Seconds for which the server keeps the words of an ended conversation, less some to fetch them.
const KEPT = 110;
const QUIET = { user: 0, assistant: 0 };
const NO_SOURCE = { playlist: null, watch: null };

const part = (id) => document.getElementById(id);
const { device } = document.documentElement.dataset;
document.documentElement.classList.toggle("embed", new URLSearchParams(location.search).has("embed"));

const sound = new Sound(part("audio"), part("direct-audio"));
const player = new Tuner(new Player(part("audio")), new DirectPlayer(part("direct-audio"), sound));
const clock = new StreamClock(player, sound);
const timeline = new Timeline(clock);
const stage = new Stage(part("scene"), { user: part("meter-user"), assistant: part("meter-assistant") });
const tell = toast(part("toast"));
const captions = new Captions({
  list: part("captions"),
  scroller: part("scroller"),
  jump: part("jump"),
  reader: part("reader"),
  name: () => robot.name,
});
const listening = new Listening(
  player,
  sound,
  {
    listen: part("listen"),
    label: part("listen-words"),
    direct: part("direct"),
    mute: part("mute"),
    volume: part("volume"),
    words: part("sound-words"),
    bar: part("sound-bar"),
  },
  tell,
);

const robot = { name: part("name").textContent, state: null, view: "connecting", levels: null, viewers: 0 };
let session = null;
// Which state was told last, and which is entered: one that is told later may be due earlier, and ends those before it.
let told = 0;
let entered = 0;

const arrivals = {
  snapshot(snapshot) {
    clock.sync(snapshot.now);
    robot.name = snapshot.name;
    robot.viewers = snapshot.viewers;
    arrivals.state(snapshot.state);
    for (const caption of snapshot.captions) arrivals.caption(caption);
    timeline.put(snapshot.state.at, draw);
  },
  state(state) {
    const number = (told += 1);
    timeline.late = state.delay;
    timeline.put(robot.state === null ? clock.now() : state.at, () => number > entered && enter(state, number));
  },
  caption: (caption) => timeline.put(caption.start, () => say(caption)),
  levels: (levels) => timeline.put(levels.at, () => (robot.levels = levels)),
  viewers: ({ viewers }) => {
    robot.viewers = viewers;
    draw();
  },
};

function enter(state, number) {
  entered = number;
  if (state.session !== null && state.session !== session) {
    captions.clear();
    session = state.session;
  }
  robot.state = state;
  robot.levels = isLive(state.phase) ? robot.levels : null;
  draw();
}

function say(caption) {
  captions.show(caption, clock.now());
  part("empty").hidden = !captions.empty;
}

function draw() {
  const { state, name } = robot;
  robot.view = state === null ? "connecting" : viewOf(state, session !== null);
  const onAir = Boolean(state?.on_air);
  stage.mood = robot.view;
  document.body.dataset.view = robot.view;
  document.title = `${onAir ? "● " : ""}${name} · Kaiwa 会話`;
  part("name").textContent = name;
  if (navigator.mediaSession) navigator.mediaSession.metadata = new MediaMetadata({ title: name, artist: "Kaiwa 会話" });
  const words = t(`state.${wordsOf(robot.view, state)}`);
  part("state").textContent = isClosing(robot.view, state) ? t("state.closing", { state: words }) : words;
  part("air").classList.toggle("on", onAir);
  part("air-words").textContent = airWords(onAir, state?.delay);
  part("viewers").hidden = robot.viewers === 0;
  part("viewers-words").textContent = t(robot.viewers === 1 ? "viewers.one" : "viewers", { count: robot.viewers });
  part("empty").hidden = !captions.empty;
  part("empty-words").textContent = t(`captions.empty.${emptyWords(robot.view)}`, { name });
  listening.follow(robot.view, state === null || state.ended ? NO_SOURCE : state);
}

function airWords(onAir, delay) {
  if (!onAir) return t("air.off");
  return delay ? t("air.late", { seconds: Math.round(delay * 10) / 10 }) : t("air.on");
}

function relabel() {
  fill(document, { name: robot.name });
  labelLanguage(part("language"));
  part("meter-user").ariaLabel = t("meter.user");
  part("meter-assistant").ariaLabel = t("meter.assistant", { name: robot.name });
  part("note").textContent = t("captions.note", { name: robot.name });
  if (part("link").classList.contains("shown")) part("link").textContent = t("link.lost");
  captions.relabel();
  draw();
}

function lineIs(up) {
  part("link").textContent = up ? "" : t("link.lost");
  part("link").classList.toggle("shown", !up);
}

// What each voice's meter should show now: measured on the played sound, or as the robot reported it.
function voices() {
  const { levels, state } = robot;
  const fresh = levels !== null && clock.now() - levels.at < LEVELS_ARE_OLD ? levels : null;
  const heard = player.sounding ? sound.level() : null;
  const each = heard === null ? fresh : shares(heard, fresh, state?.phase);
  return each === null ? QUIET : { user: loudness(each.user), assistant: loudness(each.assistant) };
}

function picture() {
  stage.levels(voices());
  requestAnimationFrame(picture);
}

function tick() {
  timeline.run();
  const now = clock.now();
  captions.follow(now);
  part("save").hidden = captions.empty || (robot.state?.ended && now - robot.state.at > KEPT);
  listening.describe(player.heardAt() === null ? null : Math.max(0, clock.server() - now));
}

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
  if (event.key === "l") listening.toggle();
  if (event.key === "m") listening.mute();
  if (event.key === "d") listening.switchDelay();
}

showPicture(part("scene"), [part("audio"), part("direct-audio")]);
languageButton(part("language"));
bigTextButton(part("big"));
new ShareSheet(part("share"), part("share-sheet"), device, () => t("share.text", { name: robot.name }));
document.addEventListener("keydown", shortcut);
for (const action of ["play", "pause", "stop"]) navigator.mediaSession?.setActionHandler(action, () => listening.toggle());
onLanguage(relabel);
new FeedLink(`/api/robots/${encodeURIComponent(device)}/events`, (name, data) => arrivals[name](data), lineIs).open();
setInterval(tick, TICK);
requestAnimationFrame(picture);

// For the console of a curious maker, and for tests.
globalThis.kaiwa = { robot, player, sound, clock };
