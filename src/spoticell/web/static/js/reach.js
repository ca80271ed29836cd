// The way from the page to what answers it, and what is true of that alone: here a server. The folder that `spoticell page`
// writes has another module of this name with the same exports: there a worker of the browser answers.

export const isAlone = false;

export const OFFLINE = "The server doesn’t answer. If Spoticell runs on this computer, check that it was not stopped.";

export const reach = (path, options) => fetch(path, { credentials: "same-origin", ...options });

// `files`: [{file, path}]. fetch can't tell how far an upload is; XMLHttpRequest can.
export function send(files, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/jobs");
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded, total);
    request.onload = () => resolve(new Response(request.responseText, {
      status: request.status, headers: { "Retry-After": request.getResponseHeader("Retry-After") ?? "" },
    }));
    request.onerror = () => reject(new Error("The upload broke off. Either the connection was lost, or the file is larger than the server takes."));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    const form = new FormData();
    for (const { file, path } of files) form.append("file", file, path);
    request.send(form);
  });
}

// Calls `onNews` with what is told of a job, and `onClosed` if no more will be told; gives a function that stops it.
export function hear(path, onNews, onClosed) {
  const source = new EventSource(path);
  source.addEventListener("job", ({ data }) => onNews(JSON.parse(data)));
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) onClosed(); };
  return () => source.close();
}

// Where views lie

export const HOME = "/";
export const addressOf = (id) => `/jobs/${id}`;
export const here = () => location.pathname;
export const jobHere = () => location.pathname.match(/^\/jobs\/([\w-]+)$/)?.[1];
export const isAtlas = () => location.pathname === "/atlas";
export const mapFrame = (version) => ({ src: `/static/map.html?v=${encodeURIComponent(version)}` });

// The files that this browser has brought
export const recentStore = () => localStorage;

// Words

export const KINDS = "h5ad, 10x, csv, loom or zarr";
export const BRINGING = { head: "Sending", stage: "Sending the file", last: "The file has arrived", state: "sending", failed: "not sent", again: "Send again", stopped: "The upload is stopped." };
export const REMOVED = "The file and its results are deleted.";
export const unchecked = () => `The file was not fully checked. It is still on ${place()}; you can delete it.`;

const isLocal = () => ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

export const MAKER = "this server";
export const place = () => (isLocal() ? "this computer" : "this server");
// `kept` says how long, or nothing.
export const stays = (kept) => `Your file stays on ${place()}; nothing is sent anywhere else.${kept && ` The copy that is worked on is deleted after ${kept}, or earlier if you delete it.`}`;
export const leaving = (when = "") => `You may close the page${when}: the link in the address bar leads back here.`;
export const gone = (kept) => `It was deleted, or its time was over.${kept && ` Results are kept for ${kept}.`} With the same file you get the same answers again.`;
