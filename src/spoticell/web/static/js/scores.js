// How sure the answers are: all scores as a histogram, the least that an answer has, and why cells stayed unknown.

import { $, el } from "./dom.js";
import { SURE, hint } from "./glossary.js";
import { capital, counted, number, percent, score } from "./words.js";

const BINS = 20;

export function showScores(cells, summary) {
  const count = new Uint32Array(BINS);
  cells.score.forEach((value) => { count[Math.min(Math.floor(value * BINS), BINS - 1)] += 1; });
  const most = Math.max(...count, 1);
  const least = summary.least_score;
  const sure = cells.score.reduce((sum, value) => sum + (value >= SURE), 0);
  const { named, score_median: middle } = summary;
  const text = named
    ? `The median score of ${counted(named, "named cell")} is ${score(middle)}, and ${percent(sure / named)} are ${score(SURE)} or higher.`
    : "No cell has an answer.";
  const bars = Array.from(count, (n, bin) => el("i", {
    title: `${score(bin / BINS)} to ${score((bin + 1) / BINS)}: ${number(n)}`, style: { height: `${(100 * n) / most}%` },
    class: (bin + 1) / BINS <= least ? "low" : null,
  }));
  const side = least > 0.6 ? "mark left" : "mark";
  $("scores").replaceChildren(
    el("div", { class: "histogram", role: "img", "aria-label": text }, ...bars,
      least > 0 && el("span", { class: side, style: { left: `${100 * least}%` } }, el("span", {}, `unknown below ${score(least)}`))),
    el("div", { class: "ticks", "aria-hidden": "true" }, ...["0", "0.25", "0.5", "0.75", "1"].map((tick) =>
      el("span", { style: { left: `${100 * Number(tick)}%` } }, tick))),
    el("div", { class: "small" }, text, hint("score")),
    el("div", { class: "small" }, `Threshold: ${score(summary.threshold)}`, hint("threshold", summary), least > 0 && ` · unknown below ${score(least)}`, least > 0 && hint("least", { least })),
    ...reasons(summary.unknown));
}

function reasons({ cells, reasons: why }) {
  if (!cells) return [];
  const list = Object.entries(why ?? {}).filter(([, n]) => n);
  return [el("div", { class: "reasons" }, el("h3", {}, `${counted(cells, "cell")} stayed unknown`),
    el("ul", { class: "plain small" }, ...list.map(([reason, n]) => el("li", {}, `${capital(reason)}: ${number(n)}`))))];
}
