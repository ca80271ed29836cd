// How sure the answers are: all scores as a histogram, the least that an answer has, and why cells stayed unknown.

import { $, el } from "./dom.js";
import { capital, counted, number, percent, score } from "./words.js";

const BINS = 20;
const SURE = 0.9;

export function showScores(cells, summary) {
  const count = new Uint32Array(BINS);
  cells.score.forEach((value) => { count[Math.min(Math.floor(value * BINS), BINS - 1)] += 1; });
  const most = Math.max(...count, 1);
  const least = summary.least_score;
  const sure = cells.score.reduce((sum, value) => sum + (value >= SURE), 0);
  const mean = cells.score.reduce((sum, value) => sum + value, 0) / Math.max(cells.n, 1);
  const text = `The mean score is ${score(mean)}. ${percent(sure / cells.n)} of the cells have a score of ${score(SURE)} or more.`;
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
    el("p", { class: "small" }, text),
    ...reasons(summary.unknown));
}

function reasons({ cells, reasons: why }) {
  if (!cells) return [];
  const list = Object.entries(why ?? {}).filter(([, n]) => n);
  return [el("div", { class: "reasons" }, el("h3", {}, `${counted(cells, "cell")} stayed unknown`),
    el("ul", { class: "plain small" }, ...list.map(([reason, n]) => el("li", {}, `${capital(reason)}: ${number(n)}`))))];
}
