// What a word means, in one sentence, opened where the word stands.

import { el } from "./dom.js";
import { score } from "./words.js";

export const SURE = 0.9;
export const LIKELY = 0.5;

// `least`: the lowest score that an answer may have, 0 where there is no such bound.
const MEANINGS = {
  score: () => "The score says how likely it is that the answer is right: of 100 cells with a score of 0.80, about 80 are named rightly.",
  probability: () => "How likely each of them is. Only one of them can be true, so together they are 1. That of the answer is its score.",
  path: () => "From a broad type down to the answer. Each step holds all that stand below it, so its probability is never lower.",
  threshold: ({ threshold }) => `A type is named if its probability is ${score(threshold)} or more; else the cell gets a broader type, or stays unknown. “Run again” changes it.`,
  least: ({ least }) => `A cell whose answer would get a score below ${score(least)} stays unknown, whatever its probability: too little speaks for any type.`,
  grades: () => `Sure: a score of ${score(SURE)} or more. Likely: ${score(LIKELY)} or more. Doubtful: below ${score(LIKELY)}. Broad: the answer is no finer than a broad type, such as “T cell”.`,
};

// A small "?" that opens the sentence; by mouse, finger and keyboard.
export function hint(word, values = {}) {
  return el("details", { class: "hint" },
    el("summary", { "aria-label": `What does “${word === "least" ? "unknown" : word}” mean?` }, "?"),
    el("p", { class: "small" }, MEANINGS[word](values)));
}

// One is open at a time, and Escape or a press elsewhere closes it.
document.addEventListener("click", ({ target }) => close((one) => !one.contains(target)));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const inside = document.activeElement?.closest("details.hint[open]");
  close(() => true);
  inside?.querySelector("summary").focus();
});

function close(which) {
  document.querySelectorAll("details.hint[open]").forEach((one) => { if (which(one)) one.open = false; });
}
