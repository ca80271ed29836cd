// The share of a type in each sample, with its interval; the reader says which column tells the samples.

import * as api from "./api.js";
import { el, named } from "./dom.js";
import { asQuery } from "./kept.js";
import { counted, number, percent } from "./words.js";

const MOST = 12;
const RUN = "run";
let again = null;
window.addEventListener("filtered", () => again?.());

// Chosen once, it is taken for the next card too, until another result is opened.
let chosen = { id: null, column: null };

// `samples`: {by, columns, first}: the column that the run was told, all that could be, and the one that is likely.
export function sharesBySample(id, types, color, { by, columns, first }) {
  if (!by && !columns.length) return null;
  if (chosen.id !== id) chosen = { id, column: by ? RUN : first.place };
  const place = el("div", {}, el("p", { class: "small" }, "Counting …"));
  const options = [...(by ? [[by, RUN]] : []), ...columns.filter(({ name }) => name !== by).map(({ name, place: at }) => [name, at])];
  let asked = null;
  const ask = async () => {
    const mine = (asked = {});
    let shown;
    try {
      shown = rows(await api.shares(id, types, chosen.column === RUN ? null : chosen.column), color);
    } catch (error) {
      shown = [el("p", { class: "warning", role: "alert" }, error.message)];
    }
    if (mine === asked) place.replaceChildren(...shown);
  };
  const select = el("select", { "aria-label": "Samples", onchange: ({ target }) => { chosen.column = target.value === RUN ? RUN : Number(target.value); ask(); } },
    ...options.map(([name, value]) => el("option", { value, selected: value === chosen.column }, name)));
  again = () => { if (place.isConnected) ask(); };
  ask();
  return el("section", { class: "by-sample" }, el("div", { class: "above" }, el("h4", {}, "Share by sample"), select), place);
}

function rows({ samples, without }, color) {
  const shown = samples.slice(0, MOST);
  if (!samples.length) return [el("p", { class: "small" }, "The filters leave no cell of a sample.")];
  const most = Math.max(...samples.map(({ high }) => high), 0.01);
  const line = ({ name, cells, total, share, low, high }) => el("li", { title: `${number(cells)} of ${counted(total, "cell")}` },
    named(name), el("span", { class: "value" }, el("b", {}, percent(share)), el("small", {}, ` ${bound(low)}–${bound(high)}`)),
    el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${(100 * share) / most}%`, background: color } }),
      el("i", { style: { left: `${(100 * low) / most}%`, width: `${(100 * (high - low)) / most}%` } })));
  const more = samples.slice(MOST);
  return [
    el("ul", { class: "plain in-samples" }, ...shown.map(line)),
    more.length > 0 && el("details", {}, el("summary", {}, `${counted(more.length, "more sample")}`), el("ul", { class: "plain in-samples" }, ...more.map(line))),
    el("p", { class: "small" }, `${asQuery() ? "Of the cells of the sample that the filters leave." : "Of all cells of the sample."} Small numbers are the 95% interval: how far the share would move if other cells of it had been measured.${without ? ` ${counted(without, "cell")} ${without === 1 ? "has" : "have"} no value.` : ""}`),
  ].filter(Boolean);
}

const bound = (share) => (100 * share).toFixed(1);
