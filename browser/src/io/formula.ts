// Text that a spreadsheet would run as a formula, and how tables that people open there keep it from that.
//
// It begins with one of =, +, -, @, in any width, perhaps behind spaces or quotes; or with a tab or the end of a line.

import { isAlnum } from "../base/text.ts";

// What stands before text that is no formula; a spreadsheet shows the text.
export const MARK = "'";
const SIGNS = "=+-@\u2212", QUOTES = "\"'`";
// What programs pass over: spaces, controls, marks without width, typographic quotes.
const UNSEEN = /^[\s\x1c-\x1f\x85\p{Cc}\p{Cf}\p{Pi}\p{Pf}]$/u;

// A text as no spreadsheet takes it for a formula.
export const guard = (word: string): string => (isFormula(word) ? MARK + word : word);

// Whether a spreadsheet might run a text; not if it has its mark already.
export function isFormula(word: string): boolean {
  if (/^[A-Za-z0-9']/.test(word)) return false;
  const letters = Array.from(word);
  if (!letters.length || isAlnum(letters[0])) return false;
  if ("\t\r\n".includes(letters[0])) return true;
  for (const letter of letters) {
    const plain = Array.from(letter.normalize("NFKC"))[0] ?? "";
    if (!(UNSEEN.test(letter) || UNSEEN.test(plain) || (plain && QUOTES.includes(plain)))) return plain !== "" && SIGNS.includes(plain);
  }
  return false;
}
