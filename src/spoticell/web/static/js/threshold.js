// The threshold of a result, moved without a new run: the server answers all cells again from what the run left.

import * as api from "./api.js";
import { $, say } from "./dom.js";
import { score, sentence } from "./words.js";

let shown = null;

// `onMoved(summary, {score, type})` shows other answers; `onSave(threshold)` runs the job again with it.
export function stageThreshold(id, summary, { onMoved, onSave }) {
  const own = (shown = { id, wanted: summary.threshold, at: summary.threshold, saved: summary.saved_threshold, isAsking: false });
  $("moving").hidden = own.saved === null || own.saved === undefined;
  $("moved-wrong").hidden = true;
  $("moved").value = own.at;
  describe(own);
  $("moved").oninput = () => move(own, Number($("moved").value), onMoved);
  $("move-back").onclick = () => { $("moved").value = own.saved; move(own, own.saved, onMoved); $("moved").focus(); };
  $("save-moved").onclick = () => onSave(own.at);
}

// One question at a time: what was asked for meanwhile is asked next, the latest alone.
async function move(own, threshold, onMoved) {
  own.wanted = threshold;
  $("moved-out").textContent = score(threshold);
  if (own.isAsking) return;
  own.isAsking = true;
  $("moved-wrong").hidden = true;
  try {
    while (own.at !== own.wanted) {
      const asked = own.wanted;
      const summary = await api.showAt(own.id, asked);
      const cells = await api.map(own.id);
      if (shown !== own) return;
      own.at = asked;
      onMoved(summary, cells);
      describe(own);
    }
    say(`Shown at threshold ${score(own.at)}.`);
  } catch (error) {
    if (shown !== own) return;
    own.wanted = own.at;
    $("moved").value = own.at;
    $("moved-wrong").textContent = sentence(error.message);
    $("moved-wrong").hidden = false;
    describe(own);
  } finally {
    own.isAsking = false;
  }
}

function describe({ at, wanted, saved }) {
  $("moved-out").textContent = score(wanted);
  $("unsaved").hidden = at === saved || saved === null;
  $("moved-text").hidden = !$("unsaved").hidden;
  if ($("unsaved").hidden) return;
  $("unsaved-text").textContent = `Shown at threshold ${score(at)}; the files to save are at ${score(saved)}.`;
  $("move-back").textContent = `Back to ${score(saved)}`;
}
