// What is looked at stands in the address behind the "#", so that a link shows the same and Back goes back.
// Anyone may add a key: address.read().mine, address.write({ mine: "value" }); null takes it out.

export function read() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

// With `quietly` the last step is replaced, so that Back doesn't go through each step of a slider.
export function write(part, { quietly = false } = {}) {
  const all = new URLSearchParams(location.hash.slice(1));
  for (const [key, value] of Object.entries(part)) {
    if (value === null || value === undefined || value === false) all.delete(key);
    else all.set(key, String(value));
  }
  const hash = all.size ? `#${all}` : "";
  if (hash === location.hash) return;
  const address = location.pathname + location.search + hash;
  if (quietly) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
}

// Hears when Back, Forward or the reader's own hand changed the address of this page.
export function onChange(hear) {
  const page = () => location.pathname + location.search;
  const own = page();
  const listen = () => { if (page() === own) hear(read()); };
  window.addEventListener("popstate", listen);
  return () => window.removeEventListener("popstate", listen);
}
