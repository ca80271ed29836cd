// The page shows one view at a time; the style sheet hides the others.

import { $ } from "./dom.js";

export function view(name, title) {
  const root = document.documentElement;
  document.title = title ? `${title} · Spoticell` : "Spoticell";
  if (root.dataset.view === name) return;
  root.dataset.view = name;
  window.scrollTo(0, 0);
  // Readers of the screen are taken to the new heading, but not when the page opens by itself.
  if (name !== "start" && name !== "loading") $(`${name}-title`).focus({ preventScroll: true });
}
