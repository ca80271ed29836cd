// The start: dropping, choosing, the demo, and the upload.

import * as api from "./api.js";
import { $, say } from "./dom.js";
import { fromDrop, fromInput, sorted } from "./gather.js";
import { showUpload } from "./job.js";
import { BRINGING, KINDS } from "./reach.js";
import { view } from "./view.js";
import { bytes } from "./words.js";

export function startDrop({ info, onJob, onBatch, onAway, onToken }) {
  const refuse = (text) => {
    view("start");
    $("refused").textContent = text;
    $("refused").hidden = false;
  };

  const attempt = async (action, how) => {
    $("refused").hidden = true;
    try {
      onJob(await action(), how);
    } catch (error) {
      if (error.status === 401) onToken();
      else if (error.name === "AbortError") { view("start"); say(BRINGING.stopped); }
      else refuse(error.message);
    }
  };

  const bring = async (finding) => {
    const found = await finding.catch(() => []);
    onAway();
    const things = sorted(found);
    const most = info()?.limits?.file_bytes;
    const [thing] = things;
    if (!thing) refuse(`There is no file of cells in it. Drop ${KINDS}, or a folder that holds matrix.mtx.`);
    else if (things.length > 1) onBatch(things);
    else if (thing.size === 0) refuse(`${thing.name} is empty.`);
    else if (most && thing.size > most) refuse(tooLarge(thing, most));
    else attempt(() => send(thing));
  };

  for (const box of [$("file"), $("folder")]) {
    box.addEventListener("change", () => { if (box.files.length) bring(Promise.resolve(fromInput(box.files))); box.value = ""; });
  }
  $("demo").addEventListener("click", () => attempt(api.demo, { demo: true }));
  watchDrops(bring);
}

export const tooLarge = ({ name, size }, most) =>
  `${name} has ${bytes(size)}; this server takes up to ${bytes(most)}. The command line, spoticell annotate, takes files of any size.`;

async function send(thing) {
  const stop = new AbortController();
  showUpload(thing, () => stop.abort());
  return api.upload(await packed(thing), (loaded, total) => showUpload(thing, null, loaded, total), stop.signal);
}

// A zarr store travels as one zip.
export async function packed({ name, files, root }) {
  if (root === undefined) return files;
  const { zipped } = await import("./store.js");
  const file = await zipped(files, root, name);
  return [{ file, path: file.name }];
}

// A file may fall anywhere on the page. Entering and leaving inner elements fire too, so they are counted.
function watchDrops(bring) {
  let depth = 0;
  const holdsFiles = ({ dataTransfer }) => [...(dataTransfer?.types ?? [])].includes("Files");
  const veil = (on) => { $("veil").hidden = !on; };
  window.addEventListener("dragenter", (event) => { if (holdsFiles(event)) { depth += 1; veil(true); } });
  window.addEventListener("dragleave", (event) => { if (holdsFiles(event)) { depth -= 1; veil(depth > 0); } });
  window.addEventListener("dragover", (event) => { if (holdsFiles(event)) event.preventDefault(); });
  window.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    depth = 0;
    veil(false);
    bring(fromDrop(event.dataTransfer));
  });
}
