// What to know of a sample before its answers are trusted; nothing is shown for a plain one.

import { $, el, named } from "./dom.js";

export function showCautions({ cautions = [] }) {
  $("cautions").replaceChildren(...cautions.map(({ kind, text }) => el("li", { "data-kind": kind }, named(text))));
  $("cautions").hidden = !cautions.length;
}
