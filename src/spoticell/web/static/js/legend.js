// What the map is coloured by, in words: the key under the map, and title and legend of a saved picture.

import { colour, el, inkOn } from "./dom.js";
import { hint } from "./glossary.js";
import { groupsOf, ramp } from "./groups.js";
import { counted, number, score } from "./words.js";

const SHADES = 8;
const GENE = "log of counts per 10,000; clipped at 99%";

// Continuous colourings: how they are called, and the ends of the scale.
const SCALES = {
  score: () => ({ title: "Score: how likely the answer is right", low: "score 0", high: "1" }),
  gene: ({ gene }) => ({ title: `${gene.symbol}, ${GENE}`, low: "0", high: gene.max ? gene.max.toFixed(1) : "in no cell" }),
};

export function keyOf(look) {
  if (look.by === "curated") return ["names that you gave"];
  if (look.by === "tree") return ["the types below it"];
  if (!SCALES[look.by]) return ["names and numbers as in the table of types"];
  const { low, high } = SCALES[look.by](look);
  const scale = [low, el("span", { class: "scale" }, ...ramp(SHADES).map((shade) => el("i", { style: { background: shade } }))), high];
  return look.by === "gene" ? [el("b", {}, look.gene.symbol), ...scale, el("span", { class: "unit" }, GENE)] : [...scale, hint("score")];
}

// `paint`, `isPart` and `isShown` are those of the map: the figures are of the cells that are coloured.
export function figureOf({ job, summary, look, cells, mine, given, ask, paint, isPart, isShown }) {
  const level = look.by === "level" ? look.level : null;
  const own = { column: () => mine.legend(), curated: () => ({ title: "Names that were given", rows: given.names }), tree: () => ask.tree.legend() }[look.by]?.();
  const { title, low, high } = own ?? SCALES[look.by]?.(look) ?? { title: level === null ? "Types" : `Types, ${summary.levels[level].name} level` };
  const shown = [look.by !== "tree" && look.chosen?.name, look.unsure && `score below ${score(look.below)}`].filter(Boolean).join(", ");
  const n = isPart ? `${number(cells.score.reduce((sum, _, i) => sum + isShown(i), 0))} of ` : "";
  return {
    title: `${title}${shown ? ` (${shown})` : ""} · ${n}${counted(cells.n, "cell")}`,
    legend: low === undefined ? counts(own?.rows ?? rows(summary, level), paint) : { colours: ramp(SHADES), low, high },
    file: `${job.name.split(".")[0] || "cells"}.map`,
    theme: { ground: colour("--card"), ink: colour("--ink"), dim: colour("--dim") },
  };
}

// A row stands at the place of its group of the map; those without a number have a plain dot.
function counts(all, { group_n }) {
  const count = new Uint32Array(65536);
  group_n.forEach((group) => { count[group] += 1; });
  return all.map(({ color, ink = "#000000", number: sign = null, name }, at) => ({ color, ink, number: sign, name, cells: count[at] }))
    .filter(({ cells }) => cells).map(({ cells, ...row }) => ({ ...row, note: number(cells) }));
}

function rows(summary, level) {
  const named = groupsOf(summary, level).map((group) => ({ color: group.color, ink: inkOn(group.color), number: group.number, name: group.short ?? group.name }));
  return [...named, { color: colour("--unknown"), number: "?", name: "unknown" }];
}
