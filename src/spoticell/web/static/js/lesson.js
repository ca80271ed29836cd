// "What is a fingerprint?": three small steps, with the pictures that are being looked at.

import { $, el } from "./dom.js";
import { gridOf, sparseLevels } from "./grid.js";
import { atlasOf } from "./atlas_data.js";
import { sky, small } from "./sky.js";

const KNOWN = ["CD3E", "CD3D", "MS4A1", "CD79A", "LYZ", "S100A9", "ALB", "APOH", "COL1A1", "COL1A2"]; // pairs that many readers know

export async function openLesson({ model, levels = null, genes = [] }) {
  const dialog = $("lesson");
  const close = el("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: () => dialog.close() }, "×");
  const steps = el("ol", { class: "plain lesson" }, el("li", {}, "Loading …"));
  dialog.replaceChildren(el("div", { class: "above" }, el("h2", { id: "lesson-title" }, "What is a fingerprint?"), close), steps);
  if (!dialog.open) dialog.showModal();
  try {
    const grid = await gridOf(model);
    const atlas = await atlasOf(model, grid).catch(() => null); // not every model brings one
    steps.replaceChildren(...[places(grid), lights(grid, atlas, levels, genes), atlas && sums(grid, atlas)].filter(Boolean));
  } catch (error) {
    steps.replaceChildren(el("li", { class: "warning" }, error.message));
  }
}

const step = (number, title, text, ...shown) => el("li", {}, el("h3", {}, el("span", { class: "badge" }, String(number)), title), el("p", { class: "small" }, text), ...shown);

function places(grid) {
  const known = KNOWN.map((symbol) => grid.symbols.indexOf(symbol)).filter((gene) => gene >= 0);
  const pixels = known.map((gene) => grid.geneOf.indexOf(gene));
  const marked = pixels.map((pixel, k) => ({ symbol: grid.symbols[known[k]], pixel: [Math.floor(pixel / grid.side), pixel % grid.side] }));
  const levels = sparseLevels(grid, pixels, pixels.map(() => grid.palette.length - 1));
  return step(1, "Genes have places", "Every gene has one pixel that is always its own. Genes that cells use together lie near each other.",
    sky(grid, { levels }, { label: `The empty gene grid with ${marked.map(({ symbol }) => symbol).join(", ")}.`, genes: marked }));
}

function lights(grid, atlas, levels, genes) {
  const type = atlas?.types.find(({ name }) => name === "B cell") ?? atlas?.types[0];
  const [shown, named] = levels ? [levels, genes] : [type?.levels, type?.genes.slice(0, 6)];
  if (!shown) return null;
  const text = levels ? "A cell lights its genes: the more counts, the brighter. This is the cell you are looking at."
    : `A cell lights its genes, and each type has its constellation. These are the genes that speak for ${type.name}.`;
  return step(2, "A cell lights its genes", text, sky(grid, { levels: shown }, { label: "The cell’s picture.", genes: named }));
}

// Two that are near each other, and one that is far from the first.
function sums(grid, atlas) {
  const first = atlas.types.find(({ name }) => name === "naive B cell") ?? atlas.types[0];
  const similarity = ({ fingerprint }) => fingerprint.reduce((sum, part, d) => sum + part * first.fingerprint[d], 0);
  const others = atlas.types.filter((type) => type !== first && type.broad !== first.broad);
  const far = others.find(({ name }) => name === "hepatocyte") ?? others[others.length - 1];
  const shown = [first, atlas.types[first.near[0]], far].filter(Boolean);
  return step(3, "The network sums it up", `It turns the whole picture into ${first.fingerprint.length} numbers, the fingerprint. Cells of one kind have fingerprints that look alike, and the map lays like beside like.`,
    el("ul", { class: "plain prints" }, ...shown.map((type) => el("li", {}, small(grid, type.levels),
      el("div", {}, el("b", {}, type.name), stripes(type.fingerprint), type !== first && el("small", {}, `similarity to ${first.name}: ${similarity(type).toFixed(2)}`))))));
}

export function stripes(fingerprint) {
  const most = Math.max(...fingerprint.map(Math.abs)) || 1;
  return el("div", { class: "stripes", role: "img", "aria-label": `Fingerprint of ${fingerprint.length} numbers.` }, ...fingerprint.map((part) =>
    el("i", { class: part < 0 ? "second" : "first", style: { opacity: Math.min(Math.abs(part) / most, 1).toFixed(2) } })));
}
