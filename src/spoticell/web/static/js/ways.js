// Ways from the head of a result to the parts below it: what can be asked of this file is seen without scrolling.

import { $, el } from "./dom.js";

// `compare`, `cross`: the columns that these parts begin with, where there are any; ours, such as mixed cells, are neither conditions nor labels.
export function showWays({ compare, cross }) {
  if (!$("ways")) return; // a shared file has few parts, and no ways to them
  const ways = [
    compare && !compare.ours && ["compare-title", `Compare by ${compare.name}`],
    cross && !cross.ours && ["cross-title", `Against ${cross.name}`],
    ["samples-title", "Composition by sample"],
    ["differences-title", "Differences between conditions"],
    ["quality-title", "Quality"],
    ["skies-title", "Gene grid"],
    ["take-title", "Files to save"],
  ].filter((way) => way && !partOf(way[0]).hidden);
  const said = ways.map(([, text]) => text).join();
  if ($("ways").dataset.said === said) return;
  $("ways").dataset.said = said;
  $("ways").replaceChildren(el("span", { class: "small" }, "Below:"), ...ways.map(([id, text]) =>
    el("button", { type: "button", class: "plainly link", onclick: () => lead(id) }, el("bdi", {}, text))));
}

const partOf = (id) => $(id).closest("section");

// The heading takes the focus, so that the next press of the tab key goes on there.
function lead(id) {
  $(id).tabIndex = -1;
  partOf(id).scrollIntoView();
  $(id).focus({ preventScroll: true });
}
