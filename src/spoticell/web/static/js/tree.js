// The ontology as a tree of the types that cells have: how many cells each place holds, and a place as a colour.

import { colour, el, inkOn } from "./dom.js";
import { UNKNOWN } from "./groups.js";
import { shortOf, typeName } from "./named.js";
import { number, percent } from "./words.js";

// Broad types of so large a share of the cells are open at first.
const OPEN_FROM = 0.1;

// Each node: {key, term, name, short, types, own, color, depth, parent, children}; `own` is the type that ends there.
export function nodesOf({ types, levels }) {
  const roots = [];
  const byKey = new Map();
  const colours = new Map(levels.flatMap(({ groups }) => groups.map(({ term, color }) => [term, color])));
  const sorted = types.filter(({ cells }) => cells).sort((a, b) => b.cells - a.cells);
  for (const type of sorted) {
    let parent = null;
    type.path.forEach((step, depth) => {
      const key = parent ? `${parent.key} ${step.term}` : step.term;
      if (!byKey.has(key)) {
        // without a colour of its own a place has that of its commonest type
        const node = { ...step, key, depth, parent, types: [], own: null, children: [], color: colours.get(step.term) ?? type.color };
        byKey.set(key, node);
        (parent?.children ?? roots).push(node);
      }
      parent = byKey.get(key);
      parent.types.push(type.index);
    });
    if (parent) Object.assign(parent, { own: type.index, color: type.color });
  }
  return { roots, byKey };
}

// The groups of cells that a chosen place falls into: one for each place below it that has cells, and its own cells.
// Where one place alone lies below, it is what lies below that which tells them apart.
export function partsOf(node) {
  const ends = [node.own];
  let below = node.children;
  while (below.length === 1 && below[0].children.length) {
    ends.push(below[0].own);
    below = below[0].children;
  }
  const parts = below.map(({ term, name, short, color, types }) => ({ term, name, short, color, types }));
  const { term, name, short, color } = node;
  const rest = { term, name, short, color, types: ends.filter((type) => type !== null) };
  return (rest.types.length ? [...parts, rest] : parts).map((part, at) => ({ ...part, number: at + 1 }));
}

export class Tree {
  // `onPress(node)` hears of a press; null of one that lets go.
  constructor(place, summary, cells, { onPress }) {
    Object.assign(this, { place, cells, onPress, chosen: null, count: new Map(), ...nodesOf(summary) });
    this.open = new Set();
    this.roots.filter(({ types }) => sumOf(types, summary) >= OPEN_FROM * summary.cells).forEach((node) => this.unfold(node));
    this.at = null;
    place.onkeydown = (event) => this.move(event);
  }

  // Take the place of a term as chosen; says whether there is one.
  take(term) {
    this.chosen = [...this.byKey.values()].find((node) => node.term === term) ?? null;
    if (!this.chosen) return false;
    for (let above = this.chosen.parent; above; above = above.parent) this.open.add(above.key);
    this.at = this.chosen.key;
    return true;
  }

  show(isShown) {
    const { cells } = this;
    const count = new Uint32Array(UNKNOWN + 1);
    let all = 0;
    for (let i = 0; i < cells.n; i += 1) {
      if (!isShown(i)) continue;
      count[cells.type[i]] += 1;
      all += 1;
    }
    Object.assign(this, { all: Math.max(all, 1), count: new Map([...this.byKey.values()].map((node) => [node.key, node.types.reduce((sum, type) => sum + count[type], 0)])) });
    this.draw();
  }

  // Places with cells, those of most cells first.
  listed(nodes) {
    return nodes.filter(({ key }) => this.count.get(key)).sort((a, b) => this.count.get(b.key) - this.count.get(a.key));
  }

  draw() {
    const isFocused = this.place.contains(document.activeElement);
    const top = this.listed(this.roots);
    if (!this.count.get(this.at)) this.at = top[0]?.key ?? null;
    this.place.replaceChildren(...top.map((node) => this.item(node)));
    if (isFocused) this.focus();
  }

  item(node) {
    const children = this.listed(node.children);
    const isOpen = this.open.has(node.key);
    const [n, share] = [this.count.get(node.key), this.count.get(node.key) / this.all];
    const label = `${shortOf(node)}, ${number(n)} cells, ${percent(share)}`;
    return el("li", {
      role: "treeitem", "data-key": node.key, tabindex: node.key === this.at ? 0 : -1, "aria-label": label, "aria-selected": String(this.chosen === node),
      "aria-expanded": children.length ? String(isOpen) : null, onclick: (event) => { event.stopPropagation(); this.press(node); },
    },
    el("div", { class: "leaf" },
      el("span", { class: "twisty", "aria-hidden": "true", onclick: children.length ? (event) => { event.stopPropagation(); this.at = node.key; this.toggle(node); } : null }, children.length ? (isOpen ? "▾" : "▸") : ""),
      el("i", { class: "dot", "aria-hidden": "true", style: { background: node.color } }), typeName(node),
      el("span", { class: "value" }, percent(share)), el("span", { class: "value cells" }, number(n)),
      el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${100 * share}%`, background: node.color } }))),
    children.length > 0 && isOpen && el("ul", { class: "plain", role: "group" }, ...children.map((child) => this.item(child))));
  }

  press(node) {
    this.at = node.key;
    this.chosen = this.chosen === node ? null : node;
    if (this.chosen) this.unfold(node);
    this.onPress(this.chosen);
    this.focus();
  }

  toggle(node) {
    if (this.open.has(node.key)) this.open.delete(node.key);
    else this.unfold(node);
    this.draw();
  }

  // With all that lies below it alone.
  unfold(node) {
    this.open.add(node.key);
    if (node.children.length === 1) this.unfold(node.children[0]);
  }

  // What stands on the page, from top to bottom.
  seen(nodes = this.roots) {
    return this.listed(nodes).flatMap((node) => [node, ...(this.open.has(node.key) ? this.seen(node.children) : [])]);
  }

  move(event) {
    const node = this.byKey.get(this.at);
    if (!node || event.altKey || event.ctrlKey || event.metaKey) return;
    const seen = this.seen();
    const at = seen.indexOf(node);
    const isOpen = this.open.has(node.key) && node.children.length > 0;
    const to = {
      ArrowDown: () => seen[at + 1], ArrowUp: () => seen[at - 1], Home: () => seen[0], End: () => seen.at(-1),
      ArrowRight: () => { if (!isOpen && node.children.length) return this.toggle(node); return this.listed(node.children)[0]; },
      ArrowLeft: () => { if (isOpen) return this.toggle(node); return node.parent; },
      Enter: () => this.press(node), " ": () => this.press(node),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    const next = to();
    if (next) this.at = next.key;
    this.draw();
    this.focus();
  }

  focus() {
    for (const item of this.place.querySelectorAll("[role=treeitem]")) item.tabIndex = item.dataset.key === this.at ? 0 : -1;
    this.place.querySelector(`[data-key="${CSS.escape(this.at ?? "")}"]`)?.focus();
  }

  // For the map: a group for each part of the chosen place; the last is that of all other cells.
  paint() {
    const parts = this.parts();
    const ofType = new Uint16Array(UNKNOWN + 1).fill(parts.length);
    parts.forEach(({ types }, at) => types.forEach((type) => { ofType[type] = at; }));
    return { group_n: Uint16Array.from(this.cells.type, (type) => ofType[type]), colours: [...parts.map(({ color }) => color), colour("--unknown")], sorted: true };
  }

  parts() {
    return this.chosen ? partsOf(this.chosen) : [];
  }

  // What the colours mean, for a saved picture.
  legend() {
    return { title: shortOf(this.chosen), rows: this.parts().map((part) => ({ name: shortOf(part), color: part.color, ink: inkOn(part.color), number: part.number })) };
  }
}

const sumOf = (own, { types }) => types.reduce((sum, { index, cells }) => sum + (own.includes(index) ? cells : 0), 0);
