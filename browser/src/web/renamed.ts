// What running a file again changed: the cells that have another answer than in the result that was shown before.
// Axis: n cells.

import { shortName } from "../biology/short_names.ts";
import { UNKNOWN } from "../keys.ts";
import type { Results } from "./results.ts";
import { UNKNOWN_TYPE } from "./summary.ts";

// Changes that are told.
const COMMONEST = 5;

interface Named {
  term: string;
  name: string;
  short: string;
}

export interface Renamed {
  // Cells that have another answer than before.
  cells: number;
  // The commonest changes.
  changes: { before: Named; now: Named; cells: number }[];
}

export function renamed(earlier: Results, now: Results): Renamed {
  const [before, after] = [earlier, now].map(({ shown: { summary: { types }, typesN } }) => ({ types, typesN }));
  const names = new Map([...before.types, ...after.types].map(({ term, name }) => [term, name]));
  const named = (term: string): Named => ({ term, name: names.get(term) ?? term, short: shortName(term) });
  const termOf = ({ types, typesN }: typeof before, n: number) => (typesN[n] === UNKNOWN_TYPE ? UNKNOWN : types[typesN[n]].term);
  const counts = new Map<string, number>();
  for (let n = 0; n < before.typesN.length; n += 1) {
    const first = termOf(before, n), second = termOf(after, n), key = `${first} ${second}`;
    if (first !== second) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const changes = [...counts].sort(([one, cells], [other, more]) => more - cells || (one < other ? -1 : 1));
  return {
    cells: changes.reduce((sum, [, cells]) => sum + cells, 0),
    changes: changes.slice(0, COMMONEST).map(([key, cells]) => {
      const [first, second] = key.split(" ");
      return { before: named(first), now: named(second), cells };
    }),
  };
}
