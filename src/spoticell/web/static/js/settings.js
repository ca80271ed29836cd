// What is asked of a run: the form before it. The list beside its result is in used.js.

import { chosenColumns } from "./choices.js";
import { $, el } from "./dom.js";
import { chosenTable, stageTable } from "./markertable.js";
import { capital, counted, score } from "./words.js";

export function stageSettings() {
  $("threshold").addEventListener("input", showThreshold);
}

// What the form says, as the server takes it.
export function asked() {
  return {
    model: $("model").value, threshold: Number($("threshold").value), tissue: $("tissue").value || null,
    allow: lines($("allow").value), deny: lines($("deny").value),
    ...chosenColumns(), each_cell_alone: $("alone").checked, markers: chosenTable(), cellxgene: $("cellxgene").checked,
  };
}

// Names of types hold commas, so each stands on a line of its own.
const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// `last` are the settings of the job's last run; without them the form is as the first model has it.
export function fillSettings(info, last, id) {
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
  $("cellxgene").checked = last?.cellxgene ?? false;
  stageTable(id, last?.markers);
  choose();
  if (last?.threshold) $("threshold").value = last.threshold;
  showThreshold();
}

function showThreshold() {
  $("threshold-out").textContent = score(Number($("threshold").value));
}
