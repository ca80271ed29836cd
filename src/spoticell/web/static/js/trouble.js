// What went wrong, and what to do now.

import { $, named } from "./dom.js";
import { view } from "./view.js";
import { HOUR, place, sentence, span } from "./words.js";

function words(what, keepHours) {
  if (what.state === "cancelled") return ["Cancelled", `The file was not fully checked. It is still on ${place()}; you can delete it.`];
  if (what.state === "failed") return [what.findings ? "The run failed" : "This file can’t be used", sentence(what.error ?? "The reason is unknown")];
  if (what.status === 404) {
    const kept = keepHours ? ` Results are kept for ${span(keepHours * HOUR)}.` : "";
    return ["This result is gone", `It was deleted, or its time was over.${kept} With the same file you get the same answers again.`];
  }
  if (what.status === 0) return ["The server doesn’t answer", what.message];
  return ["That didn’t work", sentence(what.message)];
}

// `what` is a job that failed or was cancelled, or an error.
export function showTrouble(what, { keepHours = null, again = null, remove = null } = {}) {
  const [title, text] = words(what, keepHours);
  $("trouble-name").replaceChildren(named(what.name && what.state ? what.name : ""));
  $("trouble-title").textContent = title;
  $("trouble-text").textContent = text;
  $("again").hidden = !again || what.status === 404;
  $("again").onclick = again;
  $("trouble-delete").hidden = !remove;
  $("trouble-delete").onclick = remove;
  view("trouble", title);
}
