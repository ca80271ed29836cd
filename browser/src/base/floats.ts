// Numbers within text as Python's float sees them.

import { strip } from "./text.ts";

// What str.isspace() holds for: JavaScript's \s has U+FEFF in it and lacks others.
const SPACES = /(?:[^\S\ufeff]|[\x1c-\x1f\x85])+/;
const PLAIN = /^\d{1,15}$/;
// Spaces to str.strip(), but not to float().
const SEPARATORS = /[\x1c-\x1f]/;
const NUMBER = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|infinity|nan)$/i;

// str.split() at runs of spaces
export function fieldsOf(text: string): string[] {
  const bare = strip(text);
  return bare ? bare.split(SPACES) : [];
}

// float(text); null where Python finds no number. Single underscores between digits are let through as Python does.
export function toFloat(text: string): number | null {
  if (PLAIN.test(text)) return Number(text);
  const bare = strip(text).replace(/(?<=\d)_(?=\d)/g, "");
  if (!NUMBER.test(bare) || SEPARATORS.test(text)) return null;
  const value = Number(bare);
  if (value === value) return value;
  if (/nan$/i.test(bare)) return NaN;
  return bare.startsWith("-") ? -Infinity : Infinity;
}
