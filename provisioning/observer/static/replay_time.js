// PURE. Where a recording stands at a moment.

const SHOWN = new Set(["listening", "thinking", "speaking", "preparing", "ending"]);

// The robot's phase at `at` seconds, the key of the words for it ("state.*" in i18n.js), and whether it was muted.
export function phaseAt(phases, at) {
  const found = phases.findLast((each) => each.at <= at) ?? phases[0];
  const phase = found?.phase ?? "listening";
  return { phase, view: SHOWN.has(phase) ? phase : "ended", muted: Boolean(found?.muted) };
}

// The middle one of some numbers.
export const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.ceil(numbers.length / 2) - 1];
