// Makes the report out of the Python package's own templates, which the build compiles: whatever is filled into one is
// text and is escaped.

import templates from "templates:report";
import slim from "nunjucks/browser/nunjucks-slim.min.js";

import { comma, commaFixed, fixed, general, percent } from "../base/words.ts";
import { inkOn } from "../biology/palette.ts";
import { shortName } from "../biology/short_names.ts";

// Control signs, halves of letters, and signs that turn the direction of the text after them.
const UNPRINTABLE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

// Fills values into a template; signs that can't be shown become a replacement sign.
export function fill(template: string, values: object): string {
  return environment().render(template, values).replace(UNPRINTABLE, "\ufffd");
}

// Shows a name that comes from the data: cut if endless, and kept from turning the text around it.
export function named(text: string, options: { longest?: number } = {}): string {
  const letters = [...String(text)];
  const { longest = 120 } = options;
  const shown = letters.length <= longest ? letters.join("") : `${letters.slice(0, longest).join("")}…`;
  const parts = shown.split(/(?<=[._/-])(?=.)/u).map((part) => slim.lib.escape(part));
  return slim.runtime.markSafe(`<bdi>${parts.join("<wbr/>")}</bdi>`);
}

// Writes a number with what it counts.
export function counted(value: number, noun: string, plural?: string): string {
  const shown = commaFixed(value, 0);
  return `${shown} ${shown === "1" ? noun : plural ?? `${noun}s`}`;
}

const FORM = /^(\+?)(,?)(?:\.(\d+)([fg%]))?$/;

// Writes a number as a format specification of Python says.
export function number(value: number, form = ","): string {
  const [, sign, thousands, digits, kind] = form.match(FORM)!;
  const plus = sign && (value > 0 || Object.is(value, 0)) ? "+" : "";
  if (kind === "%") return plus + percent(value, Number(digits));
  if (kind === "f") return plus + (thousands ? commaFixed : fixed)(value, Number(digits));
  if (kind === "g") return plus + (thousands ? grouped(general(value, Number(digits))) : general(value, Number(digits)));
  return plus + comma(value);
}

const grouped = (text: string) => (text.includes("e") ? text : comma(Number(text)));

// A share in percent.
export function share(part: number, whole: number): string {
  if (part === 0) return "0%";
  const found = (100 * part) / Math.max(whole, 1);
  return found < 0.1 ? "<0.1%" : part === whole ? "100%" : `${fixed(Math.min(found, 99.9), 1)}%`;
}

// An empty list is false in Python’s templates, and true in JavaScript’s.
export const listed = <T>(list: T[]): T[] | null => (list.length ? list : null);

let made: InstanceType<typeof slim.Environment> | null = null;

function environment() {
  if (made === null) {
    made = new slim.Environment(new slim.PrecompiledLoader(templates), { autoescape: true, throwOnUndefined: true });
    for (const [name, filter] of Object.entries({ counted, ink: inkOn, named, number, share, short_type: shortName })) made.addFilter(name, filter as never);
  }
  return made;
}
