// What repeats a run, to copy: a command line, and lines of Python.
//
// Names in it come from files and from strangers. Whatever they hold, what is pasted into a shell runs `spoticell` with
// these names, and nothing else.

import { isPrintable } from "../base/text.ts";
import { float, repr } from "../base/words.ts";

// What can be asked for: a number is one with a point in Python, unless it stands here as a whole one.
export type Value = string | number | boolean | readonly string[];

// The command line of a run: the paths, and what else is asked for, by the names that Python has for it.
export function shellCommand(cells: string, output: string, report: string | null, options: ReadonlyMap<string, Value>): string {
  const words = ["spoticell", "annotate", quoted(path(cells)), "-o", quoted(path(output))];
  if (report !== null) words.push("--report", quoted(path(report)));
  for (const [name, value] of options) {
    const option = `--${name.replaceAll("_", "-")}`;
    for (const one of Array.isArray(value) ? value : [value]) {
      const said = typeof one === "number" ? float(one) : String(one);
      // a value that begins with a dash would be taken for an option
      const joint = said.startsWith("-") ? "=" : " ";
      words.push(one === true ? option : `${option}${joint}${quoted(said)}`);
    }
  }
  return words.join(" ");
}

// The lines of Python of a run; cells is null for an AnnData object. See `shellCommand`.
export function pythonCall(cells: string | null, output: string | null, report: string | null, options: ReadonlyMap<string, Value>): string {
  const words = [cells === null ? "adata" : repr(cells)];
  if (output !== null) words.push(repr(output));
  if (report !== null) words.push(`report=${repr(report)}`);
  for (const [name, value] of options) words.push(`${name}=${literal(value)}`);
  return `import spoticell\n\nspoticell.annotate(${words.join(", ")})\n`;
}

// A path that no program takes for an option, and no shell for the place of a command.
const path = (text: string): string => (/^[-=]/.test(text) ? `./${text}` : text);

// A word as shells read it.
//
// Control characters would act on a terminal as they are pasted, so they are written out as bash, zsh and ksh read it.
function quoted(word: string): string {
  if (!isPrintable(word)) return `$'${[...word].map(writtenOut).join("")}'`;
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

function writtenOut(letter: string): string {
  if (letter === "\\" || letter === "'") return `\\${letter}`;
  if (isPrintable(letter)) return letter;
  const named: Record<string, string> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
  return named[letter] ?? Array.from(new TextEncoder().encode(letter), (byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}

function literal(value: Value): string {
  if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? float(value) : repr(String(value));
}
