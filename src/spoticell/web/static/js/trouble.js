// What went wrong, and what to do now.

import { $, named } from "./dom.js";
import { gone, unchecked } from "./reach.js";
import { view } from "./view.js";
import { HOUR, sentence, span } from "./words.js";

function words(what, keepHours) {
  if (what.state === "cancelled") return ["Cancelled", unchecked()];
  if (what.state === "failed") return [what.findings ? "The run failed" : "This file can’t be used", sentence(what.error ?? "The reason is unknown")];
  if (what.status === 404) return ["This result is gone", gone(keepHours ? span(keepHours * HOUR) : "")];
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
