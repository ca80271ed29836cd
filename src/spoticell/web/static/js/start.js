// The start: dropping, choosing, the demo, and the upload.

import * as api from "./api.js";
import { $, say } from "./dom.js";
import { showUpload } from "./job.js";
import { view } from "./view.js";
import { bytes } from "./words.js";

export function startDrop({ info, onJob, onAway, onToken }) {
  const refuse = (text) => {
    view("start");
    $("refused").textContent = text;
    $("refused").hidden = false;
  };

  const attempt = async (action) => {
    $("refused").hidden = true;
    try {
      onJob(await action());
    } catch (error) {
      if (error.status === 401) onToken();
      else if (error.name === "AbortError") { view("start"); say("The upload is stopped."); }
      else refuse(error.message);
    }
  };

  const bring = (files) => {
    const [file] = files;
    if (!file) return;
    onAway();
    const most = info()?.limits?.file_bytes;
    if (files.length > 1) refuse("Send one file at a time. Send a 10x folder as a zip.");
    else if (file.size === 0) refuse(`${file.name} is empty, or it is a folder. Send a 10x folder as a zip.`);
    else if (most && file.size > most) refuse(`${file.name} has ${bytes(file.size)}; this server takes up to ${bytes(most)}. The command line, spoticell annotate, takes files of any size.`);
    else attempt(() => send(file));
  };

  $("file").addEventListener("change", () => { bring([...$("file").files]); $("file").value = ""; });
  $("demo").addEventListener("click", () => attempt(api.demo));
  watchDrops(bring);
}

function send(file) {
  const stop = new AbortController();
  showUpload(file, () => stop.abort());
  return api.upload(file, (loaded, total) => showUpload(file, null, loaded, total), stop.signal);
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
    bring([...event.dataTransfer.files]);
  });
}
