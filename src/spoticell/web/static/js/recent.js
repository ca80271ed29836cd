// The files that this browser has brought, so that their links aren't lost. Names and ids only, in this browser only.

import { $, el, named } from "./dom.js";
import { addressOf, recentStore } from "./reach.js";
import { moment, span } from "./words.js";

const WORDS = { ready: "checked", done: "result", failed: "failed", cancelled: "cancelled" };
const MOST = 5;

function load() {
  try {
    const now = Date.now();
    return JSON.parse(recentStore().getItem("recent") ?? "[]").filter(({ expires }) => !expires || moment(expires) > now);
  } catch {
    return [];
  }
}

const save = (list) => recentStore().setItem("recent", JSON.stringify(list.slice(0, MOST)));

export function remember({ id, name, state, created, expires }) {
  save([{ id, name, state, created, expires }, ...load().filter((one) => one.id !== id)]);
}

export function forget(id) {
  save(load().filter((one) => one.id !== id));
}

export function showRecent() {
  const list = load();
  $("recent").hidden = list.length === 0;
  $("recent").querySelector("ul").replaceChildren(...list.map(({ id, name, state, created }) =>
    el("li", {},
      el("a", { href: addressOf(id) }, named(name)),
      el("span", { class: "small" }, [WORDS[state] ?? "in progress", created && `${span(Date.now() - moment(created))} ago`].filter(Boolean).join(", ")))));
}
