// Light or dark: the system's wish until the reader says otherwise.

import { $, say } from "./dom.js";

const root = document.documentElement;

export const isDark = () =>
  root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;

export function startTheme() {
  const show = () => $("theme").setAttribute("aria-pressed", isDark());
  const tell = () => { show(); window.dispatchEvent(new Event("theme")); };
  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    say(isDark() ? "Dark colours" : "Light colours");
    tell();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
  show();
}
