// How cells are painted and what stands in the table of types, for the page and for shared files alike.

import { byGene, byGroup, byScore, faint, labelsOf } from "./groups.js";
import { byNames } from "./given.js";

// Levels on which types are put together; on the finest each stands alone, which is what `type` shows.
export const levelsOf = ({ levels, types }) => levels.filter(({ groups }) => groups.length < types.length);

// Colours of all cells, and names on the map where there are some; cells that aren't shown are faint if `isPart`.
export function painted({ cells, look, mine, given, ask }, groups, { isShown, isPart }) {
  const grouped = byGroup(cells, groups);
  const painters = { curated: () => byNames(cells.n, given), score: () => byScore(cells), gene: () => byGene(cells, look.gene), column: () => mine.paint(), tree: () => ask.tree.paint() };
  const whole = painters[look.by]?.() ?? grouped;
  const paint = isPart ? faint(whole, isShown) : whole;
  const told = { type: groups, level: groups, tree: ask?.tree.parts() }[look.by];
  return { paint, labels: told ? labelsOf(cells, paint.group_n, told) : [], row_n: grouped.group_n };
}

// The rows of the table; `tallied` as `tally` gives it, the unknown last. With `isPart` types without cells are left out.
export function typeRows({ summary, cells }, groups, tallied, isPart) {
  const rows = groups.map((group, at) => ({ ...group, ...tallied[at], key: group.term, isUnknown: false, share: tallied[at].cells / cells.n }));
  const unknown = tallied[groups.length];
  if (summary.unknown.cells) {
    rows.push({ key: "unknown", name: "unknown", term: null, color: "#9a9a9a", number: null, types: [65535], ...unknown, isUnknown: true, share: unknown.cells / cells.n });
  }
  return isPart ? rows.filter((row) => row.cells) : rows;
}
