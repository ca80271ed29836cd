// Files that the page itself makes, for the reader to keep.

import { el } from "./dom.js";

export const keep = (text, name, type) => keepBlob(new Blob([text], { type }), name);

export function keepBlob(blob, name) {
  const url = URL.createObjectURL(blob);
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
