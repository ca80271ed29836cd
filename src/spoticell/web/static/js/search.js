// One box for genes and types: types are known to the page, genes are asked for.

import * as api from "./api.js";
import { columnHit, findColumns, isNamed } from "./columnhits.js";
import { $, el } from "./dom.js";
import { findTypes, isCalled, typeName } from "./named.js";
import { counted } from "./words.js";

const PAUSE = 120;
const MOST = 6;

// `types` gives the types of the sample, `colorOf` the colour of one by its number; `columns` those of the file; what is chosen goes to
// `onType`, `onGene` or `onColumn`.
export function startSearch(id, { types, columns, colorOf, onType, onGene, onColumn }) {
  const box = $("search");
  let hits = [];
  let at = -1;
  let timer = null;
  let asked = null;

  const close = () => {
    $("hits").hidden = true;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const choose = (hit) => {
    close();
    box.value = "";
    if (hit.column) onColumn(hit);
    else if (hit.symbol) onGene(hit.symbol);
    else onType(hit.type);
  };

  const point = (to) => {
    at = to;
    [...$("hits").querySelectorAll("[role=option]")].forEach((option, k) => option.setAttribute("aria-selected", k === at));
    const option = $(`hit-${at}`);
    option?.scrollIntoView({ block: "nearest" });
    if (option) box.setAttribute("aria-activedescendant", option.id);
  };

  const show = (found, text) => {
    hits = found;
    $("hits").replaceChildren(...hits.map((hit, k) => option(hit, k, () => choose(hit))),
      ...(hits.length ? [] : [el("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, `No gene, type or column of this file is called “${text}”.`)]));
    $("hits").hidden = false;
    box.setAttribute("aria-expanded", "true");
    point(hits.length ? 0 : -1);
  };

  const look = async () => {
    const text = box.value.trim();
    asked?.abort();
    if (!text) return close();
    asked = new AbortController();
    const found = findColumns(columns, text);
    const [same, alike] = [found.filter((hit) => isNamed(hit, text)), found.filter((hit) => !isNamed(hit, text))];
    const named = findTypes(types(), text).slice(0, MOST).map((type) => ({ type }));
    try {
      const { genes, types: meant } = await api.genes(id, text, asked.signal);
      const others = named.filter(({ type }) => !meant.some(({ term, types: own }) => term === type.term && own.length === 1));
      const first = [...meant.map((type) => ({ type: { ...type, color: colorOf(type.types[0]) } })), ...others.filter(({ type }) => isCalled(type, text))];
      const rest = others.filter(({ type }) => !isCalled(type, text));
      // who writes "NK" or "Treg" means a type before any gene that begins so; who writes "CD4" means the gene
      const isGene = genes[0]?.symbol.toLowerCase() === text.toLowerCase();
      show([...(isGene ? [] : first), ...same, ...genes.slice(0, MOST), ...(isGene ? first : []), ...rest, ...alike], text);
    } catch (error) {
      if (error.name !== "AbortError") show([...found, ...named], text);
    }
  };

  box.oninput = () => { clearTimeout(timer); timer = setTimeout(look, PAUSE); };
  box.onblur = () => setTimeout(close, 150);
  box.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length) point((at + step + hits.length) % hits.length);
    else if (event.key === "Enter" && hits[at] && !$("hits").hidden) choose(hits[at]);
    else if (event.key === "Escape" && !$("hits").hidden) close();
    else return;
    event.preventDefault();
  };
}

function option(hit, k, onChoose) {
  const inside = hit.column ? columnHit(hit) : hit.symbol
    ? [el("b", {}, hit.symbol), el("small", {}, `gene, in ${counted(hit.cells, "cell")}`)]
    : [el("i", { class: "dot", style: { background: hit.type.color } }), typeName(hit.type), el("small", {}, `${hit.type.types.length > 1 ? "with subtypes" : "type"}, ${counted(hit.type.cells, "cell")}`)];
  return el("li", { role: "option", id: `hit-${k}`, "aria-selected": "false", onmousedown: (event) => { event.preventDefault(); onChoose(); } }, ...inside);
}
