// What stands beside the mouse over the map: the type of the cell under it, and its score.

import { $, el } from "./dom.js";
import { inFull, isShortened, shortOf } from "./named.js";
import { score } from "./words.js";

const ROOM = 90; // half the width of a tip
const ABOVE = 60;

export function showTip({ cells, types, look, mine }, position, left, top) {
  $("tip").hidden = position === null;
  if (position === null) return;
  const type = types.get(cells.type[position]);
  $("tip").replaceChildren(el("b", {}, type ? shortOf(type) : "unknown"), ` ${score(cells.score[position])}`,
    look.by === "column" ? el("span", { class: "of-column" }, mine.said(position)) : "", type && isShortened(type) ? el("small", {}, inFull(type)) : "");
  const width = $("map").clientWidth;
  $("tip").style.left = `${Math.min(Math.max(left, ROOM), width - ROOM)}px`;
  $("tip").style.top = `${top}px`;
  $("tip").classList.toggle("below", top < ABOVE);
}
