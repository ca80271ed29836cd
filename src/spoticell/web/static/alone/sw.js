// Keeps the folder of one version whole, for use without a network. A folder that was replaced is kept beside it until
// no tab shows the old one.

const CACHE = `spoticell ${self.registration.scope} [[version]]`;
const FILES = [[files]];

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES.map((name) => new Request(name, { cache: "no-cache" })))));
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith(`spoticell ${self.registration.scope} `) && name !== CACHE;
  const old = caches.keys().then((names) => Promise.all(names.filter(isOld).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  // views of the page differ in their query alone
  const wanted = event.request.mode === "navigate" ? self.registration.scope : event.request;
  const kept = caches.open(CACHE).then((cache) => cache.match(wanted, { ignoreSearch: true }));
  event.respondWith(kept.then((reply) => reply ?? fetch(event.request)));
});
