// What is asked of a run: which cells' numbers to read, which types an answer may be.
//
// The same options stand behind the command line, Python and the web page; what the browser can't do (indexes of reference
// cells, tables of markers, threads and graphics cards) is missing here.

import { ConfigError } from "../base/errors.ts";
import { float, repr } from "../base/words.ts";
import { KEY_ADDED } from "../keys.ts";
import { DEFAULT, loadBundle } from "../model/bundle.ts";
import type { Bundle } from "../model/bundle.ts";
import { allowedTypes, listed } from "./allowed.ts";
import type { Allowed } from "./allowed.ts";
import { pythonCall, shellCommand } from "./commands.ts";
import type { Value } from "./commands.ts";

const DEFAULTS = {
  // Lowest probability at which a type is named, in [0, 1]; the model's own if null.
  threshold: null as number | null,
  // Types that an answer may be, with their subtypes; any if there are none.
  allow: [] as readonly string[],
  // Types that an answer can't be, with their subtypes.
  deny: [] as readonly string[],
  // Where the cells are from: types of other tissues are then no answer. If null, the cells themselves say it; with "any"
  // types of all tissues can be.
  tissue: null as string | null,
  // The one matrix to read; the best if null.
  layer: null as string | null,
  // The one column that names the genes; the best if null.
  geneColumn: null as string | null,
  // What every key that is written starts with.
  keyAdded: KEY_ADDED,
  // Whether cells are named without a look at their neighbours in the sample.
  eachCellAlone: false,
  // Column about the cells that says from which sample each is.
  by: null as string | null,
  // Column about the cells that says under which of two conditions each sample was taken.
  condition: null as string | null,
  // Groups of cells to name: a column about cells, or "auto" for groups that are found; none if null.
  groups: null as string | null,
  // Whether to write the column of types that the CELLxGENE schema asks for.
  cellxgene: false,
};

export type Wishes = typeof DEFAULTS;

// What is asked of a run, checked when it is made.
export class Options implements Wishes {
  readonly threshold: number | null;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly tissue: string | null;
  readonly layer: string | null;
  readonly geneColumn: string | null;
  readonly keyAdded: string;
  readonly eachCellAlone: boolean;
  readonly by: string | null;
  readonly condition: string | null;
  readonly groups: string | null;
  readonly cellxgene: boolean;
  private kept: Allowed | null | undefined;

  // `bundle` is the model's bundle; the page's own if not given.
  constructor(wishes: Partial<Wishes> = {}, readonly bundle: Bundle = loadBundle()) {
    const all = { ...DEFAULTS, ...wishes };
    [this.threshold, this.allow, this.deny, this.tissue] = [all.threshold, listed(all.allow), listed(all.deny), all.tissue];
    [this.layer, this.geneColumn, this.keyAdded, this.eachCellAlone] = [all.layer, all.geneColumn, all.keyAdded, all.eachCellAlone];
    [this.by, this.condition, this.groups, this.cellxgene] = [all.by, all.condition, all.groups, all.cellxgene];
    if (this.threshold !== null && !(this.threshold >= 0 && this.threshold <= 1)) {
      throw new ConfigError(`the threshold is ${float(this.threshold)}; it is a probability, from 0 to 1.`);
    }
    if (!this.keyAdded || this.keyAdded.includes("/") || this.keyAdded.startsWith("_")) {
      throw new ConfigError(`key_added is ${repr(this.keyAdded)}; it must not be empty, start with '_' or hold '/'.`);
    }
  }

  // The types that an answer may be; null where that is any that the model knows.
  get allowed(): Allowed | null {
    if (this.kept === undefined) this.kept = allowedTypes(this.bundle, this);
    return this.kept;
  }

  // Whether it is told which types the sample can hold: by a tissue, or by the types themselves.
  get tellsTissue(): boolean {
    return this.tissue !== null || this.allow.length > 0;
  }

  // Probability at which a type is named: the threshold that is asked for, or the model's.
  get lowest(): number {
    return this.threshold ?? this.bundle.manifest.threshold;
  }

  // The same but for some wishes.
  replaced(wishes: Partial<Wishes>): Options {
    const own = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, this[name as keyof Wishes]]));
    return new Options({ ...own, ...wishes }, this.bundle);
  }

  // The same in the words of model and ontology, and without what is as if not asked for.
  settled(): Options {
    const { allowed } = this, threshold = this.threshold === this.bundle.manifest.threshold ? null : this.threshold;
    return this.replaced(allowed === null ? { threshold } : { threshold, allow: allowed.allow, deny: allowed.deny, tissue: allowed.tissue });
  }

  // The options that aren't at their defaults, by the names that Python has for them, in the order in which they are listed.
  changed(): Map<string, Value> {
    const changed = new Map<string, Value>();
    // the page has one model, which need not be the one that is meant where none is named
    if (this.bundle.name !== DEFAULT) changed.set("model", this.bundle.name);
    for (const [name, usual] of Object.entries(DEFAULTS)) {
      const value = this[name as keyof Wishes];
      if (value === null || value === usual || (Array.isArray(value) && !value.length)) continue;
      changed.set(name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value as Value);
    }
    return changed;
  }

  // The command line that does the same; `also` is what was given besides, such as tables.
  command(cells: string, output: string, report: string | null = null, also: ReadonlyMap<string, Value> = new Map()): string {
    return shellCommand(cells, output, report, new Map([...this.changed(), ...also]));
  }

  // The lines of Python that do the same; cells is null for an AnnData object.
  python(cells: string | null, output: string | null = null, report: string | null = null): string {
    return pythonCall(cells, output, report, this.changed());
  }
}
