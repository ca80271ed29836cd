// A job on its way: upload, check, what was found, settings, queue, run.

import { $, el, say } from "./dom.js";
import { showFindings } from "./findings.js";
import { view } from "./view.js";
import { bytes, capital, percent } from "./words.js";

let stopUpload = null;
let said = "";

export function stageJob({ onRun, onCancel, onDelete }) {
  $("run").addEventListener("submit", (event) => {
    event.preventDefault();
    onRun({ bundle: $("bundle").value, threshold: Number($("threshold").value) });
  });
  $("cancel").addEventListener("click", () => (stopUpload ? stopUpload() : onCancel()));
  $("job-delete").addEventListener("click", onDelete);
  $("threshold").addEventListener("input", showThreshold);
}

export function showUpload(file, onStop, loaded = 0, total = file.size) {
  if (onStop) stopUpload = onStop;
  head("Sending", file.name, `${bytes(file.size)}`);
  $("found").hidden = $("run").hidden = true;
  const whole = loaded >= total;
  progress(whole ? "Arrived; looking into it" : "Sending the file", whole ? null : loaded / total, whole ? "" : `${bytes(loaded)} of ${bytes(total)}`);
  view("job", file.name);
}

export function showJob(job, info, first) {
  stopUpload = null;
  if (first) settings(info);
  head(...HEADS[job.state](job));
  $("run").hidden = job.state !== "ready";
  $("found").hidden = !job.findings;
  if (job.findings) showFindings(job);
  if (job.state === "ready") {
    $("work").hidden = true;
    announce("The file is checked. What was found stands on the page.");
  } else {
    progress(...STAGES[job.state](job));
  }
  view("job", job.name);
}

const HEADS = {
  checking: (job) => ["Checking", job.name, "Looking for cells, genes and counts. Nothing is run yet."],
  ready: (job) => ["Checked", job.name, job.warnings.length ? "This can be named. Please read the notes first." : "This can be named."],
  queued: (job) => ["Waiting", job.name, "You may close the page: the link in the address bar leads back here."],
  running: (job) => ["Naming", job.name, "You may close the page: the link in the address bar leads back here."],
};

const STAGES = {
  checking: (job) => [capital(job.stage) || "Checking the file", job.progress, ""],
  queued: (job) => [job.position > 1 ? `Number ${job.position} in the queue` : "Next in the queue", null, job.position > 1 ? "Starts by itself when the others are done." : "Starts at once when a place is free."],
  running: (job) => [capital(job.stage) || "Naming the cells", job.progress, ""],
};

function head(eyebrow, title, lead) {
  $("job-eyebrow").textContent = eyebrow;
  $("job-title").textContent = title;
  $("job-lead").textContent = lead;
}

// `share` is null where nobody knows how long it takes.
function progress(stage, share, hint) {
  $("work").hidden = false;
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

function settings(info) {
  const choose = () => {
    const bundle = info.bundles.find(({ name }) => name === $("bundle").value);
    $("bundle-text").textContent = `${bundle.description} ${bundle.n_labels} types.`;
    $("threshold").value = bundle.threshold;
    showThreshold();
  };
  $("bundle").replaceChildren(...info.bundles.map(({ name }) => el("option", { value: name }, name)));
  $("bundle").onchange = choose;
  choose();
}

function showThreshold() {
  $("threshold-out").textContent = Number($("threshold").value).toFixed(2);
}
