// Cells that are named otherwise: than alone, by their neighbours, and than before, by running the file again.

import { $, el } from "./dom.js";
import { typeName } from "./named.js";
import { counted, number } from "./words.js";

export const otherwise = (changed) =>
  `${counted(changed, "cell")} ${changed === 1 ? "is" : "are"} named otherwise than alone, by ${changed === 1 ? "its" : "their"} neighbours.`;

// Told of the answers that the run gave: at another threshold, or for another tissue, others have changed.
const isOfRun = ({ threshold, saved_threshold: saved, tissue }) => threshold === saved && tissue?.shown === tissue?.saved;

export function showRenamed(summary) {
  const { renamed, cells } = summary;
  $("renamed").hidden = !renamed || !isOfRun(summary);
  if (!renamed) return;
  const { changes, cells: n } = renamed;
  const told = changes.reduce((sum, change) => sum + change.cells, 0);
  $("renamed-head").textContent = n
    ? `This run names ${number(n)} of ${counted(cells, "cell")} otherwise than the result before it.`
    : "This run names all cells as the result before it did.";
  $("renamed-list").replaceChildren(
    ...changes.map(({ before, now, cells: own }) => el("li", {}, el("b", {}, number(own)), " from ", typeName(before), " to ", typeName(now))),
    ...(told < n ? [el("li", {}, el("b", {}, number(n - told)), " in other ways")] : []));
}
