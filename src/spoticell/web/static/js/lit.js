// A row under the mouse or with the focus lights up its cells on the map; a cell under the mouse lights up its row.

import { $ } from "./dom.js";

// `cellsOf(key)` gives {position, color} of a row's cells, null where it has none; `onLight` gets that, or null.
export function startLights(ids, { cellsOf, onLight }) {
  let now = null;
  const light = (key) => {
    if (key === now) return;
    now = key;
    onLight(key === null ? null : cellsOf(key));
  };
  const rowOf = ({ target }) => target.closest("tr")?.querySelector("[data-key]")?.dataset.key ?? null;
  for (const id of ids) {
    const body = $(id).tBodies[0];
    body.addEventListener("pointerover", (event) => { if (event.pointerType !== "touch") light(rowOf(event)); });
    body.addEventListener("pointerleave", () => light(null));
    body.addEventListener("focusin", (event) => { if (event.target.matches(":focus-visible")) light(rowOf(event)); });
    body.addEventListener("focusout", () => light(null));
    // what is pressed is shown by the map itself
    body.addEventListener("click", () => light(null));
  }
}

export function litRow(id, key) {
  $(id).querySelectorAll("tr.lit").forEach((row) => row.classList.remove("lit"));
  if (key !== null) $(id).querySelector(`tbody [data-key="${CSS.escape(key)}"]`)?.closest("tr").classList.add("lit");
}

// Positions of the cells that are of a row.
export function positions(n, has) {
  const found = new Uint32Array(n);
  let size = 0;
  for (let i = 0; i < n; i += 1) if (has(i)) { found[size] = i; size += 1; }
  return found.slice(0, size);
}
