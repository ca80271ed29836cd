// The table of groups: what each is called, how many of its cells agree, what else it could be, what sets it apart.

import { geneButton } from "./cell.js";
import { el, named } from "./dom.js";
import { typeName } from "./named.js";
import { showTable } from "./table.js";
import { whyButton } from "./why.js";
import { number, percent, score } from "./words.js";

// Of a group, clearest first; the report and the h5ad have the others.
const GENES = 6;

export const groupKey = (at) => `group ${at}`;

// `n`: all cells. What is pressed goes to `onPress(place, name)` and `onGene(symbol)`.
export function showGroups(groups, n, { chosen, onPress, onGene, onSort }) {
  const rows = groups.map((group, at) => ({
    ...group, short: null, at, key: groupKey(at), isUnknown: false, share: group.cells / n, agree: group.share,
    title: [el("b", {}, named(group.name), ": "), typeName({ ...group, name: group.type }), group.novel && el("em", {}, " novel")].filter(Boolean), notes: notes(group, at, onGene),
  }));
  showTable("groups-table", rows, { chosen, onSort, onPress: ({ at, name }) => onPress(at, name) });
}

function notes({ name, term, short, type, second, genes, studies, tissues = [], agree }, at, onGene) {
  const near = [...studies.map(({ study, cells }) => [study, cells]), ...tissues.map(({ tissue, cells }) => [tissue, cells])];
  const between = (at) => (at === 0 ? "" : at === studies.length ? "; tissue: " : ", ");
  return [
    second.probability > 0 && el("p", { class: "small" }, term === "unknown" ? "nearest " : "or ", typeName(second), ` ${score(second.probability)}`),
    el("p", { class: "small genes" }, ...genes.slice(0, GENES).map(({ symbol, known }) => geneButton({ symbol, known: known && (short || type) }, onGene)), whyButton({ group: at }, `Group ${name}: ${type}`)),
    agree !== null && agree !== undefined && el("p", { class: "small" }, `References: ${percent(agree)} say so${near.length ? ". Nearest: " : ""}`,
      ...near.flatMap(([word, cells], at) => [between(at), named(word), ` (${number(cells)})`])),
  ].filter(Boolean);
}
