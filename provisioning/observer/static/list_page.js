// The list of robots: told of every change by the server.

import { bigTextButton, labelLanguage, languageButton } from "./controls.js";
import { FeedLink } from "./feed_link.js";
import { fill, onLanguage, t } from "./i18n.js";
import { viewOf, wordsOf } from "./view.js";

const part = (id) => document.getElementById(id);
const all = new URLSearchParams(location.search).has("all");
const cards = new Map();
let robots = null;

const arrivals = {
  list: (news) => (robots = new Map(news.robots.map((robot) => [robot.device, robot]))),
  card: (robot) => robots?.set(robot.device, robot),
};

// Those on air first, then by name; the server's order.
function inOrder() {
  const byName = (one, other) => (one.name < other.name ? -1 : Number(one.name > other.name));
  return [...robots.values()].sort((one, other) => other.state.on_air - one.state.on_air || byName(one, other));
}

function draw() {
  if (robots === null) return;
  const [first, second] = robots.values();
  if (first && !second && !all) location.replace(address(first));
  part("empty").hidden = robots.size > 0;
  const items = inOrder().map(card);
  const stands = items.every((item, index) => part("robots").children[index] === item);
  if (!stands || part("robots").children.length !== items.length) part("robots").replaceChildren(...items);
}

const address = (robot) => `/r/${encodeURIComponent(robot.device)}`;

// The robot's card, made once.
function card(robot) {
  const known = cards.get(robot.device);
  const item = known ?? part("card").content.cloneNode(true).firstElementChild;
  cards.set(robot.device, item);
  const view = viewOf(robot.state, false);
  item.querySelector("a").href = address(robot);
  item.querySelector("a").dataset.view = view;
  item.querySelector(".name").textContent = robot.name;
  item.querySelector(".state").textContent = t(`state.${wordsOf(view, robot.state)}`);
  item.querySelector(".badge").classList.toggle("on", robot.state.on_air);
  item.querySelector(".air").textContent = t(robot.state.on_air ? "air.on" : "air.off");
  item.querySelector(".viewers").hidden = robot.viewers === 0;
  item.querySelector(".count").textContent = t(robot.viewers === 1 ? "viewers.one" : "viewers", { count: robot.viewers });
  return item;
}

function arrived(name, data) {
  arrivals[name](data);
  draw();
}

function lineIs(up) {
  part("link").textContent = up ? "" : t("list.lost");
  part("link").classList.toggle("shown", !up);
}

languageButton(part("language"));
bigTextButton(part("big"));
onLanguage(() => {
  fill(document);
  labelLanguage(part("language"));
  draw();
});
new FeedLink("/api/events", arrived, lineIs).open();
