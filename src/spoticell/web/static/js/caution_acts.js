// What can be done about a caution: see the cells that it speaks of, or leave them out.

import { $, el } from "./dom.js";

// The run's own columns of which cells a caution speaks, by its kind.
const COLUMNS = { mixed: "run mixed", program: "run state" };

// `mine`: the columns of the result. Cautions are written anew with the answers, so this is asked with every drawing.
export function offerActs(mine) {
  for (const line of $("cautions").children) {
    const column = mine.columns.byKey.get(COLUMNS[line.dataset.kind]);
    if (!column || line.querySelector("button")) continue;
    const act = (text, does) => [" ", el("button", { type: "button", class: "plainly link", onclick: does }, text)];
    const show = async () => { await mine.take(column.key); $("desk").scrollIntoView({ block: "nearest" }); };
    // a cell that is no mixture has no value there
    const leave = () => mine.filter(column.key, { keep: [""] });
    line.append(...act("Show these cells", show), ...(line.dataset.kind === "mixed" ? act("Leave them out", leave) : []));
  }
}
