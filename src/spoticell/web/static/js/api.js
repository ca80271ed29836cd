// All that the page asks of the server. A refusal becomes an Error with the server's own sentence.

export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

const OFFLINE = "The server doesn’t answer. If Spoticell runs on this computer, check that it was not stopped.";

async function ask(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, OFFLINE);
  }
  if (!reply.ok) throw new Refusal(reply.status, sentenceOf(await reply.text(), reply.status, reply.headers.get("Retry-After")));
  return reply;
}

function sentenceOf(text, status, wait) {
  let said = "";
  try {
    said = JSON.parse(text).error ?? "";
  } catch { /* a proxy in between answered with something else */ }
  if (!said && status === 413) said = "The file is larger than this server takes.";
  if (!said && status === 429) said = "The server has as many files as it can hold.";
  if (!said) said = `The server answered with an error (${status}).`;
  return status === 429 && wait && !/\d/.test(said) ? `${said} Try again in ${wait} seconds.` : said;
}

const json = async (path, options) => (await ask(path, options)).json();

const send = (path, body = {}) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

const post = async (path, body) => (await send(path, body)).json();

const at = (id, ...rest) => ["/api/jobs", encodeURIComponent(id), ...rest].join("/");

export const token = (text) => send("/api/token", { token: text });
export const info = () => json("/api/info");
export const demo = () => json("/api/jobs/demo", { method: "POST" });
export const job = (id) => json(at(id));
export const run = (id, settings) => post(at(id, "run"), settings);
export const cancel = (id) => post(at(id, "cancel"));
export const remove = (id) => ask(at(id), { method: "DELETE" });
export const summary = (id) => json(at(id, "summary"));
// For each cell the place of its group in the summary; 65535 for none.
export const groups = async (id) => new Uint16Array(await (await ask(at(id, "groups"))).arrayBuffer());
export const genes = (id, text, signal) => json(`${at(id, "genes")}?q=${encodeURIComponent(text)}`, { signal });
export const cell = (id, which) => json(at(id, "cells", encodeURIComponent(which)));
export const commands = (id) => json(at(id, "commands"));
export const fileUrl = (id, name) => at(id, "files", name);

// The map as typed arrays: x, y and score from 0 to 1, and the index of the type.
export async function map(id) {
  const buffer = await (await ask(at(id, "map"))).arrayBuffer();
  const n = new DataView(buffer).getUint32(0, true);
  const floats = (part) => new Float32Array(buffer, 4 + 4 * n * part, n);
  return { n, x: floats(0), y: floats(1), score: floats(2), type: new Uint16Array(buffer, 4 + 12 * n, n) };
}

export async function gene(id, symbol) {
  const reply = await ask(at(id, "genes", encodeURIComponent(symbol)));
  return { symbol, level: new Uint8Array(await reply.arrayBuffer()), max: Number(reply.headers.get("X-Gene-Max")) };
}

// fetch can't tell how far an upload is; XMLHttpRequest can.
export function upload(file, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/jobs");
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onload = () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(new Refusal(request.status, sentenceOf(request.responseText, request.status, request.getResponseHeader("Retry-After"))));
    };
    request.onerror = () => reject(new Refusal(0, "The upload broke off. Either the connection was lost, or the file is larger than the server takes."));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    const form = new FormData();
    form.append("file", file);
    request.send(form);
  });
}

const AT_REST = ["ready", "done", "failed", "cancelled"];
const RETRY = 2000;

export const isAtRest = ({ state }) => AT_REST.includes(state);

// Calls `onJob` with every news of a job until it is at rest; gives a function that stops listening.
// A server that is being started again is asked until it is back.
export function follow(id, onJob, onLost) {
  const source = new EventSource(at(id, "events"));
  let timer = null;
  const stop = () => { source.close(); clearTimeout(timer); };
  const news = (told) => {
    if (isAtRest(told)) stop();
    onJob(told);
  };
  const askAgain = async () => {
    try {
      const told = await job(id);
      if (timer !== null) news(told);
      if (isAtRest(told)) return;
    } catch (error) {
      if (error.status) { stop(); onLost(error); return; }
    }
    if (timer !== null) timer = setTimeout(askAgain, RETRY);
  };
  source.addEventListener("job", ({ data }) => news(JSON.parse(data)));
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED && timer === null) timer = setTimeout(askAgain, RETRY / 4);
  };
  return () => { stop(); timer = null; };
}
