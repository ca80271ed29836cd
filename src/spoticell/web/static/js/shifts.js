// Intervals of shares, and labels whose cells are called otherwise in one value of a column than in another.

import { crossed } from "./columns.js";

const Z = 1.959964; // 95% of a normal distribution
const FEWEST = 20;
const LEAST = 0.1;
const SHOWN = 4;

// The interval of a share, after Wilson 1927.
export function wilson(n, total) {
  if (!total) return [0, 1];
  const share = n / total;
  const spread = Z ** 2 / total;
  const middle = (share + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((share * (1 - share) + spread / 4) / total)) / (1 + spread);
  return [Math.max(middle - half, 0), Math.min(middle + half, 1)];
}

// Of each label the answer whose share grows most from the first value to the second, if that is clear; those of
// most cells first.
export function shifts(column, [first, second], labels, groups, group_n, isShown) {
  const nLabels = labels.categories.length;
  const [before, after] = [first, second].map((code) =>
    crossed(labels.values, nLabels, group_n, groups.length, (i) => column.values[i] === code && isShown(i)));
  const sum = (row) => row.reduce((all, n) => all + n, 0);
  return labels.categories.flatMap((_, label) => {
    const totals = [sum(before[label]), sum(after[label])];
    if (Math.min(...totals) < FEWEST) return [];
    const grown = groups.filter(({ isUnknown }) => !isUnknown).map((group) => {
      const own = [before[label][group.at], after[label][group.at]];
      const [low, high] = own.map((n, side) => wilson(n, totals[side]));
      const shares = own.map((n, side) => n / totals[side]);
      return { label, group, shares, moved: (shares[1] - shares[0]) * totals[1], isClear: low[1] < high[0] };
    }).filter(({ shares, isClear }) => isClear && shares[1] - shares[0] >= LEAST);
    return grown.sort(byMoved).slice(0, 1);
  }).sort(byMoved).slice(0, SHOWN);
}

const byMoved = (a, b) => b.moved - a.moved;
