// Types and their groups with only the cells that are looked at.

import { UNKNOWN } from "./groups.js";

// `groups` as `groupsOf` gives them. Gives the same with their own counts, the types by index, and the sums.
export function recount(cells, groups, types, has) {
  const count = new Uint32Array(UNKNOWN + 1);
  let all = 0;
  for (let i = 0; i < cells.n; i += 1) {
    if (!has(i)) continue;
    count[cells.type[i]] += 1;
    all += 1;
  }
  const of = (group) => group.types.reduce((sum, index) => sum + count[index], 0);
  return {
    cells: all,
    unknown: count[UNKNOWN],
    types: new Map([...types].map(([index, type]) => [index, { ...type, cells: count[index] }])),
    groups: groups.map((group) => ({ ...group, cells: of(group) })).filter(({ cells: n }) => n).sort((a, b) => b.cells - a.cells),
  };
}
