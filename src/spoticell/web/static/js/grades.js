// How sure the answers are, in cells: sure, likely, doubtful, unknown; and which of them are broad, or have reference cells that agree on no type.

import { showCautions } from "./cautions.js";
import { $, el } from "./dom.js";
import { LIKELY, SURE, hint } from "./glossary.js";
import { UNKNOWN } from "./groups.js";
import { number } from "./words.js";

// Each with the cells that are of it; `broad` are the numbers of types that are as broad as can be.
const GRADES = {
  sure: (cells) => (i) => cells.type[i] !== UNKNOWN && cells.score[i] >= SURE,
  likely: (cells) => (i) => cells.type[i] !== UNKNOWN && cells.score[i] >= LIKELY && cells.score[i] < SURE,
  doubtful: (cells) => (i) => cells.type[i] !== UNKNOWN && cells.score[i] < LIKELY,
  broad: (cells, broad) => (i) => broad.has(cells.type[i]),
};

const broadTypes = ({ types }) => new Set(types.filter(({ path }) => path.length === 1).map(({ index }) => index));

export const gradeKey = (grade) => (grade === "unknown" ? grade : `grade ${grade}`);

// What a key means: {has, name}; null where it is none of a grade.
export function gradeOf(key, cells, summary) {
  const grade = Object.keys(GRADES).find((name) => gradeKey(name) === key);
  return grade ? { has: GRADES[grade](cells, broadTypes(summary)), name: `${grade} answers`, key } : null;
}

export function showGrades(cells, summary, onPress) {
  const broad = broadTypes(summary);
  const count = (has) => { let n = 0; for (let i = 0; i < cells.n; i += 1) n += has(i); return n; };
  const item = (grade) => {
    const n = grade === "unknown" ? summary.unknown.cells : count(GRADES[grade](cells, broad));
    return el("li", {}, el("button", { type: "button", class: "plainly", "data-grade": grade, disabled: n === 0, onclick: () => onPress(gradeKey(grade)) },
      el("b", {}, number(n)), ` ${grade}`));
  };
  showCautions(summary);
  const plain = (n, word) => el("li", {}, el("b", {}, number(n)), ` ${word}`);
  $("grades").replaceChildren(...[
    ...["sure", "likely", "doubtful", "unknown"].map(item),
    el("li", { class: "apart" }, "of them:"), item("broad"),
    summary.no_common_type !== null && summary.no_common_type !== undefined && plain(summary.no_common_type, "whose reference cells agree on no type"),
    el("li", {}, hint("grades")),
  ].filter(Boolean));
}

export function markGrade(key) {
  $("grades").querySelectorAll("[data-grade]").forEach((one) => one.setAttribute("aria-pressed", String(gradeKey(one.dataset.grade) === key)));
}
