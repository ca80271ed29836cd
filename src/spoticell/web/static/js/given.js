// Names that the reader gives to selected cells: given, listed, undone, and colours to paint by.

import * as api from "./api.js";
import { $, colour, el, say } from "./dom.js";
import { counted, number } from "./words.js";

const PAUSE = 150;

// Cells without a given name go into the last, faint group.
export function byNames(n, { names, code_n }) {
  return {
    group_n: Uint16Array.from({ length: n }, (_, i) => (code_n[i] || names.length + 1) - 1),
    colours: [...names.map(({ color }) => color), colour("--faint")], sorted: true, faint: names.length,
  };
}

// The form that calls the selected cells by a name. `onName` gets the name, and gives a promise.
export function nameForm(onName) {
  const box = el("input", { id: "name-box", maxlength: "100", autocomplete: "off", spellcheck: "false", list: "name-terms", required: true, placeholder: "A name, such as exhausted CD8 T cell" });
  const offers = el("datalist", { id: "name-terms" });
  const refused = el("p", { class: "warning", role: "alert", hidden: true });
  let timer = null;
  const offer = async () => {
    const { terms } = await api.terms(box.value.trim()).catch(() => ({ terms: [] }));
    offers.replaceChildren(...terms.map(({ name, term }) => el("option", { value: name }, term)));
  };
  box.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(offer, PAUSE); });
  const submit = async (event) => {
    event.preventDefault();
    refused.hidden = true;
    try {
      await onName(box.value);
    } catch (error) {
      refused.textContent = error.message;
      refused.hidden = false;
    }
  };
  return el("form", { class: "naming", onsubmit: submit }, el("label", { for: "name-box" }, "Call these cells"),
    el("div", { class: "row go" }, box, el("button", { class: "button" }, "Give name")), offers, refused);
}

// `told`: {names, edits} as the server has it.
export function showGiven({ names, edits }, { onPaint, onChoose, onUndo }) {
  $("given").replaceChildren(...(edits ? [
    el("h3", {}, "Names that you gave"),
    el("ul", { class: "plain names" }, ...names.map((given, at) => el("li", {},
      el("button", { type: "button", class: "plainly", onclick: () => onChoose(at, given.name) }, el("i", { class: "dot", style: { background: given.color } }), given.name),
      el("span", { class: "value" }, number(given.cells))))),
    el("p", { class: "row acts" }, el("button", { type: "button", class: "button", onclick: onPaint }, "Colour the map"),
      el("button", { type: "button", class: "button", onclick: onUndo }, "Undo the last")),
    el("p", { class: "small" }, "They are in the annotated h5ad and in the table, in the column spoticell_curated; other cells have the name of their type there. “Run again” drops them."),
  ] : []));
}

export const sayNames = ({ names }) => say(names.length ? `${counted(names.length, "name")} given.` : "No names are given.");
