// Several files compared: each file is a sample, and its condition is written here or told by a column that all have.

import * as api from "./api.js";
import { fillDifferences } from "./differences.js";
import { $, el, named } from "./dom.js";
import { UNKNOWN } from "./groups.js";

// Values that a column of conditions may have.
const MOST = 24;
let shown = null;

// `files`: [{name, job, summary}]; as long as they are the same, what the reader chose stays.
export function showAcross(files) {
  $("batch-differences").hidden = files.length < 2;
  const key = files.map(({ job }) => job.id).join();
  if (files.length < 2 || shown?.key === key) return;
  const own = (shown = { key, files, written: files.map(() => ""), columns: [], asked: null });
  $("across-place").replaceChildren();
  choose(own, "");
  offer(own);
}

// The columns that all files have, with their values together.
async function offer(own) {
  const lists = await Promise.all(own.files.map(({ job }) => api.columns(job.id).catch(() => null)));
  if (shown !== own) return;
  const of = lists.map((list) => new Map((list?.columns ?? []).map((column, place) => [column.name, { ...column, place }]).filter(([, { kind, ours }]) => kind === "category" && !ours)));
  own.columns = [...of[0].keys()].filter((name) => of.every((columns) => columns.has(name))).map((name) => ({
    name, places: of.map((columns) => columns.get(name)), values: [...new Set(of.flatMap((columns) => columns.get(name).categories.map(({ name: value }) => value)))],
  })).filter(({ values }) => values.length > 1 && values.length <= MOST);
  $("across-by").replaceChildren(el("option", { value: "" }, "is written here"), ...own.columns.map(({ name }) => el("option", { value: name }, `is in the column ${name}`)));
  $("across-by").onchange = () => choose(own, $("across-by").value);
}

function choose(own, by) {
  const column = own.columns.find(({ name }) => name === by);
  $("across-place").replaceChildren();
  own.asked = null;
  if (!column) return write(own);
  const pair = column.values.slice(0, 2);
  const box = (at, label) => el("select", { "aria-label": label, onchange: ({ target }) => { pair[at] = target.value; compare(own, () => ofColumn(own, column, pair), by); } },
    ...column.values.map((value) => el("option", { value, selected: value === pair[at] }, value)));
  $("across-told").replaceChildren(el("p", { class: "row" }, box(0, "First condition"), "and", box(1, "Second condition")));
  return compare(own, () => ofColumn(own, column, pair), by);
}

// A box for the condition of each file; those that were written are offered for the others.
function write(own) {
  const known = el("datalist", { id: "across-known" });
  const line = ({ name }, at) => el("li", {}, el("label", {}, named(name),
    el("input", { list: "across-known", maxlength: 200, autocomplete: "off", spellcheck: "false", value: own.written[at], onchange: ({ target }) => { own.written[at] = target.value.trim(); fill(); } })));
  const fill = () => {
    known.replaceChildren(...[...new Set(own.written)].filter(Boolean).map((value) => el("option", { value })));
    if (new Set(own.written.filter(Boolean)).size > 1) compare(own, () => own.files.map(({ name, summary }, at) => ({ name, condition: own.written[at], cells: ofSummary(summary) })), "");
    else $("across-place").replaceChildren();
  };
  $("across-told").replaceChildren(el("ul", { class: "plain across" }, ...own.files.map(line)), known, el("p", { class: "small" }, "Write two conditions, such as control and treated. Files without one are left out."));
  fill();
}

async function compare(own, samplesOf, condition) {
  const mine = (own.asked = {});
  const place = $("across-place");
  try {
    const samples = (await samplesOf()).filter(({ cells }) => Object.values(cells).some(Boolean));
    const found = samples.length ? await api.across({ condition, samples }) : null;
    if (own.asked !== mine || shown !== own) return;
    if (found) fillDifferences(place, found, { foot: "Over all cells of the files." });
    else place.replaceChildren(el("p", { class: "small" }, "No cell has one of these values."));
  } catch (error) {
    if (own.asked === mine && shown === own) place.replaceChildren(el("p", { class: "warning", role: "alert" }, error.message));
  }
}

const ofSummary = ({ types, unknown }) => Object.fromEntries([...types.map(({ term, cells }) => [term, cells]), ["unknown", unknown.cells]]);

// A sample for each file and value: cells of one file under two conditions are two samples.
const ofColumn = async (own, { places }, pair) => (await Promise.all(own.files.map(async ({ name, job, summary }, at) => {
  const { place, categories } = places[at];
  const [code_n, { type }] = await Promise.all([api.column(job.id, place, "category"), api.map(job.id)]);
  const termOf = new Map([...summary.types.map(({ index, term }) => [index, term]), [UNKNOWN, "unknown"]]);
  return [...new Set(pair)].map((condition) => {
    const cells = {};
    code_n.forEach((code, i) => {
      if (categories[code]?.name !== condition) return;
      const term = termOf.get(type[i]);
      cells[term] = (cells[term] ?? 0) + 1;
    });
    return { name: `${name}: ${condition}`, condition, cells };
  });
}))).flat();
