// A job on its way: upload, check, what was found, settings, queue, run.

import { $, say } from "./dom.js";
import { showFindings } from "./findings.js";
import { asked, fillSettings, offerColumns, stageSettings } from "./settings.js";
import { view } from "./view.js";
import { breakable, bytes, capital, percent, sentence } from "./words.js";

let stopUpload = null;
let said = "";

export function stageJob({ onRun, onCancel, onDelete }) {
  $("run").addEventListener("submit", (event) => {
    event.preventDefault();
    $("run-refused").hidden = true;
    onRun(asked());
  });
  $("cancel").addEventListener("click", () => (stopUpload ? stopUpload() : onCancel()));
  $("job-delete").addEventListener("click", onDelete);
  stageSettings();
}

// A setting that can't be: the form stays as it is, with the server's sentence.
export function showRefused(text) {
  $("run-refused").textContent = sentence(text);
  $("run-refused").hidden = false;
  $("settings").open = true;
}

export function showUpload(file, onStop, loaded = 0, total = file.size) {
  if (onStop) stopUpload = onStop;
  head("Sending", file.name, `${bytes(file.size)}`);
  $("found").hidden = $("run").hidden = true;
  $("work").hidden = false;
  const whole = loaded >= total;
  progress(whole ? "The file has arrived" : "Sending the file", whole ? null : loaded / total, whole ? "" : `${bytes(loaded)} of ${bytes(total)}`);
  view("job", file.name);
}

// A job that is at rest with findings can be run, also once more.
export function showJob(job, info, first) {
  stopUpload = null;
  if (first) fillSettings(info, job.settings);
  $("run-refused").hidden = true;
  head(...HEADS[job.state](job));
  const isRest = !(job.state in STAGES);
  $("run").hidden = !isRest;
  $("work").hidden = isRest;
  $("found").hidden = !job.findings;
  if (job.findings) {
    showFindings(job);
    offerColumns(job.findings.columns, job.settings);
  }
  if (isRest) announce(job.state === "ready" ? "The file is checked." : "Nothing is running.");
  else progress(...STAGES[job.state](job));
  view("job", job.name);
}

const HEADS = {
  checking: (job) => ["Checking", job.name, "Looking for cells, genes and counts. Nothing is run yet."],
  ready: (job) => ["Checked", job.name, job.warnings.length ? "The cells can be named. Please read the notes first." : "The cells can be named."],
  queued: (job) => ["Waiting", job.name, "You may close the page: the link in the address bar leads back here."],
  cancelled: (job) => ["Cancelled", job.name, "The run was stopped. The file is still here and can be run again."],
  done: (job) => ["Run again", job.name, "The new results replace the old ones."],
  running: (job) => ["Naming", job.name, "You may close the page: the link in the address bar leads back here."],
};

const STAGES = {
  checking: (job) => [capital(job.stage) || "Checking the file", job.progress, ""],
  queued: (job) => [job.position > 1 ? `Number ${job.position} in the queue` : "Next in the queue", null, job.position > 1 ? "It starts when the jobs before it are done." : "It starts as soon as there is room."],
  running: (job) => [capital(job.stage) || "Naming the cells", job.progress, ""],
};

function head(eyebrow, title, lead) {
  $("job-eyebrow").textContent = eyebrow;
  $("job-title").replaceChildren(...breakable(title));
  $("job-lead").textContent = lead;
}

// `share` is null where nobody knows how long it takes.
function progress(stage, share, hint) {
  $("stage").textContent = stage;
  $("percent").textContent = share === null ? "" : percent(Math.round(share * 100) / 100);
  if (share === null) $("progress").removeAttribute("value");
  else $("progress").value = share;
  $("hint").textContent = hint;
  // Said aloud when the stage changes and at every quarter, not at every step.
  announce(share === null ? stage : `${stage}, ${Math.floor(share * 4) * 25} percent`);
}

function announce(text) {
  if (text !== said) say(text);
  said = text;
}
