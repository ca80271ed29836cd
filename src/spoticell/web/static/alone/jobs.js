// The jobs of this tab, in the states that a server's have: checking, ready, queued, running, done; failed, cancelled.
// Each has a worker of its own. A job that is run again keeps its result until the new one is whole.

import { guess, noteRun, times } from "./rates.js";
import { Engine, inTurn, leave, place } from "./tasks.js";

const AT_WORK = ["checking", "queued", "running"];
const jobs = new Map();

// `status` as HTTP has it, and a sentence.
export class NotDone extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

export function jobOf(id) {
  const job = jobs.get(id);
  if (!job) throw new NotDone(404, "There is no such job in this tab.");
  return job;
}

// Whether closing the tab would lose what was worked out, or is being worked out.
export const isUnsaved = () => [...jobs.values()].some((job) => AT_WORK.includes(job.state) || (job.result && !job.result.isSaved));

export const all = () => [...jobs.values()];

class Job {
  // `files`: [{file, path}]
  constructor(files) {
    const [{ file }] = files;
    Object.assign(this, {
      id: Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
      name: files.length > 1 ? files[0].path.split("/").slice(-2)[0] : file.name, files,
      bytes: files.reduce((sum, one) => sum + one.file.size, 0), created: new Date().toISOString(), looked: 0, started: 0,
      state: "checking", stage: "waiting", progress: 0, error: null, notice: null, findings: null, lines: [], settings: null,
      // `worker` has looked at the file or named its cells; `result` is what of it can be asked for
      worker: null, result: null, ticket: null, listeners: new Set(),
    });
  }

  get upload() {
    return { name: this.name, files: this.files.map(({ file, path }) => [path, file]) };
  }

  tell(changes) {
    Object.assign(this, changes);
    for (const listener of this.listeners) listener(told(this));
  }
}

export function told(job) {
  const { id, name, bytes, state, stage, progress, error, notice, findings, lines, created, settings, result } = job;
  const here = `/api/jobs/${id}`;
  const links = { self: here };
  if (result) for (const part of ["summary", "map", "genes", "commands", ...(result.settings.groups ? ["groups"] : [])]) links[part] = `${here}/${part}`;
  for (const file of result?.files ?? []) links[file] = `${here}/files/${file}`;
  return {
    id, name, bytes, state, stage, progress, error, notice, ...times(job), findings, lines, created, settings, links,
    position: state === "queued" && job.ticket ? Math.max(place(job.ticket), 1) : null, warnings: findings?.notes ?? [], expires: null,
  };
}

export function add(files) {
  const job = new Job(files);
  jobs.set(job.id, job);
  check(job);
  return job;
}

async function check(job) {
  const ticket = begin(job);
  await inTurn(ticket);
  const worker = (job.worker = workerOf(job, ticket));
  const began = performance.now();
  try {
    const { findings, lines } = await worker.call("check", { upload: job.upload });
    if (job.ticket !== ticket) return;
    job.tell({ state: "ready", stage: "ready", progress: 1, findings, lines, looked: (performance.now() - began) / 1000 });
  } catch (error) {
    if (job.ticket !== ticket) return;
    drop(job);
    job.tell({ state: "failed", error: error.message });
  } finally {
    leave(ticket);
  }
}

const begin = (job) => (job.ticket = { onMoved: () => { if (job.state === "queued") job.tell({}); } });

const workerOf = (job, ticket) => new Engine((news) => { if (job.ticket === ticket && AT_WORK.includes(job.state)) job.tell(news); });

function drop(job) {
  job.worker?.end();
  job.worker = null;
}

// What is asked of a run is looked through first, so that what can't be is refused at once.
export async function run(job, order) {
  if (AT_WORK.includes(job.state)) throw new NotDone(409, "The job is still being worked on. Wait, or cancel it first.");
  if (!job.findings) throw new NotDone(409, job.state === "cancelled" ? "The check of the file was cancelled. Choose the file again." : "The file can't be used, so there is nothing to run.");
  const asked = job.worker && !job.worker.ended ? job.worker : (job.worker = workerOf(job, null));
  let settings;
  try {
    ({ settings } = await asked.call("order", { order, findings: job.findings, name: job.name }));
  } catch (error) {
    throw new NotDone(422, error.message);
  }
  if (AT_WORK.includes(job.state)) throw new NotDone(409, "The job is still being worked on. Wait, or cancel it first.");
  const ticket = begin(job);
  const before = job.result && { settings: job.result.settings, findings: job.findings, lines: job.lines };
  job.tell({ state: "queued", stage: "waiting", progress: 0, error: null, notice: null, settings });
  work(job, ticket, before);
}

async function work(job, ticket, before) {
  await inTurn(ticket);
  if (job.ticket !== ticket) return leave(ticket);
  // the worker that holds a result goes on answering until the new one is whole
  const worker = before || !job.worker || job.worker.ended ? workerOf(job, ticket) : job.worker;
  worker.onNews = (news) => { if (job.ticket === ticket) job.tell(news); };
  Object.assign(ticket, { worker, before });
  const guessed = guess(job);
  job.tell({ state: "running", stage: "starting", progress: 0, started: performance.now() });
  try {
    const { findings: found, lines, threshold, files } = await worker.call("run", { upload: job.upload, settings: job.settings, cores: navigator.hardwareConcurrency ?? 1 });
    if (job.ticket !== ticket) return;
    if (job.worker !== worker) drop(job);
    // what some cells looked like is told by the check alone
    const findings = { ...job.findings, ...found }, settings = { ...job.settings, threshold };
    noteRun(guessed, (performance.now() - job.started) / 1000);
    Object.assign(job, { worker, result: { settings, files, isSaved: false } });
    job.tell({ state: "done", stage: "done", progress: 1, findings, lines, settings });
  } catch (error) {
    if (job.ticket !== ticket) return;
    if (before) {
      worker.end();
      back(job, before, `The new run failed: ${error.message} This is the earlier result.`);
    } else {
      if (worker.ended) job.worker = null;
      job.tell({ state: "failed", error: error.message });
    }
  } finally {
    leave(ticket);
  }
}

const back = (job, before, notice) => job.tell({ state: "done", stage: "done", progress: 1, error: null, notice, ...before });

// The worker ends at once; a new one looks at the file again when it is wanted.
export function cancel(job) {
  if (!AT_WORK.includes(job.state)) return;
  const { ticket } = job;
  job.ticket = null;
  leave(ticket);
  if (ticket.before) {
    ticket.worker.end();
    back(job, ticket.before, "The new run was cancelled; this is the earlier result.");
  } else if (job.result) {
    back(job, { settings: job.result.settings }, "The new run was cancelled; this is the earlier result.");
  } else {
    drop(job);
    job.tell({ state: "cancelled", stage: "cancelled" });
  }
}

export function remove(job) {
  const { ticket } = job;
  job.ticket = null;
  if (ticket) leave(ticket);
  ticket?.worker?.end();
  drop(job);
  jobs.delete(job.id);
}

// Gives the engine's reply: {status, headers, body}.
export async function ask(job, request) {
  if (!job.result || !job.worker) throw new NotDone(409, "There are no results yet: the job is not done.");
  return job.worker.call("ask", { request });
}
