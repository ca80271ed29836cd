// The tree of types beside the map: a press colours the map by what is below a place.

import { $, say } from "./dom.js";
import { shortOf } from "./named.js";
import { Tree } from "./tree.js";

// `open`: the result that is looked at; `act`: what it can do.
export function startTree(open, { setBy, controls, redraw, note }) {
  const { summary, cells, look } = open;

  function press(node) {
    setBy(node ? "tree" : "type");
    chosen(node);
    say(node ? `${shortOf(node)}: the map is coloured by what is below it.` : "All cells are shown.");
    redraw();
    note();
  }

  function chosen(node) {
    const own = new Set(node?.types);
    look.chosen = node && { has: (i) => own.has(cells.type[i]), name: shortOf(node), key: `${node.term}+`, types: node.types };
  }

  const tree = new Tree($("tree"), summary, cells, { onPress: press });
  let isShown = () => true;
  // A panel that isn't seen is drawn when it is opened.
  const draw = () => tree.show(isShown);
  Object.assign($("tab-tree"), { onclick: draw, onfocus: draw });
  // With other answers there are other types.
  if (look.by === "tree") look.by = "type";

  return {
    tree,
    // Other cells are highlighted than those of the tree.
    leave: () => { if (look.by === "tree") { look.by = "type"; controls(); } },
    // What an address says; whether the result has such a place.
    follow: ({ chosen: key = "" }) => {
      if (!tree.take(key.replace("+", ""))) return false;
      chosen(tree.chosen);
      return true;
    },
    show: (has) => {
      isShown = has;
      if (look.by !== "tree") tree.chosen = null;
      if (look.by === "tree" || !$("panel-tree").hidden) tree.show(has);
    },
  };
}
