// The panels that ask further: the tree of types, and the walk through unsure cells.

import { $ } from "./dom.js";
import { startTree } from "./ontology.js";
import { UnsureCells } from "./unsure.js";

// `open`: the result that is looked at; `act`: what it can do.
export function startAsking(open, act) {
  const { job, summary, cells, look, map } = open;
  const { note, highlight, onCell } = act;
  const ontology = startTree(open, act);
  const unsure = new UnsureCells($("unsure-cells"), job.id, { cells, summary }, {
    has: (i) => open.mine.has(i), onCell, onHighlight: highlight,
    onMark: (position) => { map.mark(position); look.cell = String(position); note({ quietly: true }); },
  });
  // A panel that isn't seen is drawn when it is opened.
  Object.assign($("tab-unsure"), { onclick: () => unsure.start(), onfocus: () => unsure.start() });
  $("desk").onkeydown = (event) => unsure.press(event);
  if (!$("panel-unsure").hidden) unsure.start();

  // A column that was searched for, or the cells of one of its values.
  async function column({ column: { key, name }, code, name: value }) {
    await open.mine.take(key);
    if (open.mine.column?.key !== key) return;
    const { values } = open.mine.column;
    if (code !== null) highlight((i) => values[i] === code, `${name}: ${value}`, `${key}: ${value}`);
  }

  return {
    ...ontology,
    column,
    show: (has) => {
      ontology.show(has);
      if (!$("panel-unsure").hidden) unsure.draw();
    },
  };
}
