// Which view is shown: the start, a job on its way, a result, or what went wrong.

import { showNotice, stageAgain } from "./again.js";
import * as api from "./api.js";
import { stopClock } from "./clock.js";
import { $, copy, say } from "./dom.js";
import { showJob, showRefused, stageJob } from "./job.js";
import { HOME, REMOVED, addressOf, here, isAlone, isAtlas, jobHere, place, stays } from "./reach.js";
import { forget, remember, showRecent } from "./recent.js";
import { warmMap } from "./map.js";
import { startDrop } from "./start.js";
import { startTheme } from "./theme.js";
import { askToken } from "./token.js";
import { showTrouble } from "./trouble.js";
import { view } from "./view.js";
import { HOUR, bytes, span } from "./words.js";

// What the start doesn't need is loaded when it is needed: a result, and a list of several files.
let result = null;
const withResult = async () => (result ??= await import("./result.js"));
const closeResult = () => result?.closeResult();
let batch = null;
const withBatch = async () => (batch ??= await import("./batch.js"));

const state = { info: null, job: null, stop: null, demo: null, path: here() };

async function open(id) {
  state.stop?.();
  try {
    receive(await api.job(id));
  } catch (error) {
    lost(error, id);
  }
}

function lost(error, id) {
  if (error.status === 401) return askToken(() => start());
  if (error.status === 404) forget(id);
  closeResult();
  showTrouble(error, { keepHours: state.info?.keep_hours, again: anew });
}

function receive(job) {
  batch?.closeBatch();
  remember(job);
  const first = state.job?.id !== job.id;
  state.job = job;
  if (here() !== addressOf(job.id)) history.pushState(null, "", addressOf(job.id));
  state.path = here();
  if (job.state === "done") return finish(job);
  if (job.state === "failed" || (job.state === "cancelled" && !job.findings)) {
    leave();
    return showTrouble(job, { again: job.findings && (() => act(() => api.run(job.id, job.settings))), remove: () => erase(job.id) });
  }
  if (job.state === "ready" && state.demo === job.id) return runDemo(job);
  warmMap(state.info.version);
  withResult();
  showJob(job, state.info, first);
  if (api.isAtRest(job)) leave();
  else state.stop ??= api.follow(job.id, receive, (error) => { leave(); lost(error, job.id); });
}

// The demo needs no second press: it is run as the model has it. "Run again" offers the settings.
function runDemo(job) {
  state.demo = null;
  leave();
  act(() => api.run(job.id, {}));
}

function leave() {
  stopClock();
  state.stop?.();
  state.stop = null;
}

const RETRY = 2000;

// A server that is being started again is asked until it is back; meanwhile the page says that it doesn't answer.
async function finish(job, isAgain = false) {
  leave();
  try {
    showNotice(job);
    await (await withResult()).showResult(job, {
      onDelete: () => erase(job.id), onAgain: () => { closeResult(); showJob(job, state.info, true); }, version: state.info.version, hasIndex: state.info.has_index,
      onSave: (shown) => { closeResult(); act(() => api.run(job.id, { ...job.settings, ...shown })); },
    });
    say(job.notice ?? "The cells are named.");
  } catch (error) {
    if (error.status === 0) setTimeout(() => { if (state.job?.id === job.id) finish(job, true); }, RETRY);
    if (error.status !== 0 || !isAgain) lost(error, job.id);
  }
}

async function erase(id) {
  $("sure").returnValue = "keep";
  $("sure").showModal();
  await new Promise((closed) => $("sure").addEventListener("close", closed, { once: true }));
  if ($("sure").returnValue !== "delete") return;
  leave();
  try {
    await api.remove(id);
  } catch (error) {
    if (error.status !== 404) return lost(error, id);
  }
  forget(id);
  home(REMOVED);
}

function home(text = "") {
  leave();
  batch?.closeBatch();
  closeResult();
  state.job = null;
  history.pushState(null, "", HOME);
  state.path = here();
  showRecent();
  view("start");
  if (text) say(text);
}

// Where there is no server, what was worked out would be gone if the page were loaded anew.
function anew() {
  if (!isAlone) return location.reload();
  leave();
  batch?.closeBatch();
  closeResult();
  Object.assign(state, { job: null, path: here() });
  view("loading");
  start();
}

async function act(action, onRefused = null) {
  try {
    const job = await action();
    if (job) receive(job);
  } catch (error) {
    if ([422, 429, 507].includes(error.status) && onRefused) onRefused(error);
    else lost(error, state.job?.id);
  }
}

async function start() {
  showRecent();
  try {
    state.info = await api.info();
  } catch (error) {
    return lost(error);
  }
  describe(state.info);
  const id = jobHere();
  const [, ids] = location.hash.match(/^#files=([0-9a-f,]+)$/) ?? [];
  if (id) open(id);
  else if (ids) (await withBatch()).openBatch(ids.split(","), batched);
  else if (isAtlas()) (await import("./atlas.js")).openAtlas(lost);
  // a file may have been dropped before the server said what it is
  else if (document.documentElement.dataset.view !== "job") view("start");
}

function describe(info) {
  $("private").textContent = stays(info.keep_hours ? span(info.keep_hours * HOUR) : "");
  $("foot").textContent = `Everything is computed on ${place()}.`;
  $("version").textContent = `Spoticell ${info.version}`;
  $("limit").textContent = info.limits.file_bytes === null ? "" : `; up to ${bytes(info.limits.file_bytes)}`;
  // links lead nowhere, and tables of markers are read, where there is a server only
  $("copy-link").hidden = $("markers").closest(".field").hidden = isAlone;
  $("demo").hidden = !info.demo;
  $("demo-text").textContent = typeof info.demo === "string" ? `The demo: ${info.demo.replace(/\.$/, "")}.` : "";
}

const batched = { onToken: () => askToken(start), most: () => state.info?.limits?.file_bytes };

startTheme();
const started = start();
startDrop({ info: () => state.info, onJob: async (job, { demo = false } = {}) => { await started; leave(); state.demo = demo ? job.id : null; receive(job); },
  onBatch: async (things) => { await started; closeResult(); (await withBatch()).sendBatch(things, batched); }, onAway: leave, onToken: () => askToken(start) });
stageJob({
  onRun: (settings) => act(() => api.run(state.job.id, settings), showRefused),
  onCancel: () => act(() => api.cancel(state.job.id)),
  onDelete: () => erase(state.job.id),
});
stageAgain(() => receive(state.job));
$("another").addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  home();
});
$("copy-link").addEventListener("click", async () => { await copy(location.href); $("copy-link").textContent = "Copied"; say("The link is copied.");
  setTimeout(() => { $("copy-link").textContent = "Copy link"; }, 1600); });
// Within a result, Back leads to what was looked at before; see js/address.js.
window.addEventListener("popstate", () => { if (here() !== state.path) anew(); });
