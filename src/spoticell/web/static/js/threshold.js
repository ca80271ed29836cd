// Threshold and tissue of a result, changed without a new run: the server answers all cells again from what the run left.

import * as api from "./api.js";
import { $, el, say } from "./dom.js";
import { capital, score, sentence } from "./words.js";

let shown = null;
let tissues = null;

// `onMoved(summary, {score, type})` shows other answers; `onSave({threshold, tissue})` runs the job again with them.
export function stageThreshold(id, summary, { onMoved, onSave }) {
  const { tissue } = summary;
  const at = { threshold: summary.threshold, ...(tissue && { tissue: tissue.shown }) };
  const saved = { threshold: summary.saved_threshold, ...(tissue && { tissue: tissue.saved }) };
  const own = (shown = { id, at, saved, wanted: { ...at }, isAsking: false });
  $("moving").hidden = saved.threshold === null || saved.threshold === undefined;
  $("moved-wrong").hidden = true;
  $("moved-busy").hidden = true;
  describe(own);
  $("moved").oninput = () => move(own, { threshold: Number($("moved").value) }, onMoved);
  $("moved-tissue").onchange = () => move(own, { tissue: $("moved-tissue").value || null }, onMoved);
  $("move-back").onclick = () => { move(own, own.saved, onMoved); $("moved").focus(); };
  $("save-moved").onclick = () => onSave(own.at);
  offerTissues(own);
}

async function offerTissues(own) {
  $("moved-tissues").hidden = !("tissue" in own.at);
  if ($("moved-tissues").hidden) return;
  tissues ??= await api.info().then((info) => info.tissues, () => null);
  if (shown !== own) return;
  $("moved-tissues").hidden = !tissues;
  $("moved-tissue").replaceChildren(el("option", { value: "" }, "As the cells show"), el("option", { value: "any" }, "Any"),
    ...(tissues ?? []).map((name) => el("option", { value: name }, capital(name))));
  describe(own);
}

// One question at a time: what was asked for meanwhile is asked next, the latest alone.
async function move(own, change, onMoved) {
  Object.assign(own.wanted, change);
  describe(own);
  if (own.isAsking) return;
  own.isAsking = true;
  $("moved-wrong").hidden = true;
  try {
    for (let next = open(own); next; next = open(own)) {
      const asked = own.wanted[next];
      $("moved-busy").hidden = next !== "tissue";
      const summary = await (next === "tissue" ? api.showFor(own.id, asked) : api.showAt(own.id, asked));
      const cells = await api.map(own.id);
      if (shown !== own) return;
      own.at[next] = asked;
      onMoved(summary, cells);
      describe(own);
    }
    say(`Shown ${inWords(own.at, Object.keys(own.at))}.`);
  } catch (error) {
    if (shown !== own) return;
    Object.assign(own.wanted, own.at);
    $("moved-wrong").textContent = sentence(error.message);
    $("moved-wrong").hidden = false;
    describe(own);
  } finally {
    own.isAsking = false;
    if (shown === own) $("moved-busy").hidden = true;
  }
}

// What is still to be asked of the server.
const open = ({ at, wanted }) => Object.keys(at).find((name) => at[name] !== wanted[name]);

function describe({ at, wanted, saved }) {
  $("moved").value = wanted.threshold;
  $("moved-out").textContent = score(wanted.threshold);
  $("moved-tissue").value = wanted.tissue ?? "";
  const other = Object.keys(at).filter((name) => at[name] !== saved[name]);
  $("unsaved").hidden = !other.length || $("moving").hidden;
  $("moved-text").hidden = !$("unsaved").hidden;
  if ($("unsaved").hidden) return;
  $("unsaved-text").textContent = `Shown ${inWords(at, other)}; the files to save are ${inWords(saved, other, "")}.`;
  $("save-moved").textContent = `Save with ${other.length > 1 ? "both" : `this ${other[0]}`}`;
  $("move-back").textContent = other.length === 1 && other[0] === "threshold" ? `Back to ${score(saved.threshold)}` : "Back to what is saved";
}

const inWords = (of, names, word = "threshold ") => names.map((name) => (name === "threshold" ? `at ${word}${score(of.threshold)}` : ofTissue(of.tissue))).join(" and ");

const ofTissue = (tissue) => (tissue === null ? "as the cells show their tissue" : `for ${tissue === "any" ? "any tissue" : tissue}`);
