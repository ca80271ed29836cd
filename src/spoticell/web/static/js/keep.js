// Files that the page itself makes, for the reader to keep.

import { el } from "./dom.js";

export function keep(text, name, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = el("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

// No spreadsheet may take a name for a formula.
const field = (value) => {
  const text = /^[\s"'`]*[=+\-@＝＋－＠−]/.test(value) && typeof value === "string" ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

export const csv = (rows) => rows.map((row) => `${row.map(field).join(",")}\n`).join("");
