// A worker with the engine in it, which does one thing after another. Whatever a file does to it, it ends alone.

import { engine } from "./folder.js";

const CRASHED = "The reader crashed on this file, which is most likely damaged. Write it again, or in another format.";

export class Engine {
  // `onNews({stage, progress})` hears how far the work is; `onEnd()` that a worker is gone.
  constructor(onNews = () => {}, onEnd = () => {}) {
    Object.assign(this, { onNews, onEnd, worker: null, ended: false, waiting: new Map(), number: 0 });
    this.begun = this.begin().catch((error) => { this.end(error.message); throw error; });
  }

  async begin() {
    const { script, tables, version } = await engine();
    if (this.ended) return;
    this.worker = new Worker(script, { type: "module", name: "spoticell" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => { event.preventDefault(); this.end(CRASHED); };
    this.worker.postMessage({ kind: "load", tables, version });
  }

  // Gives what the engine answers; a refusal is an Error in its words.
  async call(kind, about) {
    await this.begun;
    if (this.ended) throw new Error(CRASHED);
    const number = (this.number += 1);
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.worker.postMessage({ kind, number, ...about });
    });
  }

  hear({ number, stage, progress, done, failed, refused, held }) {
    // whoever gets its lock learns that the worker is gone
    if (held !== undefined) return void navigator.locks.request(held, () => this.end(CRASHED));
    if (stage !== undefined) return this.onNews({ stage, progress });
    const { resolve, reject } = this.waiting.get(number);
    this.waiting.delete(number);
    if (failed === undefined) resolve(done);
    else reject(Object.assign(new Error(failed), { refused }));
  }

  end(why = "ended") {
    if (this.ended) return;
    this.ended = true;
    this.worker?.terminate();
    for (const { reject } of this.waiting.values()) reject(new Error(why));
    this.waiting.clear();
    this.onEnd();
  }
}

// Who may work at a time; the others wait in the order in which they came.
const MOST = Math.max(1, Math.min(4, (navigator.hardwareConcurrency ?? 2) - 1));
const queue = [];
let busy = 0;

export const place = (ticket) => queue.indexOf(ticket) + 1;

// Calls `work()` when it is `ticket`'s turn. `onTurn()` is called for all that wait, since their places have changed.
export function inTurn(ticket) {
  return new Promise((turn) => {
    queue.push(Object.assign(ticket, { turn }));
    next();
  });
}

export function leave(ticket) {
  const at = queue.indexOf(ticket);
  if (at >= 0) queue.splice(at, 1);
  else if (ticket.isAtWork) {
    ticket.isAtWork = false;
    busy -= 1;
  }
  next();
}

function next() {
  while (busy < MOST && queue.length) {
    busy += 1;
    const ticket = queue.shift();
    ticket.isAtWork = true;
    ticket.turn();
  }
  queue.forEach((ticket) => ticket.onMoved());
}
