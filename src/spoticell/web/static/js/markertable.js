// The visitor's own table of known markers: brought before a run, read by the server at once, kept with the job.

import * as api from "./api.js";
import { $, say } from "./dom.js";
import { counted, sentence } from "./words.js";

let table = null;

export const chosenTable = () => table;

// `last`: {id, name} of the job's last run, if it had one.
export function stageTable(id, last) {
  table = last ?? null;
  show(table ? `${table.name} is used.` : "");
  $("markers").onchange = async () => {
    const [file] = $("markers").files;
    $("markers").value = "";
    if (file) await bring(id, file);
  };
  $("markers-off").onclick = () => {
    table = null;
    show("");
    $("markers").focus();
    say("No table of markers is used.");
  };
}

async function bring(id, file) {
  show(`Reading ${file.name} …`);
  try {
    const { types, genes, unread, ...kept } = await api.keepMarkers(id, file);
    table = kept;
    show(`${kept.name}: ${counted(genes, "gene")} of ${counted(types, "type")}${unread ? `; ${counted(unread, "name")} not understood and left out` : ""}.`);
  } catch (error) {
    show(sentence(error.message), true);
  }
  say($("markers-told").textContent);
}

function show(text, isWrong = false) {
  $("markers-told").textContent = text;
  $("markers-told").hidden = !text;
  $("markers-told").className = isWrong ? "warning" : "small told";
  $("markers-off").hidden = !table;
}
