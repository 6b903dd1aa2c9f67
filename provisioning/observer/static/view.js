// PURE. What the page shows for what the feed says.

const TALKING = new Set(["listening", "thinking", "speaking", "reconnecting"]);
const PASSING = new Set(["announcing", "preparing", "ending", "stopped"]);
const AWAY = new Set(["offline", "stopped", "unknown", "trouble"]);

// The key of what to show ("state.*" in i18n.js); `heard` tells whether this page has followed a conversation already.
export function viewOf(state, heard) {
  if (state.lifecycle === null) return "unknown";
  if (state.lifecycle === "lost" || state.lifecycle === "disconnected" || state.phase === "offline") {
    return state.phase === "stopped" ? "stopped" : "offline";
  }
  if (state.phase === "fault") return "trouble";
  if (TALKING.has(state.phase)) return state.on_air ? state.phase : "offair";
  if (PASSING.has(state.phase)) return state.phase;
  if (state.lifecycle === "init" || state.phase === "starting" || state.phase === "updating") return "waking";
  return state.ended || heard ? "ended" : "waiting";
}

// The words for a view: a robot whose microphone is closed does not listen, whatever its phase.
export const wordsOf = (view, state) => (view === "listening" && state?.muted ? "muted" : view);

// Whether to say that the conversation, which goes on, is about to end because it has lasted as long as it may.
export const isClosing = (view, state) => TALKING.has(view) && Boolean(state?.closing);

// Whether there is, or will soon be, sound to listen to.
export const isLive = (view) => TALKING.has(view) || view === "ending";

// Which words stand where the captions will be (without "captions.empty.").
export function emptyWords(view) {
  if (isLive(view) || view === "preparing" || view === "announcing") return "live";
  if (view === "offair") return "offair";
  return AWAY.has(view) ? "offline" : "waiting";
}

// 0..1 for an RMS level in dBFS: -55 is the quietest that shows, -12 is a loud voice.
export const loudness = (dbfs) => Math.min(1, Math.max(0, (dbfs + 55) / 43));

// Splits a measured level of both voices together into each one's share, by what the robot measured or by its phase.
export function shares(dbfs, levels, phase) {
  if (levels === null) return phase === "speaking" ? { user: -100, assistant: dbfs } : { user: dbfs, assistant: -100 };
  const top = Math.max(levels.user, levels.assistant);
  return { user: dbfs + levels.user - top, assistant: dbfs + levels.assistant - top };
}
