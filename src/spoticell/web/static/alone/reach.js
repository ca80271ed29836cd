// The way from the page to what answers it, and what is true of that alone: here workers of this browser. It takes the
// place of the module of this name that leads to a server.

import { OFFLINE, demoFile, engine, manifest } from "./folder.js";
import { NotDone, add, ask, cancel, isUnsaved, jobOf, remove, run, told } from "./jobs.js";
import { keepBlob } from "./keep.js";
import { Engine } from "./tasks.js";

export const isAlone = true;

export { OFFLINE };

const json = (value, status = 200) => new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });

// Answers as a server would.
export async function reach(path, { method = "GET", body, signal } = {}) {
  try {
    const reply = await answer(path, method, body);
    if (signal?.aborted) throw new DOMException("stopped", "AbortError");
    return reply;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    return json({ error: error.message }, error.status ?? 500);
  }
}

async function answer(path, method, body) {
  if (path === "/api/info") return json((await manifest()).info);
  if (path === "/api/jobs/demo") return send([{ file: await demoFile(), path: "" }]);
  const [, id, part] = path.match(/^\/api\/jobs\/([\w-]+)(?:\/(\w+))?/) ?? [];
  if (!id) return replied(await desk().call("ask", { request: requestOf(path, method, body) }));
  const job = jobOf(id);
  if (!part && method === "DELETE") {
    remove(job);
    return new Response(null, { status: 204 });
  }
  if (!part) return json(told(job));
  if (part === "run") await run(job, JSON.parse(body ?? "{}"));
  else if (part === "cancel") cancel(job);
  else {
    // a name that was given after files were saved is in none of them
    if (part === "curated" && method === "POST") job.result.isSaved = false;
    return replied(await ask(job, requestOf(path, method, body)));
  }
  return json(told(job), 202);
}

function requestOf(path, method, body) {
  const [place, query = ""] = path.split("?");
  return { method, path: place, query, body: body === undefined ? null : JSON.parse(body) };
}

const replied = ({ status, headers, body }) => new Response(status === 204 ? null : body, { status, headers });

// Answers what no file is needed for.
let general = null;
const desk = () => (general && !general.ended ? general : (general = new Engine()));

// A visitor may stop it while the engine is still loaded.
export async function send(files, _onProgress, signal) {
  const stopped = new Promise((_, stop) => signal?.addEventListener("abort", () => stop(new DOMException("stopped", "AbortError"))));
  await Promise.race([prepared(), stopped]);
  return json(told(add(files)), 201);
}

export function hear(path, onNews) {
  const job = jobOf(path.split("/")[3]);
  job.listeners.add(onNews);
  queueMicrotask(() => { if (job.listeners.has(onNews)) onNews(told(job)); });
  return () => job.listeners.delete(onNews);
}

// Where views lie: all in this page, since nothing would be there after it was loaded anew

export const HOME = location.pathname;
export const addressOf = (id) => `?job=${id}`;
export const here = () => location.search;
export const jobHere = () => new URLSearchParams(location.search).get("job") ?? undefined;
export const isAtlas = () => location.search === "?atlas";

let map = "";
export const mapFrame = () => ({ srcdoc: map });

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  const { origin, pathname, search, href } = new URL(link.href);
  if (origin !== location.origin) return;
  if (pathname.startsWith("/api/")) {
    event.preventDefault();
    save(link, pathname + search);
  } else if (link.getAttribute("href") === "./" && link.id !== "another") {
    event.preventDefault();
    document.getElementById("another").click();
  } else if (pathname === location.pathname && search !== location.search) {
    event.preventDefault();
    history.pushState(null, "", href);
    window.dispatchEvent(new PopStateEvent("popstate"));
  }
});

async function save(link, path) {
  link.setAttribute("aria-busy", "true");
  try {
    const reply = await reach(path);
    if (!reply.ok) throw new Error((await reply.json()).error);
    keepBlob(await reply.blob(), reply.headers.get("X-File-Name") ?? link.download);
    jobOf(path.split("/")[3]).result.isSaved = true;
  } catch (error) {
    (link.lastElementChild ?? link).textContent = error.message;
  } finally {
    link.removeAttribute("aria-busy");
  }
}

window.addEventListener("beforeunload", (event) => { if (isUnsaved()) event.preventDefault(); });

// The files that this tab has: they go with it
const kept = new Map();
export const recentStore = () => ({ getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) });

// Words

export const KINDS = "h5ad, 10x, csv or loom";
const LOADING = "Loading what reads the file";
export const BRINGING = { head: "Opening", stage: LOADING, last: LOADING, state: "opening", failed: "not opened", again: "Try again", stopped: "The file is not opened." };
export const REMOVED = "The page has forgotten the file and its results.";
export const unchecked = () => "The file was not fully checked. To have it checked, choose it again.";

export const MAKER = "this page";
export const place = () => "this page";
export const stays = () => "Your file stays in this browser: nothing is uploaded. Save the results that you want to keep; what isn’t saved is gone when this tab is closed.";
export const leaving = () => "Keep this tab open: what it works out is gone when it is closed.";
export const gone = () => "What isn’t saved goes when its tab is closed or loaded anew. With the same file you get the same answers again.";

// Those that views need later: nothing is asked for once a file is there.
async function fetchModules() {
  for (const href of Object.keys((await manifest()).files).filter((name) => name.startsWith("js/"))) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "modulepreload", href }));
  }
}

// All is loaded while the visitor looks for a file, and kept for use without a network where the browser can.
async function prepared() {
  const { tables } = await engine();
  map ||= new TextDecoder().decode(tables.find(([name]) => name === "map.html")[1]);
}

// Counts of large files lie on disk, in a place that only this page can see (see web/spill.ts of the engine). A tab that
// was closed can't take its own away, so the next does; those that another tab uses stay.
async function sweep() {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("spoticell-passing");
  const names = [];
  for await (const name of folder.keys()) names.push(name);
  await Promise.all(names.map((name) => folder.removeEntry(name).catch(() => {})));
}

window.addEventListener("load", async () => {
  // a browser without such a place has nothing there
  sweep().catch(() => {});
  // what is missing is said when a file is brought
  await prepared().then(fetchModules).catch(() => {});
  if (window.isSecureContext && "serviceWorker" in navigator) await navigator.serviceWorker.register("sw.js");
});
