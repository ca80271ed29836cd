// Which cells a key of the address means: those of a row of the table, of a type with its subtypes ("CL:…+"), of a
// group, of a grade.

import { gradeOf } from "./grades.js";
import { groupKey } from "./grouped.js";
import { UNKNOWN, groupsOf } from "./groups.js";
import { shortOf } from "./named.js";

// {has(i), name, key, types}; nothing where the key means none of them. `told` are types and name that are known.
export function meaningOf({ summary, cells, look }, key, { types = null, name = "" } = {}) {
  const ofTypes = (some, called) => {
    const own = new Set(some);
    return { has: (i) => own.has(cells.type[i]), name: called, key, types: some };
  };
  if (types) return ofTypes(types, name);
  if (key === "unknown") return ofTypes([UNKNOWN], key);
  if (key.endsWith("+")) {
    const term = key.slice(0, -1);
    const below = summary.types.filter(({ path }) => path.some((step) => step.term === term));
    const found = below[0]?.path.find((step) => step.term === term);
    return found ? ofTypes(below.map(({ index }) => index), shortOf(found)) : null;
  }
  const at = summary.groups?.findIndex((_, place) => groupKey(place) === key) ?? -1;
  if (at >= 0) return { has: (i) => cells.group[i] === at, name: `Group ${summary.groups[at].name}`, key };
  const row = groupsOf(summary, look.by === "level" ? look.level : null).find(({ term }) => term === key);
  return row ? ofTypes(row.types, shortOf(row)) : gradeOf(key, cells, summary);
}
