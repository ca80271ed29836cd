// What was asked of a run, in a list beside its result.

import { $, el, named } from "./dom.js";
import { capital, score, sentence } from "./words.js";

// What the server calls groups that are found.
export const FOUND = "auto";

export function showSettings({ settings, warnings }, { threshold }) {
  const rows = [
    ["Model", [settings.model]],
    ["Threshold", [score(threshold)]],
    ["Tissue", settings.tissue ? [capital(settings.tissue)] : []],
    ["Groups", [settings.groups === FOUND ? "Found automatically" : settings.groups].filter(Boolean)],
    ["Samples", [settings.by].filter(Boolean)],
    ["Conditions", [settings.condition].filter(Boolean)],
    ["Known markers", [settings.markers?.name].filter(Boolean)],
    ["For CELLxGENE", settings.cellxgene ? ["cell_type_ontology_term_id is written"] : []],
    ["Neighbours", settings.each_cell_alone ? ["Each cell is named alone"] : []],
    ["Allowed types", settings.allow],
    ["Excluded types", settings.deny],
    ["Notes", warnings.map(sentence)],
  ];
  $("used").replaceChildren(...rows.filter(([, texts]) => texts.length).map(([name, texts]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, ...texts.map((text) => el("span", { class: "line" }, named(text)))))));
}
