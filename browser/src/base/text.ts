// Texts as Python's str has them: letters are code points, and what is a letter, a digit or a blank is asked of Unicode.

// For regular expressions with the flag u: a sign of \w, of [^\W_] and of [\W_].
export const WORD = "[\\p{L}\\p{N}_]";
export const LETTER = "[\\p{L}\\p{N}]";
export const SIGN = "[^\\p{L}\\p{N}]";

// What str.strip() takes off, as part of a class of a regular expression.
export const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${BLANK}]+`), TRAILING = new RegExp(`[${BLANK}]+$`);
const PLAIN = /^[\x00-\x7f]*$/;
const PAIRS = /[\ud800-\udbff]/;

export const isAscii = (text: string): boolean => PLAIN.test(text);

// The code points of a text.
export const letters = (text: string): string[] => (PAIRS.test(text) ? Array.from(text) : text.split(""));

// len(text)
export const len = (text: string): number => (PAIRS.test(text) ? Array.from(text).length : text.length);

// text[:n]
export function head(text: string, n: number): string {
  return text.length <= n || !PAIRS.test(text) ? text.slice(0, n) : Array.from(text).slice(0, n).join("");
}

// text.strip(), or text.strip(signs) where the signs are given
export function strip(text: string, signs?: string): string {
  if (signs === undefined) return text.replace(LEADING, "").replace(TRAILING, "");
  let start = 0, stop = text.length;
  while (start < stop && signs.includes(text[start])) start += 1;
  while (stop > start && signs.includes(text[stop - 1])) stop -= 1;
  return text.slice(start, stop);
}

const BLANKS = new RegExp(`[${BLANK}]+`);

// text.split()
export function split(text: string): string[] {
  const bare = strip(text);
  return bare ? bare.split(BLANKS) : [];
}

// text.isprintable()
export const isPrintable = (text: string): boolean => !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(text);

// text.isalnum()
export const isAlnum = (text: string): boolean => /^[\p{L}\p{N}]+$/u.test(text);

// text.isupper()
export const isUpper = (text: string): boolean => /\p{Uppercase}/u.test(text) && !/[\p{Lowercase}\p{Lt}]/u.test(text);

// str() of what may be no text: an entry of a column of words
export const str = (value: unknown): string => (typeof value === "string" ? value : value === null || value === undefined ? "None" : String(value));

// Negative, zero or positive as the one comes before the other in Python's order: by code points.
export function compare(one: string, other: string): number {
  if (one === other) return 0;
  if (!PAIRS.test(one) && !PAIRS.test(other)) return one < other ? -1 : 1;
  const [first, second] = [Array.from(one), Array.from(other)];
  for (let i = 0; i < Math.min(first.length, second.length); i += 1) {
    if (first[i] !== second[i]) return first[i].codePointAt(0)! - second[i].codePointAt(0)!;
  }
  return first.length - second.length;
}

// Whether a mark is written over or under the letter before it: only those change places with others when put in order.
export const isCombining = (mark: string): boolean =>
  /^\p{M}$/u.test(mark) && [`${mark}\u0334`, `\u0301${mark}`].some((pair) => pair.normalize("NFD") !== pair);
