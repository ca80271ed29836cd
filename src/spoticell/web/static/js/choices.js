// The columns that a run may name: groups, samples and conditions, each with its values, and what can't serve said.

import { $, el } from "./dom.js";
import { FOUND } from "./used.js";
import { counted, number } from "./words.js";

let offered = [];

// `findings` as the check has them; a check of an older server told no values.
export function offerColumns({ columns = [], choices } = {}, last) {
  offered = choices ?? columns.map((name) => ({ name, values: [], n_values: null, samples: [] }));
  const offer = (id, chosen, firsts, option) => {
    const select = $(id);
    select.replaceChildren(...firsts.map(([value, text]) => el("option", { value }, text)), ...offered.map(option));
    select.value = chosen ?? "";
    select.onchange = tell;
  };
  const plain = ({ name }) => el("option", { value: name, dir: "auto" }, name);
  offer("groups", last?.groups, [["", "None"], [FOUND, "Found automatically"]], plain);
  offer("by", last?.by, [["", "All cells are one"]], plain);
  offer("condition", last?.condition, [["", "None"]], (column) => (column.samples === null
    ? el("option", { value: column.name, disabled: true, dir: "auto" }, `${column.name} (${counted(column.n_values, "value")}, two are needed)`) : plain(column)));
  tell();
}

export const chosenColumns = () => ({ groups: $("groups").value || null, by: $("by").value || null, condition: $("condition").value || null });

const columnOf = (id) => offered.find(({ name }) => name === $(id).value);

function tell() {
  for (const id of ["groups", "by"]) {
    const column = columnOf(id);
    $(`${id}-told`).hidden = !column?.values.length;
    $(`${id}-told`).textContent = column ? valuesOf(column) : "";
  }
  const [text, isWrong] = comparison(columnOf("condition"), columnOf("by"));
  $("condition-told").hidden = !text;
  $("condition-told").textContent = text;
  $("condition-told").className = isWrong ? "warning" : "small told";
}

function valuesOf({ values, n_values: n }) {
  const more = n - values.length;
  return `${counted(n, "value")}: ${values.join(", ")}${more > 0 ? ` and ${number(more)} more` : ""}.`;
}

// What a condition compares, or why it can't with these samples.
function comparison(condition, by) {
  if (!condition?.values.length) return ["", false];
  const [first, second] = condition.values;
  const others = condition.samples.filter((name) => name !== condition.name);
  const fit = others.length ? `These tell such samples: ${others.join(", ")}.` : `No other column of the file tells such samples. With ${condition.name} itself as the samples you see the shares, without a test.`;
  if (!by) return [`Choose the column of samples too. ${fit}`, true];
  if (!condition.samples.includes(by.name)) return [`A sample of ${by.name} has cells of both ${first} and ${second}, and a sample has one condition. ${fit}`, true];
  if (by.name === condition.name) return [`${first} and ${second} are set beside each other. With one sample of each there is no test.`, false];
  return [`${first} is compared with ${second}.`, false];
}
