// A picture on the gene grid that answers: under the mouse, or by the arrow keys, each pixel says which gene it is.

import { el, svg } from "./dom.js";
import { paint } from "./grid.js";
import { marks } from "./picture.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

// `word(value)` says the number of a pixel; `genes`, [{symbol, pixel}], are ringed and named; `onGene` is for a press.
export function sky(grid, { levels, values }, { label, genes = [], palette = grid.palette, word = null, onGene = null }) {
  const { side } = grid;
  const canvas = el("canvas", { role: "img", "aria-label": label });
  paint(canvas, levels, palette, side);
  const cursor = svg("rect", { class: "cursor", width: 3, height: 3, rx: 0.6, visibility: "hidden" });
  const over = svg("svg", { viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true" }, ...marks(genes, side), cursor);
  const hint = `Move over the picture, or use the arrow keys${onGene ? "; press a gene to colour the map by it" : ""}.`;
  const told = el("p", { class: "told small", "aria-live": "polite" }, hint);
  const frame = el("div", { class: "sky", tabindex: "0", role: "group", "aria-label": `${label} ${hint}` }, canvas, over);
  let at = null;

  function tell(pixel) {
    at = pixel;
    cursor.setAttribute("visibility", pixel === null ? "hidden" : "visible");
    if (pixel === null) return told.replaceChildren(hint);
    const [row, column] = [Math.floor(pixel / side), pixel % side];
    cursor.setAttribute("x", column - 1);
    cursor.setAttribute("y", row - 1);
    const gene = grid.geneOf[pixel];
    if (gene < 0) return told.replaceChildren("No gene lives here.");
    const chromosome = grid.chromosomes[gene];
    const unmeasured = palette === grid.palette && levels[pixel] === 1;
    told.replaceChildren(el("b", {}, grid.symbols[gene]), chromosome ? ` · chromosome ${chromosome}` : "",
      word ? ` · ${unmeasured ? "not measured" : word(values[pixel])}` : "");
  }

  function under({ clientX, clientY }) {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const row = Math.floor(((clientY - top) / height) * side), column = Math.floor(((clientX - left) / width) * side);
    return row < 0 || column < 0 || row >= side || column >= side ? null : row * side + column;
  }

  const press = () => { if (onGene && at !== null && grid.geneOf[at] >= 0) onGene(grid.symbols[grid.geneOf[at]]); };
  frame.addEventListener("pointermove", (event) => tell(under(event)));
  frame.addEventListener("pointerleave", () => tell(null));
  frame.addEventListener("click", (event) => { tell(under(event)); press(); });
  frame.addEventListener("blur", () => tell(null));
  frame.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (event.key === "Enter") press();
    if (!move) return;
    event.preventDefault();
    // the first step goes to the first named gene, where there is something to see
    const first = genes[0]?.pixel ?? [Math.floor(side / 2), Math.floor(side / 2)];
    const [row, column] = at === null ? first : [Math.floor(at / side) + move[0], (at % side) + move[1]];
    tell(Math.min(Math.max(row, 0), side - 1) * side + Math.min(Math.max(column, 0), side - 1));
  });
  return el("figure", { class: "sky-figure" }, frame, told);
}

export const small = (grid, levels, palette = grid.palette, side = grid.side) => {
  const canvas = el("canvas", { "aria-hidden": "true" });
  paint(canvas, levels, palette, side);
  return canvas;
};
