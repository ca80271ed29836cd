// What the page knows of sets of cells: the card of a type, genes by type, the selection and the names given to it.

import * as api from "./api.js";
import { showChoice, showNoChoice } from "./chosen.js";
import { $, say } from "./dom.js";
import { compareGenes, startGenes } from "./genes.js";
import { sayNames, showGiven } from "./given.js";
import { asQuery } from "./kept.js";
import { inside, startLasso } from "./lasso.js";
import { hideCard, showCard } from "./typecard.js";
import { counted } from "./words.js";

const ROOM = 200; // of the card is to be seen, in pixels
let current = null;
let refiltered = null; // asks anew for what is told of the cells that the filters leave
window.addEventListener("filtered", () => refiltered?.());

// `open`: the result that is looked at; `act`: what it can do.
export function startSample(open, { hasIndex, highlight, paintGene, redraw, showTab, onCell }) {
  const { job, cells, summary, types, look, map } = open;
  const mine = (current = {}); // answers that come after another result was opened are dropped
  let own = null; // the selection, 0 or 1 for each cell
  let times = 0;
  let opened = null; // the card's type, and the filters that it was asked with
  let chosenAt = ""; // the filters that the selection was asked about with
  open.given = { names: [], code_n: new Uint16Array(cells.n) };

  function select(which, isMore = false) {
    showTab("tab-chosen");
    const chosen = which.map((one, i) => one | (isMore && own ? own[i] : 0));
    const n = chosen.reduce((sum, one) => sum + one, 0);
    own = n ? chosen : null;
    if (!n) return showNoChoice("There are no cells there.");
    times += 1;
    choice();
    highlight((i) => chosen[i] === 1, "Selection", `selection ${times}`);
    say(`${counted(n, "cell")} selected.`);
  }

  // By type and by the column that may be a condition: do these genes change with it?
  function onCompare(symbols) {
    showTab("tab-genes");
    compareGenes(symbols);
    $("tab-genes").focus();
  }

  function choice() {
    chosenAt = asQuery();
    showChoice(job.id, own, { cells, types }, { hasIndex, onGene: paintGene, onCompare, onName: name, onClear: clear });
  }

  // The filters leave other cells.
  refiltered = () => {
    if (mine !== current) return;
    if (opened && opened.filter !== asQuery()) card(opened.kind, { quietly: true });
    if (own && chosenAt !== asQuery()) choice();
  };

  function clear() {
    own = null;
    look.chosen = null;
    showNoChoice();
    redraw();
    $("draw").focus();
  }

  async function name(chosen, word) {
    await news(await api.giveName(job.id, chosen, word));
    paintNames();
  }

  async function news(told) {
    const code_n = told.edits ? await api.curatedCells(job.id) : new Uint16Array(cells.n);
    if (mine !== current) return;
    open.given = { names: told.names, code_n };
    showGiven(told, { onPaint: paintNames, onUndo: undo, onChoose: (at, word) => highlight((i) => open.given.code_n[i] === at + 1, word, `given ${word}`) });
    if (look.by === "curated") redraw();
  }

  async function undo() {
    try {
      const told = await api.undoName(job.id);
      await news(told);
      sayNames(told);
      $("given").querySelector("button")?.focus();
    } catch (error) {
      say(error.message);
    }
  }

  function paintNames() {
    look.by = "curated";
    look.chosen = null;
    document.querySelectorAll("input[name=by]").forEach((radio) => { radio.checked = false; });
    sayNames(open.given);
    redraw();
  }

  // The card of what was pressed; null puts the table back.
  function card(kind, { quietly = false } = {}) {
    opened = kind && { kind, filter: asQuery() };
    if (!kind) return hideCard();
    const wasInside = $("panel-types").contains(document.activeElement);
    const one = types.get(kind.types[0]);
    const has = (i) => open.mine.has(i);
    const isMine = Uint8Array.from(cells.type, (type, i) => (kind.types.includes(type) && has(i) ? 1 : 0));
    const term = kind.key === "unknown" ? null : kind.key.replace("+", "");
    const level = summary.levels.flatMap(({ groups }) => groups).find((group) => group.term === term);
    const color = kind.types.length === 1 ? one?.color : level?.color;
    if (!quietly) showTab("tab-types");
    const back = showCard(job.id, { ...kind, term, color: color ?? "var(--unknown)" }, { cells, has }, {
      hasIndex, samples: { by: summary.samples?.by, ...open.mine.samples() }, onGene: paintGene, onCompare, onCell, onBack: () => leave(kind),
      onSelect: () => select(isMine), onAdd: own && (() => select(isMine, true)),
    });
    if (wasInside) back.focus();
    if (quietly) return;
    // what was pressed may lie far from the card
    const { top } = $("card").getBoundingClientRect();
    if (top < 0 || top > window.innerHeight - ROOM) $("card").closest(".side").scrollIntoView();
  }

  function leave({ key }) {
    card(null);
    if (look.chosen?.key === key) look.chosen = null;
    redraw();
    document.querySelector(`#types [data-key="${CSS.escape(key)}"]`)?.focus();
  }

  hideCard();
  showNoChoice();
  $("given").replaceChildren();
  startGenes(job.id, summary, { onGene: paintGene, columns: open.mine.columns.categories, likely: open.mine.samples().first });
  startLasso({ onDrawn: (path) => map.send({ kind: "locate", path }) });
  $("take-shown").onclick = $("ask-shown").onclick = () => select(Uint8Array.from({ length: cells.n }, (_, i) => (open.isShown(i) ? 1 : 0)));
  api.curated(job.id).then(news, () => {}); // a result of an older server has none
  return { card, located: (path) => select(inside(cells, path, open.isSure)) };
}
