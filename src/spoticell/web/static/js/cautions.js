// What to know of a sample before its answers are trusted; nothing is shown for a plain one.

import { $, el, named } from "./dom.js";

// Which cells are mixed was found by the run; another tissue that is shown since then hasn't asked anew.
export const whoseMixed = ({ tissue }) =>
  (tissue && tissue.shown !== tissue.saved ? "Mixed cells are those that the run found, with its own tissue." : "");

export function showCautions({ cautions = [], tissue }) {
  const told = (kind) => (kind === "mixed" ? ` ${whoseMixed({ tissue })}` : "").trimEnd();
  $("cautions").replaceChildren(...cautions.map(({ kind, text }) => el("li", { "data-kind": kind }, named(text), told(kind))));
  $("cautions").hidden = !cautions.length;
}
