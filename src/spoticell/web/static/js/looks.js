// What the cells look like before they are named, in words: tissue, species, depth, columns.

import { counted, number, percent } from "./words.js";

// A few counts are no cell; from this share on that is worth a word.
const MANY = 0.1;

export function looksOf({ looks }, small) {
  if (!looks) return [];
  const { columns, shallow } = looks;
  return [
    looks.cells > 0 && ["Tissue", tissue(looks), ...kinds(looks, small)],
    ["Species", "Human, by the names of the genes"],
    shallow !== null && ["Depth", shallow >= MANY
      ? `${percent(shallow)} of the cells have fewer than 200 counts. Empty droplets may be among them: filter them out before, or don’t trust these cells.`
      : "The cells look filtered: few have fewer than 200 counts."],
    columns.number > 0 && ["Columns", `${counted(columns.number, "column")} about the cells: ${columns.named.join(", ")}${columns.number > columns.named.length ? " …" : ""}`],
  ].filter(Boolean);
}

// The server says it in the words of a run; results of an older one have the tissues alone.
function tissue({ says, tissues }) {
  return says || (Object.keys(tissues).length ? `The cells look like those of ${Object.keys(tissues).join(" and ")}.` : "The cells show no tissue by types of its own.");
}

const kinds = (looks, small) => (looks.kinds.length
  ? [small(`Of ${number(looks.cells)} that were looked at: ${looks.kinds.map(({ name, share }) => `${name} ${percent(share)}`).join(", ")}.`)] : []);
