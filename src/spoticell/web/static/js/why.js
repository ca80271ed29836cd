// Why: the genes that speak for what a cell, a type or a group is called, and those that speak against it.

import { why as askWhy } from "./api.js";
import { geneButton } from "./cell.js";
import { el, named } from "./dom.js";
import { DIFFERENT, DIVERGING, gridOf } from "./grid.js";
import { sky } from "./sky.js";
import { counted, number, score } from "./words.js";

const NAMED = 4; // genes for and against that are named on the grid
let open = null; // the result that is looked at
let isWanted = false; // once somebody asked why, the next cell says it at once

export function startWhy({ id, model, onGene }) {
  open = { id, model, onGene };
}

// `what`: {cell}, {types, term} or {group}; worked out when it is first opened.
export function why(what) {
  const place = el("div", { class: "why-told" });
  const box = el("details", { class: "why", open: isWanted }, el("summary", {}, "Why: genes for and against"), place);
  box.addEventListener("toggle", () => {
    if (box.isConnected) isWanted = box.open;
    if (box.open && !place.hasChildNodes()) tell(place, what);
  });
  return box;
}

// The same in a box of its own, for a group: its table is drawn anew all the time.
export function whyButton(what, title) {
  return el("button", { type: "button", class: "plainly why-button", "aria-label": `Why ${title}?`, onclick: () => show(what, title) }, "why?");
}

function show(what, title) {
  const place = el("div", { class: "why-told" });
  const close = el("button", { type: "button", class: "button", onclick: () => dialog.close() }, "Close");
  const dialog = el("dialog", { class: "why-box", "aria-label": `Why ${title}?` }, el("h2", {}, named(title)), place, el("p", { class: "row acts" }, close));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  tell(place, what, () => dialog.close());
}

async function tell(place, what, onLeave = () => {}) {
  const { id, model, onGene } = open;
  const press = (symbol) => { onLeave(); onGene(symbol); };
  place.replaceChildren(el("p", { class: "small" }, "Asking the model …"));
  try {
    const [told, grid] = await Promise.all([askWhy(id, what), gridOf(model)]);
    place.replaceChildren(...shown(told, grid, press));
  } catch (error) {
    place.replaceChildren(el("p", { class: "warning", role: "alert" }, error.message));
  }
}

function shown(told, grid, onGene) {
  const { speak_for: ahead, against: behind, cells, asked, changed, type, asked_about: about } = told;
  const loudest = Math.max(...[...ahead, ...behind].map(({ contribution }) => Math.abs(contribution)), 1e-9);
  const mean = cells === 1 ? "" : `, on average over ${asked < cells ? `${number(asked)} of ` : ""}${counted(cells, "cell")}`;
  const label = `Genes that speak for ${type} and against it, on the gene grid.`;
  return [
    about === "second" && el("p", {}, "It has no answer. What it is likeliest to be: ", el("b", {}, type), "."),
    el("p", { class: "small" }, `What each gene adds to the probability of ${type}, or takes from it${mean}. ${probability(told)}`),
    el("div", { class: "voices" }, side("Speak for it", "first", ahead, loudest, onGene), side("Speak against", "second", behind, loudest, onGene)),
    sky(grid, picture(told, grid), {
      label, genes: [...ahead.slice(0, NAMED), ...behind.slice(0, NAMED)], palette: DIVERGING, onGene,
      word: (value) => (value ? `${signed(value)} to the probability` : "says little"),
    }),
    changed > 0 && el("p", { class: "small" }, cells === 1
      ? "Alone it would be called otherwise: its neighbours in the sample spoke too."
      : `${number(changed)} of the ${number(asked)} cells asked would be called otherwise alone: their neighbours spoke too.`),
    el("p", { class: "small" }, "Each cell was asked alone. Genes that speak for an answer need not stand out from other cells, and those that stand out need not speak."),
  ].filter(Boolean);
}

// Which number this is: the score of an answer also counts the neighbours, this one doesn't.
const probability = ({ cells, type, probability: found, without }) =>
  `${cells === 1 ? `Alone, without its neighbours, this cell is ${type} with a probability of ${score(found)}` : `The probability, of each cell alone, is ${score(found)}`}; without any counts it would be ${score(without)}.`;

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

function side(heading, kind, genes, loudest, onGene) {
  return el("section", {}, el("p", { class: "voice-side" }, el("i", { class: `swatch ${kind}` }), heading),
    genes.length ? el("ol", { class: "plain", "aria-label": heading }, ...genes.map(({ symbol, contribution }) => el("li", {},
      geneButton({ symbol }, onGene), el("span", { class: "value" }, signed(contribution)),
      el("span", { class: "bar", "aria-hidden": "true" }, el("b", { class: kind, style: { width: `${(100 * Math.abs(contribution)) / loudest}%` } })))))
      : el("p", { class: "small" }, "None."));
}

// The third root of what a gene says, so that one doesn't put out all others.
function picture({ pixels, contributions }, grid) {
  const levels = Uint8Array.from(grid.geneOf, (gene) => (gene < 0 ? DIVERGING.length - 1 : DIFFERENT));
  const values = new Float32Array(levels.length);
  const loudest = Math.max(...contributions.map(Math.abs), 1e-9);
  pixels.forEach((pixel, k) => {
    values[pixel] = contributions[k];
    levels[pixel] = DIFFERENT + Math.round(DIFFERENT * Math.sign(contributions[k]) * Math.cbrt(Math.abs(contributions[k]) / loudest));
  });
  return { levels, values };
}
