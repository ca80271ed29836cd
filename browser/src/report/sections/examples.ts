// Some cells as pictures on the gene grid, with the genes that make them what they are.

import type { Annotation, Example } from "../../annotation/result.ts";
import { bincount, sum } from "../../base/arrays.ts";
import { base64 } from "../../base/base64.ts";
import { palettePng } from "../../base/png.ts";
import { fixed } from "../../base/words.ts";
import { loadOntology } from "../../biology/ontology.ts";
import { placeLabels, type Label, type Point } from "../captions.ts";
import { listed } from "../html.ts";
import { levelColors, levelPicture, mostItsOwn, strongest } from "../picture.ts";

const SHOWN = 5;
// Genes that are named on a picture, and as many in the list beside it.
const NAMED = 8;
// Side of a pixel of the grid in the picture; browsers blur smaller ones when they shrink them.
const ZOOM = 4;
// Height of the names on a picture, in its pixels.
const LETTERS = 21;
const RING = 8;

// The cells to show: one of each of the commonest broad types, then the commonest types that are left.
export function pickExamples(examples: Example[], annotation: Annotation): number[] {
  const cells = bincount(annotation.answerN.filter((answer) => answer >= 0), annotation.nodes.length);
  const common = examples.map((_, i) => i).sort((a, b) => cells[examples[b].answer] - cells[examples[a].answer] || a - b);
  const broad = common.map((i) => loadOntology().broad(annotation.nodes[examples[i].answer]));
  const firsts = common.filter((_, place) => broad.indexOf(broad[place]) === place);
  const chosen = [...firsts, ...common.filter((i) => !firsts.includes(i))].slice(0, SHOWN);
  return common.filter((i) => chosen.includes(i));
}

export function exampleCards(examples: Example[], annotation: Annotation) {
  if (!examples.length) return null;
  const { match } = annotation.findings, { grid } = annotation.bundle.manifest;
  const [, unmeasured, unseen, ...seen] = levelColors();
  return {
    cards: pickExamples(examples, annotation).map((i) => cardOf(examples[i], annotation, examples.filter((_, other) => other !== i).map(({ countsG }) => countsG))),
    compared: examples.length > 1,
    grid,
    genes_known: match.measuredG.length,
    genes_missing: match.measuredG.length - match.nFound,
    shades: seen.filter((_, at) => at % 4 === 0),
    unseen, unmeasured,
    ring: RING,
    letters: LETTERS,
    side: grid * ZOOM,
  };
}

function cardOf(example: Example, annotation: Annotation, others: Float32Array[]) {
  const { bundle, findings } = annotation, { grid } = bundle.manifest;
  const own = mostItsOwn(example.countsG, others, NAMED);
  const withCounts = (genes: number[]) => genes.map((g) => [bundle.vocabulary.symbols[g], example.countsG[g]]);
  const marks = marksOf(own, annotation);
  return {
    type: annotation.names[example.answer],
    color: annotation.colors.of(annotation.nodes[example.answer]),
    name: example.name,
    score: example.score,
    n_counts: sum(example.countsG),
    n_genes: example.countsG.filter((count) => count > 0).length,
    standing_out: others.length ? listed(withCounts(own)) : null,
    strongest: withCounts(strongest(example.countsG, NAMED)),
    image: imageOf(levelPicture(example.countsG, bundle.pixelG, findings.match.measuredG, grid), grid),
    marks,
    marked: marks.map(({ label }) => label.text).join(", ") || "none",
  };
}

// The names of genes beside their pixels.
function marksOf(own: number[], { bundle }: Annotation) {
  const { grid } = bundle.manifest;
  const points = own.map((g): Point => [((bundle.pixelG[g] % grid) + 0.5) * ZOOM, (Math.floor(bundle.pixelG[g] / grid) + 0.5) * ZOOM]);
  return placeLabels(own.map((g) => bundle.vocabulary.symbols[g]), points, { side: grid * ZOOM, height: LETTERS, ring: RING })
    .map((label) => ({ label, line: lineOf(label) }));
}

function lineOf({ point, lineEnd }: Label): string | null {
  const length = Math.hypot(lineEnd[0] - point[0], lineEnd[1] - point[1]);
  if (length <= RING + 1) return null;
  const [x, y] = [0, 1].map((at) => point[at] + ((lineEnd[at] - point[at]) * RING) / length);
  return `M${fixed(x, 1)} ${fixed(y, 1)}L${fixed(lineEnd[0], 1)} ${fixed(lineEnd[1], 1)}`;
}

// Enlarged so that browsers keep the pixels sharp.
function imageOf(levels: Uint8Array, grid: number): string {
  const side = grid * ZOOM, large = new Uint8Array(side * side);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) large[y * side + x] = levels[Math.floor(y / ZOOM) * grid + Math.floor(x / ZOOM)];
  }
  return `data:image/png;base64,${base64(palettePng(large, side, levelColors()))}`;
}
