// A job on its way: upload, check, what was found, settings, queue, run.

import { hasResult, offerBack } from "./again.js";
import { offerColumns } from "./choices.js";
import { about, startClock, stopClock } from "./clock.js";
import { $, say } from "./dom.js";
import { showFindings } from "./findings.js";
import { BRINGING, isAlone, leaving } from "./reach.js";
import { asked, fillSettings, stageSettings } from "./settings.js";
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

// A setting that can't be, or no room: the form stays as it is, with the server's sentence.
export function showRefused({ message, status }) {
  $("run-refused").textContent = sentence(message);
  $("run-refused").hidden = false;
  if (status === 422) $("settings").open = true;
}

export function showUpload(file, onStop, loaded = 0, total = file.size) {
  if (onStop) stopUpload = onStop;
  head(BRINGING.head, file.name, `${bytes(file.size)}`);
  $("found").hidden = $("run").hidden = true;
  $("work").hidden = false;
  // what a browser loads to read a file is not told in bytes
  const whole = isAlone || loaded >= total;
  progress(whole ? BRINGING.last : BRINGING.stage, whole ? null : loaded / total, whole ? "" : `${bytes(loaded)} of ${bytes(total)}`);
  view("job", file.name);
}

// A job that is at rest with findings can be run, also once more.
export function showJob(job, info, first) {
  stopUpload = null;
  stopClock();
  if (first) fillSettings(info, job.settings, job.id);
  $("run-refused").hidden = true;
  head(...HEADS[job.state](job));
  const isRest = !(job.state in STAGES);
  $("run").hidden = !isRest;
  offerBack(job);
  $("work").hidden = isRest;
  $("found").hidden = !job.findings;
  if (job.findings) {
    showFindings(job);
    offerColumns(job.findings, job.settings);
  }
  if (isRest) announce(job.state === "ready" ? "The file is checked." : "Nothing is running.");
  else {
    const [stage, share, hint] = STAGES[job.state](job);
    if (job.state === "running") startClock(job, (passed, rest) => progress(stage, passed, hint, rest));
    else progress(stage, share, hint);
  }
  view("job", job.name);
}

const HEADS = {
  checking: (job) => ["Checking", job.name, "Looking for cells, genes and counts. Nothing is run yet."],
  ready: (job) => ["Checked", job.name, `The cells can be named${takes(job)}.${job.warnings.length ? " Please read the notes first." : ""}`],
  queued: (job) => ["Waiting", job.name, leaving()],
  cancelled: (job) => ["Cancelled", job.name, "The run was stopped. The file is still here and can be run again."],
  done: (job) => ["Run again", job.name, `The new results replace the old ones when they are whole${takes(job)}.`],
  running: (job) => ["Naming", job.name, leaving()],
};

const takes = ({ seconds }) => (seconds === null ? "" : `, in ${about(seconds)}`);
const kept = (job) => (hasResult(job) ? "The earlier result is kept until the new one is whole." : "");

// Before the first cell is named there is nothing to count.
const STARTS = { starting: "Loading the model and the cells" };

const STAGES = {
  checking: (job) => [job.stage === "waiting" ? "Waiting for the check" : "Reading the file", job.progress || null, ""],
  queued: (job) => [job.position > 1 ? `Number ${job.position} in the queue` : "Next in the queue", null, job.position > 1 ? "It starts when the jobs before it are done." : "It starts as soon as there is room."],
  running: (job) => [STARTS[job.stage] ?? capital(job.stage), job.progress, kept(job)],
};

function head(eyebrow, title, lead) {
  $("job-eyebrow").textContent = eyebrow;
  $("job-title").replaceChildren(...breakable(title));
  $("job-lead").textContent = lead;
}

// `share` is null where nobody knows how long it takes; `rest` are words for the time that is left.
function progress(stage, share, hint, rest = "") {
  $("stage").textContent = stage;
  $("percent").textContent = rest || (share === null ? "" : percent(Math.round(share * 100) / 100));
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
