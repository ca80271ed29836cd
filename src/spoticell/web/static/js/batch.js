// Several files brought together: a job each, their states in one list, and what is in them side by side.

import * as api from "./api.js";
import { showAcross } from "./across.js";
import { showShares } from "./shares.js";
import { $, el, say } from "./dom.js";
import { BRINGING, HOME, addressOf, isAlone, leaving } from "./reach.js";
import { remember } from "./recent.js";
import { packed, tooLarge } from "./start.js";
import { view } from "./view.js";
import { capital, counted, number, percent, sentence } from "./words.js";

const PAUSE = 1500;
const CLOSED = { list: [], wish: false };
let open = CLOSED;

export function closeBatch() {
  open = CLOSED;
}

// `things` as gather.js sorts them; `most()` gives the bytes that one may have.
export async function sendBatch(things, { onToken, most }) {
  const own = begin(things.map((thing) => ({ name: thing.name, thing, job: null, error: "", share: null })), onToken);
  watch(own);
  for (const item of own.list) await bring(own, item, most());
}

// The batch of an address: its jobs are known to the server.
export async function openBatch(ids, { onToken }) {
  const own = begin(ids.map((id) => ({ name: "", job: { id, state: "checking", stage: "", progress: 0 }, error: "", share: null })), onToken);
  watch(own);
}

function begin(list, onToken) {
  const own = (open = { list, onToken, wish: false });
  $("batch-run").onclick = () => { own.wish = true; runReady(own); show(own); };
  show(own);
  view("batch", counted(list.length, "file"));
  return own;
}

async function bring(own, item, most) {
  if (open !== own) return;
  item.error = item.thing.size === 0 ? `${item.name} is empty.` : most && item.thing.size > most ? tooLarge(item.thing, most) : "";
  item.isRefused = item.error !== "";
  if (item.isRefused) return show(own);
  item.share = 0;
  show(own);
  try {
    const stop = new AbortController();
    const files = await packed(item.thing);
    item.job = await api.upload(files, (loaded, total) => { item.share = loaded / total; show(own); }, stop.signal);
    if (open !== own) return;
    const ids = own.list.filter(({ job }) => job).map(({ job }) => job.id);
    history[ids.length === 1 ? "pushState" : "replaceState"](null, "", `${HOME}#files=${ids.join(",")}`);
  } catch (error) {
    if (open !== own) return;
    if (error.status === 401) return own.onToken();
    item.error = error.message;
    item.again = () => bring(own, item, most);
    // what the server refuses as no file of cells stays refused
    item.isRefused = error.status === 415 || error.status === 400;
  }
  item.share = null;
  show(own);
}

// Asks for the jobs one after another: a stream of news for each would take all lines that a browser has.
async function watch(own) {
  while (open === own) {
    for (const item of own.list) {
      if (!item.job || (api.isAtRest(item.job) && item.name && (item.job.state !== "done" || item.summary))) continue;
      try {
        item.job = await api.job(item.job.id);
        item.name = item.job.name;
        if (item.job.state === "done") item.summary ??= await api.summary(item.job.id);
      } catch (error) {
        if (error.status === 401) return own.onToken();
        if (error.status === 404) Object.assign(item, { job: null, name: item.name || "A file", isRefused: true, error: error.message });
      }
      if (open !== own) return;
      remembered(item);
    }
    await runReady(own);
    if (open === own) show(own);
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}

function remembered({ job }) {
  if (job?.name) remember(job);
}

const isReady = ({ job }) => job && (job.state === "ready" || (job.state === "cancelled" && job.findings));
const isUnderWay = ({ job }) => job?.state === "queued" || job?.state === "running";

// Once it is wished, each file is named as soon as it is checked.
async function runReady(own) {
  if (!own.wish) return;
  for (const item of own.list.filter(isReady)) {
    try {
      item.job = await api.run(item.job.id, {});
      item.error = "";
    } catch (error) {
      item.error = error.message;
      if (error.status === 429) return;
    }
  }
}

const WORDS = {
  checking: () => "checking",
  ready: ({ findings }) => `checked, ${counted(findings.cells, "cell")}`,
  queued: ({ position }) => (position > 1 ? `number ${position} in the queue` : "next in the queue"),
  running: ({ stage, progress }) => `${stage || "naming cells"}, ${percent(Math.round(progress * 100) / 100)}`,
  done: () => "named",
  failed: () => "can’t be used",
  cancelled: () => "cancelled",
};

function show(own) {
  if (open !== own) return;
  const { list, wish } = own;
  const done = list.filter(({ job }) => job?.state === "done").length;
  const bad = list.filter(({ job, isRefused }) => isRefused || job?.state === "failed").length;
  const left = list.length - done - bad;
  $("batch-title").textContent = counted(list.length, "file");
  $("batch-lead").textContent = left ? `Each file is a job of its own. ${leaving(" once all are sent")}` : "All files are through. Press a name to see its cells.";
  $("batch-run").hidden = left === 0;
  $("batch-run").disabled = left === list.filter(isUnderWay).length || (wish && !list.some(isReady));
  $("batch-text").textContent = `${number(done)} of ${number(list.length)} named${bad ? `, ${number(bad)} can’t be used` : ""}`;
  if (own.said !== $("batch-text").textContent) say((own.said = $("batch-text").textContent));
  const focused = document.activeElement?.closest("#batch-list [data-at]")?.dataset.at;
  $("batch-list").replaceChildren(...list.map(line));
  if (focused) $("batch-list").querySelector(`[data-at="${focused}"]`)?.focus();
  const through = list.filter(({ summary }) => summary);
  showShares(through);
  showAcross(through);
}

function line({ name, job, error, share, summary, isRefused, again }, at) {
  const words = isRefused ? "can’t be used" : share !== null ? `${BRINGING.state}${isAlone ? "" : `, ${percent(Math.round(share * 100) / 100)}`}` : job ? WORDS[job.state](job) : error ? BRINGING.failed : "waits";
  const far = share ?? (job?.state === "running" || job?.state === "checking" ? job.progress : null);
  const text = error || job?.error || (summary ? trust(summary) : "");
  return el("li", {},
    job ? el("a", { class: "name", href: addressOf(job.id), "data-at": at }, name || "…") : el("span", { class: "name" }, name),
    el("span", { class: "state" }, again && !job && !isRefused ? el("button", { type: "button", class: "button", onclick: again, "data-at": at }, BRINGING.again) : capital(words)),
    far !== null && el("span", { class: "bar", "aria-hidden": "true" }, el("b", { style: { width: `${100 * far}%` } })),
    text && el("p", { class: `note ${error || job?.error ? "warning" : "small"}` }, sentence(text)),
    ...(summary?.cautions ?? []).map((caution) => el("p", { class: "note caution" }, caution.text)));
}

// How far the answers can be trusted, in a sentence: that cells have a type says little.
function trust({ named, cells, score_median: median, unknown }) {
  const score = median === null ? "" : `, half of them with a score of ${median.toFixed(2)} or more`;
  return `${number(named)} of ${counted(cells, "cell")} have a type${score}${unknown.cells ? `; ${number(unknown.cells)} stayed unknown` : ""}.`;
}
