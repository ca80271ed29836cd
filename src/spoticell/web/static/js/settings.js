// What is asked of a run: the form before it, and the list beside its result.

import { $, el, named } from "./dom.js";
import { capital, counted, score, sentence } from "./words.js";

// What the server calls groups that are found.
const FOUND = "auto";

export function stageSettings() {
  $("threshold").addEventListener("input", showThreshold);
}

// What the form says, as the server takes it.
export function asked() {
  return {
    model: $("model").value, threshold: Number($("threshold").value), tissue: $("tissue").value || null,
    allow: lines($("allow").value), deny: lines($("deny").value),
    groups: $("groups").value || null, by: $("by").value || null, each_cell_alone: $("alone").checked,
  };
}

// Names of types hold commas, so each stands on a line of its own.
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// `last` are the settings of the job's last run; without them the form is as the first model has it.
export function fillSettings(info, last) {
  const choose = () => {
    const model = info.models.find(({ name }) => name === $("model").value);
    $("model-text").textContent = `${model.description} It knows ${counted(model.n_labels, "type")}.`;
    $("threshold").value = model.threshold;
    showThreshold();
  };
  $("model").replaceChildren(...info.models.map(({ name }) => el("option", { value: name }, name)));
  $("model").onchange = choose;
  if (last) $("model").value = last.model;
  $("tissue").replaceChildren(el("option", { value: "" }, "As the cells show"), el("option", { value: "any" }, "Any"), ...info.tissues.map((name) => el("option", { value: name }, capital(name))));
  $("tissue").value = last?.tissue ?? "";
  $("allow").value = last?.allow.join("\n") ?? "";
  $("deny").value = last?.deny.join("\n") ?? "";
  $("alone").checked = last?.each_cell_alone ?? false;
  choose();
  if (last?.threshold) $("threshold").value = last.threshold;
  showThreshold();
}

// `columns` are those of the file that can tell groups or samples.
export function offerColumns(columns = [], last) {
  const offer = (select, chosen, ...first) => {
    select.replaceChildren(...first.map(([value, text]) => el("option", { value }, text)), ...columns.map((name) => el("option", { value: name, dir: "auto" }, name)));
    select.value = chosen ?? "";
  };
  offer($("groups"), last?.groups, ["", "None"], [FOUND, "Found automatically"]);
  offer($("by"), last?.by, ["", "All cells are one"]);
}

function showThreshold() {
  $("threshold-out").textContent = score(Number($("threshold").value));
}

export function showSettings({ settings, warnings }, { threshold }) {
  const rows = [
    ["Model", [settings.model]],
    ["Threshold", [score(threshold)]],
    ["Tissue", settings.tissue ? [capital(settings.tissue)] : []],
    ["Groups", [settings.groups === FOUND ? "Found automatically" : settings.groups].filter(Boolean)],
    ["Samples", [settings.by].filter(Boolean)],
    ["Neighbours", settings.each_cell_alone ? ["Each cell is named alone"] : []],
    ["Allowed types", settings.allow],
    ["Excluded types", settings.deny],
    ["Notes", warnings.map(sentence)],
  ];
  $("used").replaceChildren(...rows.filter(([, texts]) => texts.length).map(([name, texts]) =>
    el("div", {}, el("dt", {}, name), el("dd", {}, ...texts.map((text) => el("span", { class: "line" }, named(text)))))));
}
