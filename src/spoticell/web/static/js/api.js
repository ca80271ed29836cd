// All that the page asks of the server. A refusal becomes an Error with the server's own sentence.

import { asQuery } from "./kept.js";
import { OFFLINE, hear, reach, send as bring } from "./reach.js";

export class Refusal extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let reply;
  try {
    reply = await reach(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, OFFLINE);
  }
  return granted(reply);
}

async function granted(reply) {
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

// A table may be longer than the server takes unpacked, and packs well.
const packed = async (file) => (file.name.endsWith(".gz") || !("CompressionStream" in window) ? file
  : new Response(file.stream().pipeThrough(new CompressionStream("gzip"))).blob());

const at = (id, ...rest) => ["/api/jobs", encodeURIComponent(id), ...rest].join("/");

export const read = ask;
export const readJson = json;
export const cellSky = (id, which) => at(id, "cells", encodeURIComponent(which), "sky");
export const typeSkies = (id, ...which) => at(id, "skies", ...which);
export const token = (text) => send("/api/token", { token: text });
export const info = () => json("/api/info");
export const demo = () => json("/api/jobs/demo", { method: "POST" });
export const job = (id) => json(at(id));
export const run = (id, settings) => post(at(id, "run"), settings);
export const keepMarkers = async (id, file) => (await ask(`${at(id, "markers")}?name=${encodeURIComponent(file.name.slice(-200))}`, { method: "PUT", body: await packed(file) })).json();
export const cancel = (id) => post(at(id, "cancel"));
export const remove = (id) => ask(at(id), { method: "DELETE" });
export const summary = (id) => json(at(id, "summary"));
const put = async (path, body) => (await ask(path, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();
export const showAt = (id, threshold) => put(at(id, "threshold"), { threshold });
export const showFor = (id, tissue) => put(at(id, "tissue"), { tissue });
// For each cell the place of its group in the summary; 65535 for none.
export const groups = async (id) => new Uint16Array(await (await ask(at(id, "groups"))).arrayBuffer());
export const genes = (id, text, signal) => json(`${at(id, "genes")}?q=${encodeURIComponent(text)}`, { signal });
// As a query: the path of an address can hold no slash within a name.
export const cell = (id, which) => json(`${at(id, "cell")}?cell=${encodeURIComponent(which)}`);
export const about = (id, types) => json(`${at(id, "about")}?${types.map((type) => `type=${type}`).join("&")}${asQuery()}`);
export const apart = (id, chosen) => post(`${at(id, "apart")}${asQuery("?")}`, chosen);
// `what`: {cell}, {types, term} or {group}.
export const why = (id, what) => json(`${at(id, "why")}?${new URLSearchParams(Object.entries({ cell: what.cell, group: what.group, term: what.term }).filter(([, value]) => value !== undefined).concat((what.types ?? []).map((type) => ["type", type])))}${asQuery()}`);
export const matches = (id, chosen) => post(`${at(id, "matches")}${asQuery("?")}`, chosen);
export const expression = (id, genes) => json(`${at(id, "expression")}?${genes.map((gene) => `gene=${encodeURIComponent(gene)}`).join("&")}${asQuery()}`);
export const spread = (id, symbol) => json(`${at(id, "genes", encodeURIComponent(symbol), "spread")}${asQuery("?")}`);
export const curated = (id) => json(at(id, "curated"));
// For each cell the place of its given name, from 1; 0 for none.
export const curatedCells = async (id) => new Uint16Array(await (await ask(at(id, "curated", "cells"))).arrayBuffer());
export const giveName = (id, chosen, name) => post(at(id, "curated"), { ...chosen, name });
export const undoName = (id) => post(at(id, "curated", "undo"));
export const across = (order) => post("/api/differences", order);
export const terms = (text) => json(`/api/terms?q=${encodeURIComponent(text)}`);
export const shares = (id, types, column) => json(`${at(id, "shares")}?${types.map((type) => `type=${type}`).join("&")}${column === null ? "" : `&column=${column}`}${asQuery()}`);
export const splitExpression = (id, place, genes) => json(`${at(id, "columns", place, "expression")}?${genes.map((gene) => `gene=${encodeURIComponent(gene)}`).join("&")}${asQuery()}`);
export const labels = (id, place) => json(`${at(id, "columns", place, "labels")}${asQuery("?")}`);
export const unsure = (id, { reason, type, start, most }) => json(`${at(id, "unsure")}?start=${start}&most=${most}${reason ? `&reason=${encodeURIComponent(reason)}` : ""}${type === null ? "" : `&type=${type}`}`);
// For each cell the code of its reason; 0 where the answer is sure.
export const unsureCodes = async (id) => new Uint8Array(await (await ask(at(id, "unsure", "cells"))).arrayBuffer());
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

// `files`: [{file, path}], one, or a matrix and then its files of names.
export async function upload(files, onProgress, signal) {
  let reply;
  try {
    reply = await bring(files, onProgress, signal);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, error.message);
  }
  return (await granted(reply)).json();
}

const AT_REST = ["ready", "done", "failed", "cancelled"];
const RETRY = 2000;

export const isAtRest = ({ state }) => AT_REST.includes(state);

// Calls `onJob` with every news of a job until it is at rest; gives a function that stops listening.
// A server that is being started again is asked until it is back.
export function follow(id, onJob, onLost) {
  let timer = null;
  let close = () => {};
  const stop = () => { close(); clearTimeout(timer); };
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
  close = hear(at(id, "events"), news, () => { timer ??= setTimeout(askAgain, RETRY / 4); });
  return () => { stop(); timer = null; };
}

// The columns and maps of the file, in short; null where an older run kept none.
export async function columns(id) {
  try {
    return await json(at(id, "columns"));
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

// Of categories the place of each cell's, 65535 for none; of numbers these, NaN for none.
export async function column(id, place, kind) {
  const buffer = await (await ask(at(id, "columns", place))).arrayBuffer();
  return kind === "category" ? new Uint16Array(buffer) : new Float32Array(buffer);
}

export async function fileMap(id, place) {
  const both = new Float32Array(await (await ask(at(id, "maps", place))).arrayBuffer());
  return { x: both.subarray(0, both.length / 2), y: both.subarray(both.length / 2) };
}

export const changes = (id, place, first, second, samples) =>
  json(`${at(id, "columns", place, "changes")}?first=${first}&second=${second}${samples === null ? "" : `&samples=${samples}`}${asQuery()}`);

export const share = async (id, order) => (await send(at(id, "share"), order)).text();
