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
  if (!SCALES[look.by]) return ["names and numbers as in the table of types"];
  const { low, high } = SCALES[look.by](look);
  const scale = [low, el("span", { class: "scale" }, ...ramp(SHADES).map((shade) => el("i", { style: { background: shade } }))), high];
  return look.by === "gene" ? [el("b", {}, look.gene.symbol), ...scale, el("span", {}, GENE)] : [...scale, hint("score")];
}

export function figureOf({ job, summary, look, cells, mine, given }) {
  const level = look.by === "level" ? look.level : null;
  const own = { column: () => mine.legend(), curated: () => ({ title: "Names that were given", rows: given.names }) }[look.by]?.();
  const { title, low, high } = own ?? SCALES[look.by]?.(look) ?? { title: level === null ? "Types" : `Types, ${summary.levels[level].name} level` };
  const shown = [look.chosen?.name, look.unsure && `score below ${score(look.below)}`].filter(Boolean).join(", ");
  return {
    title: `${title}${shown ? ` (${shown})` : ""} · ${counted(cells.n, "cell")}`,
    legend: low === undefined ? own?.rows.map(plainRow) ?? rows(summary, level) : { colours: ramp(SHADES), low, high },
    file: `${job.name.split(".")[0] || "cells"}.map`,
    theme: { ground: colour("--card"), ink: colour("--ink"), dim: colour("--dim") },
  };
}

const plainRow = ({ color, name, cells }) => ({ color, ink: "#000000", number: null, name, note: number(cells) });

function rows(summary, level) {
  const named = groupsOf(summary, level).map((group) =>
    ({ color: group.color, ink: inkOn(group.color), number: group.number, name: group.short ?? group.name, note: number(group.cells) }));
  const unknown = { color: colour("--unknown"), ink: "#000000", number: null, name: "unknown", note: number(summary.unknown.cells) };
  return summary.unknown.cells ? [...named, unknown] : named;
}
