// Which cells belong together, and in which colour: by type, by level of the ontology, by score, by gene.

import { colour } from "./dom.js";

export const UNKNOWN = 65535;
const SHADES = 12;

// Groups of the table, the map and the chart: one for each type, or one for each broader type of a level.
export function groupsOf(summary, level = null) {
  const groups = level === null
    ? summary.types.map((type) => ({ ...type, types: [type.index] }))
    : summary.levels[level].groups;
  return groups.filter(({ cells }) => cells > 0).sort((a, b) => b.cells - a.cells).map((group, at) => ({ ...group, number: at + 1 }));
}

// For each cell the index of its group; `colours` has one more for `unknown`, the last.
export function byGroup(cells, groups) {
  const ofType = new Uint16Array(UNKNOWN + 1).fill(groups.length);
  groups.forEach(({ types }, at) => types.forEach((index) => { ofType[index] = at; }));
  return {
    group_n: Uint16Array.from(cells.type, (type) => ofType[type]),
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

function byShade(n, shade, colours) {
  const group_n = new Uint16Array(n);
  for (let i = 0; i < n; i += 1) group_n[i] = Math.min(Math.max(Math.floor(shade(i)), 0), colours.length - 1);
  return { group_n, colours, sorted: false };
}

// Cells that aren't looked for go into a last, faint group.
export function faint(paint, isShown) {
  const { group_n, colours } = paint;
  const out = group_n.map((group, i) => (isShown(i) ? group : colours.length));
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

// Where a group's number stands: amid the cells where they are densest. Cells without counts have no place.
export function anchors(cells, group_n, nGroups, least) {
  const SIDE = 32;
  const bin = (i) => Math.min(Math.floor(cells.y[i] * SIDE), SIDE - 1) * SIDE + Math.min(Math.floor(cells.x[i] * SIDE), SIDE - 1);
  const count = new Uint32Array(nGroups * SIDE * SIDE);
  const size = new Uint32Array(nGroups);
  for (let i = 0; i < cells.n; i += 1) {
    if (group_n[i] >= nGroups || Number.isNaN(cells.x[i])) continue;
    count[group_n[i] * SIDE * SIDE + bin(i)] += 1;
    size[group_n[i]] += 1;
  }
  const found = [];
  for (let g = 0; g < nGroups; g += 1) {
    if (size[g] < least) continue;
    const of = count.subarray(g * SIDE * SIDE, (g + 1) * SIDE * SIDE);
    found.push({ group: g, bin: of.indexOf(of.reduce((a, b) => Math.max(a, b), 0)), x: 0, y: 0, n: 0 });
  }
  const byId = new Map(found.map((one) => [one.group, one]));
  for (let i = 0; i < cells.n; i += 1) {
    const one = byId.get(group_n[i]);
    if (one && bin(i) === one.bin) { one.x += cells.x[i]; one.y += cells.y[i]; one.n += 1; }
  }
  return found.map(({ group, x, y, n }) => ({ group, x: x / n, y: y / n }));
}

// Cells and mean score of each group among the cells that are shown.
export function tally(cells, group_n, nGroups, isShown) {
  const count = new Uint32Array(nGroups);
  const sum = new Float64Array(nGroups);
  for (let i = 0; i < cells.n; i += 1) {
    if (!isShown(i)) continue;
    count[group_n[i]] += 1;
    sum[group_n[i]] += cells.score[i];
  }
  return Array.from(count, (n, g) => ({ cells: n, score: n ? sum[g] / n : null }));
}
