// What a reader should know before trusting the answers for a sample, in sentences; none for a plain sample.
// Axes: n cells, p programmes.

import { argsort } from "../base/arrays.ts";
import type { Column } from "../base/frame.ts";
import { comma, repr } from "../base/words.ts";
import { PROGRAMS } from "../biology/programs.ts";
import { SMALL_PANEL } from "../io/findings.ts";
import { keyed, MIXED, STATE } from "../keys.ts";
import type { Annotation } from "./result.ts";

// Share of a type's cells, and how many of them, from which a programme that they show is worth a word.
export const PART = 0.2, FEWEST = 20;
// Share of all cells from which those that are unlike all known types are worth a word.
export const STRANGE = 0.05;
// Share of all cells from which mixed ones are worth a word.
export const FEW_MIXED = 0.001;
// Types or groups that a sentence names.
export const NAMED = 3;
// What follows from a programme.
export const WHY: Record<string, string> = {
  interferon:
    "Stimulated cells can be taken for another subtype: compare them with controls, and as families such " +
    "as all monocytes and macrophages, before you trust fine types.",
  "heat shock": "Warm digestion or dying cells do that, and it can hide fine types: take these with care.",
};
// Threshold at which of 435 stimulated monocytes of Kang 2018 392 are mononuclear phagocytes, none a CD16 monocyte.
export const COARSER = 0.7;

// Something to know before the answers are trusted.
export interface Caution {
  kind: "program" | "strange" | "mixed" | "panel";
  // One or two sentences.
  text: string;
}

export function cautions(annotation: Annotation): Caution[] {
  return [...panel(annotation), ...programs(annotation), ...strange(annotation), ...mixed(annotation)];
}

function panel({ findings }: Annotation): Caution[] {
  const found = findings.match.nFound;
  if (found >= SMALL_PANEL) return [];
  return [{ kind: "panel", text: `Only ${comma(found)} of the genes that the model knows were measured, too few to tell fine types apart surely.` }];
}

// The state of each cell by the programmes that cautions name, missing where it shows none of them; null where no caution
// names a programme.
export function states(annotation: Annotation): Extract<Column, { kind: "category" }> | null {
  const told = PROGRAMS.flatMap((_, p) => (types(annotation, p).length ? [p] : []));
  if (!told.length) return null;
  const n = annotation.answerN.length, { programsNp } = annotation, setN = new Int32Array(n);
  // each set of programmes has a number, whose bits say which
  for (let i = 0; i < n; i += 1) told.forEach((p, bit) => { if (programsNp[i * PROGRAMS.length + p]) setN[i] |= 1 << bit; });
  const sets = [...new Set(setN)].filter((one) => one > 0).sort((a, b) => a - b), place = new Map(sets.map((one, code) => [one, code]));
  const categories = sets.map((one) => told.flatMap((p, bit) => (one >> bit & 1 ? [PROGRAMS[p].state] : [])).join(" and "));
  return { kind: "category", codes: setN.map((one) => (one > 0 ? place.get(one)! : -1)), categories };
}

function programs(annotation: Annotation): Caution[] {
  const column = keyed(STATE, annotation.options.keyAdded), told: Caution[] = [];
  PROGRAMS.forEach((program, p) => {
    const own = types(annotation, p);
    if (!own.length) return;
    let shown = 0;
    for (let i = 0; i < annotation.answerN.length; i += 1) shown += annotation.programsNp[i * PROGRAMS.length + p];
    const named = listed(own.map((m) => annotation.shortNames[m]));
    let text =
      `${comma(shown)} cells show the ${program.name} programme strongly, mostly ${named}: ${repr(program.state)} in the ` +
      `column ${column}. ${WHY[program.name]}`;
    if (program.name === "interferon" && annotation.threshold < COARSER) {
      text += ` A threshold of ${COARSER} gives coarser answers, and more of them are right.`;
    }
    told.push({ kind: "program", text });
  });
  return told;
}

// The types of which enough cells show a programme, those with most of these first.
function types({ answerN, programsNp, nodes }: Annotation, p: number): number[] {
  const allM = new Int32Array(nodes.length), ownM = new Int32Array(nodes.length);
  for (let i = 0; i < answerN.length; i += 1) {
    if (answerN[i] < 0) continue;
    allM[answerN[i]] += 1;
    ownM[answerN[i]] += programsNp[i * PROGRAMS.length + p];
  }
  return Array.from(argsort(ownM.map((own) => -own))).filter((m) => ownM[m] >= FEWEST && ownM[m] >= PART * allM[m]);
}

function strange(annotation: Annotation): Caution[] {
  const groups = annotation.groups === null ? [] : annotation.groups.groups, novel = groups.filter((group) => group.novel);
  if (novel.length) {
    const cells = novel.reduce((sum, group) => sum + group.cells, 0), named = listed(novel.map((group) => repr(group.name)));
    const [what, are] = novel.length === 1 ? ["group", "is"] : ["groups", "are"];
    return [{ kind: "strange", text: `The ${what} ${named} (${comma(cells)} cells) ${are} unlike all types that the model knows. No name was given.` }];
  }
  const doubted = annotation.doubtedN.reduce((sum, one) => sum + one, 0), cells = annotation.answerN.length;
  if (groups.length || doubted < Math.max(FEWEST, STRANGE * cells)) return [];
  const text =
    `${comma(doubted)} of ${comma(cells)} cells are unlike all types that the model knows, and stayed unknown. Have groups ` +
    "named too, to see whether they belong together.";
  return [{ kind: "strange", text }];
}

function mixed(annotation: Annotation): Caution[] {
  const pairs = annotation.mixed === null ? new Map<string, number>() : annotation.mixed.counted(), all = annotation.answerN.length;
  const cells = [...pairs.values()].reduce((sum, one) => sum + one, 0);
  if (cells < Math.max(1, FEW_MIXED * all)) return [];
  const text =
    `${comma(cells)} of ${comma(all)} cells look like two cells of different types, mostly ` +
    `${listed([...pairs.keys()])}: see the column ${keyed(MIXED, annotation.options.keyAdded)}. Leave them out before you compare types.`;
  return [{ kind: "mixed", text }];
}

// Names the first few of some things.
export function listed(names: string[]): string {
  const more = names.length - NAMED;
  if (more > 0) return `${names.slice(0, NAMED).join(", ")} and ${more} other${more > 1 ? "s" : ""}`;
  return [names.slice(0, -1).join(", "), names[names.length - 1]].filter(Boolean).join(" and ");
}
