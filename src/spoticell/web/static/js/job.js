// A job on its way: upload, check, what was found, settings, queue, run.

import { $, el, say } from "./dom.js";
import { showFindings } from "./findings.js";
import { view } from "./view.js";
import { breakable, bytes, capital, percent } from "./words.js";

let stopUpload = null;
let said = "";

export function stageJob({ onRun, onCancel, onDelete }) {
  $("run").addEventListener("submit", (event) => {
    event.preventDefault();
    onRun({ bundle: $("bundle").value, threshold: Number($("threshold").value), tissue: $("tissue").value || null });
  });
  $("cancel").addEventListener("click", () => (stopUpload ? stopUpload() : onCancel()));
  $("job-delete").addEventListener("click", onDelete);
  $("threshold").addEventListener("input", showThreshold);
}

export function showUpload(file, onStop, loaded = 0, total = file.size) {
  if (onStop) stopUpload = onStop;
  head("Sending", file.name, `${bytes(file.size)}`);
  $("found").hidden = $("run").hidden = true;
  $("work").hidden = false;
  const whole = loaded >= total;
  progress(whole ? "Arrived; looking into it" : "Sending the file", whole ? null : loaded / total, whole ? "" : `${bytes(loaded)} of ${bytes(total)}`);
  view("job", file.name);
}

// A job that is at rest with findings can be run, also once more.
export function showJob(job, info, first) {
  stopUpload = null;
  if (first) settings(info, job.settings);
  head(...HEADS[job.state](job));
  const isRest = !(job.state in STAGES);
  $("run").hidden = !isRest;
  $("work").hidden = isRest;
  $("found").hidden = !job.findings;
  if (job.findings) showFindings(job);
  if (isRest) announce(job.state === "ready" ? "The file is checked. What was found stands on the page." : "Nothing is running.");
  else progress(...STAGES[job.state](job));
  view("job", job.name);
}

const HEADS = {
  checking: (job) => ["Checking", job.name, "Looking for cells, genes and counts. Nothing is run yet."],
  ready: (job) => ["Checked", job.name, job.warnings.length ? "This can be named. Please read the notes first." : "This can be named."],
  queued: (job) => ["Waiting", job.name, "You may close the page: the link in the address bar leads back here."],
  cancelled: (job) => ["Cancelled", job.name, "The run was stopped. The file is still here and can be run again."],
  done: (job) => ["Once more", job.name, "With other settings the answers change; the present results are replaced."],
  running: (job) => ["Naming", job.name, "You may close the page: the link in the address bar leads back here."],
};

const STAGES = {
  checking: (job) => [capital(job.stage) || "Checking the file", job.progress, ""],
  queued: (job) => [job.position > 1 ? `Number ${job.position} in the queue` : "Next in the queue", null, job.position > 1 ? "Starts by itself when the others are done." : "Starts at once when a place is free."],
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

function settings(info, last) {
  const choose = () => {
    const bundle = info.bundles.find(({ name }) => name === $("bundle").value);
    $("bundle-text").textContent = `${bundle.description} It knows ${bundle.n_labels} types.`;
    $("threshold").value = bundle.threshold;
    showThreshold();
  };
  $("bundle").replaceChildren(...info.bundles.map(({ name }) => el("option", { value: name }, name)));
  $("bundle").onchange = choose;
  if (last) $("bundle").value = last.bundle;
  $("tissue").replaceChildren(el("option", { value: "" }, "Any"), ...info.tissues.map((name) => el("option", { value: name }, capital(name))));
  $("tissue").value = last?.tissue ?? "";
  choose();
  if (last?.threshold) $("threshold").value = last.threshold;
  showThreshold();
}

function showThreshold() {
  $("threshold-out").textContent = Number($("threshold").value).toFixed(2);
}
