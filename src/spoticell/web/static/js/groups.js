// Which cells belong together, and in which colour: by type, by level of the ontology, by score, by gene.

import { colour, inkOn } from "./dom.js";

export const UNKNOWN = 65535;
const SHADES = 12;
// Letters of a name on the map.
const NAME_ROOM = 24;
// Share of all cells from which on a group has a name there.
const LABEL_FROM = 0.004;

// Groups of the table, the map and the chart: one for each type, or one for each broader type of a level.
export function groupsOf(summary, level = null) {
  const groups = level === null
    ? summary.types.map((type) => ({ ...type, types: [type.index] }))
    : summary.levels[level].groups;
  return groups.filter(({ cells }) => cells > 0).sort((a, b) => b.cells - a.cells).map((group, at) => ({ ...group, number: at + 1 }));
}

// What stands on the map: the short name that the server gives, or as many of the name's words as there is room for.
export function shortName({ short, name }) {
  if (short || name.length <= NAME_ROOM) return short || name;
  const words = name.split(" ");
  while (words.length > 1 && words.join(" ").length >= NAME_ROOM) words.pop();
  return `${words.join(" ").replace(/,$/, "").slice(0, NAME_ROOM)}…`;
}

// For each cell the index of its group; `colours` has one more for `unknown`, the last.
export function byGroup(cells, groups) {
  const ofType = new Uint16Array(UNKNOWN + 1).fill(groups.length);
  groups.forEach(({ types }, at) => types.forEach((index) => { ofType[index] = at; }));
  const group_n = new Uint16Array(cells.n);
  for (let i = 0; i < cells.n; i += 1) group_n[i] = ofType[cells.type[i]];
  return {
    group_n,
    colours: [...groups.map(({ color }) => color), colour("--unknown")],
    sorted: true,
  };
}

export function byScore(cells) {
  return byShade(cells.n, (i) => cells.score[i] * SHADES, ramp(SHADES));
}

// Cells without the gene are pale; the others go up the ramp.
export function byGene(cells, { level }) {
  return byShade(cells.n, (i) => (level[i] ? 1 + (level[i] / 256) * SHADES : 0), [colour("--unseen"), ...ramp(SHADES)]);
}

export function byShade(n, shade, colours) {
  const group_n = new Uint16Array(n);
  for (let i = 0; i < n; i += 1) group_n[i] = Math.min(Math.max(Math.floor(shade(i)), 0), colours.length - 1);
  return { group_n, colours, sorted: false };
}

// Cells that aren't looked for go into a last, faint group.
export function faint(paint, isShown) {
  const { group_n, colours } = paint;
  const out = new Uint16Array(group_n.length);
  for (let i = 0; i < out.length; i += 1) out[i] = isShown(i) ? group_n[i] : colours.length;
  return { ...paint, group_n: out, colours: [...colours, colour("--faint")], faint: colours.length };
}

export function ramp(steps) {
  const stops = ["--q0", "--q1", "--q2", "--q3", "--q4", "--q5"].map((name) => colour(name).match(/[\d.]+/g).map(Number));
  return Array.from({ length: steps }, (_, step) => {
    const at = (step / (steps - 1)) * (stops.length - 1);
    const [low, high] = [stops[Math.floor(at)], stops[Math.ceil(at)]];
    const mix = low.map((part, k) => Math.round(part + (high[k] - part) * (at - Math.floor(at))));
    return `rgb(${mix.slice(0, 3).join(", ")})`;
  });
}

// Where a group's name stands: on a cell of it, amid the place where they are densest. Cells without counts have no place.
export function anchors(cells, group_n, nGroups, least) {
  const SIDE = 32, REACH = 2, BINS = SIDE * SIDE;
  const along = (value) => Math.min(Math.floor(value * SIDE), SIDE - 1);
  const count = new Uint32Array(nGroups * BINS);
  const size = new Uint32Array(nGroups);
  const bin_n = new Int32Array(cells.n).fill(-1);
  for (let i = 0; i < cells.n; i += 1) {
    if (group_n[i] >= nGroups || Number.isNaN(cells.x[i])) continue;
    bin_n[i] = group_n[i] * BINS + along(cells.y[i]) * SIDE + along(cells.x[i]);
    count[bin_n[i]] += 1;
    size[group_n[i]] += 1;
  }
  const around = (g, bin) => {
    const [row, column] = [Math.floor(bin / SIDE), bin % SIDE];
    let sum = 0;
    for (let r = Math.max(row - REACH, 0); r <= Math.min(row + REACH, SIDE - 1); r += 1) {
      for (let c = Math.max(column - REACH, 0); c <= Math.min(column + REACH, SIDE - 1); c += 1) sum += count[g * BINS + r * SIDE + c];
    }
    return sum;
  };
  const found = new Map();
  for (let g = 0; g < nGroups; g += 1) {
    if (size[g] < least) continue;
    let best = { bin: -1, worth: 0 };
    for (let bin = 0; bin < BINS; bin += 1) {
      const worth = count[g * BINS + bin] && around(g, bin);
      if (worth > best.worth) best = { bin: g * BINS + bin, worth };
    }
    if (best.worth) found.set(best.bin, { group: g, x: 0, y: 0, n: 0 });
  }
  for (let i = 0; i < cells.n; i += 1) {
    const one = found.get(bin_n[i]);
    if (one) { one.x += cells.x[i]; one.y += cells.y[i]; one.n += 1; }
  }
  return [...found.values()].map(({ group, x, y, n }) => ({ group, x: x / n, y: y / n }));
}

// What stands on the map: the number and name of each group, where it has enough cells that are shown.
export function labelsOf(cells, group_n, groups) {
  return anchors(cells, group_n, groups.length, Math.max(cells.n * LABEL_FROM, 1)).map(({ group, x, y }) =>
    ({ x, y, key: groups[group].term, name: shortName(groups[group]), number: groups[group].number, color: groups[group].color, ink: inkOn(groups[group].color) }));
}

// Cells and median score of each group among the cells that are shown.
export function tally(cells, group_n, nGroups, isShown) {
  const count = new Uint32Array(nGroups);
  for (let i = 0; i < cells.n; i += 1) count[group_n[i]] += isShown(i);
  const scores = Array.from(count, (n) => new Float32Array(n));
  const at = new Uint32Array(nGroups);
  for (let i = 0; i < cells.n; i += 1) {
    if (isShown(i)) scores[group_n[i]][at[group_n[i]]++] = cells.score[i];
  }
  return scores.map((own) => ({ cells: own.length, score: own.length ? median(own) : null }));
}

// The same as numpy's: of an even number the mean of the two in the middle.
export function median(values) {
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
