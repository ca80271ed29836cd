// A result that is run again: what became of the new run, and the way back.

import { $ } from "./dom.js";
import { sentence } from "./words.js";

export const hasResult = ({ links }) => Boolean(links?.summary);

export function stageAgain(onBack) {
  $("run-back").addEventListener("click", onBack);
}

export function offerBack(job) {
  $("run-back").hidden = !hasResult(job);
}

export function showNotice({ notice }) {
  $("result-notice").textContent = notice ? sentence(notice) : "";
  $("result-notice").hidden = !notice;
}
