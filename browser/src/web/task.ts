// What a worker does with one upload: look at it, name its cells, answer what the page asks of the result.

import { ConfigError, SpoticellError } from "../base/errors.ts";
import { annotateSource, checkGroups, lookAt } from "../annotation/pipeline.ts";
import { Options } from "../annotation/options.ts";
import type { Annotation } from "../annotation/result.ts";
import type { Upload } from "../io/bytes.ts";
import type { Findings } from "../io/findings.ts";
import { openCells } from "../io/open.ts";
import type { CellSource } from "../io/source.ts";
import type { Request } from "./asked.ts";
import { checkColumns, choices, type Choice, type Columns } from "./choices.ts";
import { fileOf, filesOf } from "./files.ts";
import { guess, type Guess } from "./guess.ts";
import { Hands } from "./hands.ts";
import { Refusal } from "./refusal.ts";
import { renamed } from "./renamed.ts";
import { refused, type Reply } from "./replies.ts";
import type { Results } from "./results.ts";
import { answer } from "./router.ts";
import { ANSWERED, PageSink, type Tell } from "./sink.ts";
import { openSpill } from "./spill.ts";

// What is asked of a run, in the words of the page.
export interface Settings extends Columns {
  model: string;
  threshold: number | null;
  allow: string[];
  deny: string[];
  tissue: string | null;
  each_cell_alone: boolean;
  markers: null;
  cellxgene: boolean;
}

export interface Told {
  findings: Record<string, unknown> & { cells: number; notes: string[]; columns: string[]; choices: Choice[] };
  lines: string[];
}

export interface Ran extends Told {
  threshold: number;
  // Names of the files that can be kept.
  files: string[];
}

interface Done {
  annotation: Annotation;
  results: Results;
  settings: Settings;
  warnings: string[];
}

const FILES = /^\/api\/jobs\/[\w-]+\/files\/([\w.]+)$/;

export class Task {
  private source: CellSource | null = null;
  private findings: Findings | null = null;
  private done: Done | null = null;

  // `sent` is the upload as it can be sent to another worker.
  constructor(readonly upload: Upload, private readonly tell: Tell, private readonly version: string, private readonly sent: unknown = null) {}

  check(): Told {
    this.tell("reading", 0);
    const options = new Options(), { source, findings } = this.looked(options);
    this.tell("looking at some cells", 1);
    const told = toldOf(findings, source), looks: Guess = guess(findings, source, options);
    return { ...told, findings: { ...told.findings, looks } };
  }

  // `cores` are those of the machine, as the page is told.
  async run(settings: Settings, cores = 1): Promise<Ran> {
    this.tell("starting", 0);
    const options = optionsOf(settings), { source, findings } = this.looked(options);
    const hands = this.sent === null ? null : Hands.begin(this.sent, source, findings, options.bundle, this.version, cores);
    const sink = new PageSink({ name: this.upload.name, tell: this.tell, spill: await openSpill(), hands });
    const onProgress = (done: number, total: number) => this.tell("naming cells", (ANSWERED * done) / Math.max(total, 1));
    let annotation: Annotation;
    try {
      annotation = await annotateSource(source, options, [sink], { findings, onProgress, helpers: hands });
    } finally {
      hands?.end();
    }
    const told = toldOf(annotation.findings, source), { threshold } = annotation, results = sink.results!;
    if (this.done !== null) results.shown.summary.renamed = renamed(this.done.results, results);
    this.done = { annotation, results, settings: { ...settings, threshold }, warnings: told.findings.notes };
    return { ...told, threshold, files: filesOf(annotation) };
  }

  ask(request: Request): Reply | ReturnType<typeof fileOf> {
    if (this.done === null) return answer(request, null);
    const { annotation, results, settings, warnings } = this.done, [, file] = FILES.exec(request.path) ?? [];
    if (file === undefined) return answer(request, results, { name: this.upload.name, settings: { ...settings }, warnings, version: this.version });
    try {
      return fileOf(file, { source: this.source!, annotation, results }, request.query.get("filter") ?? "");
    } catch (error) {
      if (error instanceof Refusal) return refused(error);
      throw error;
    }
  }

  // Findings are those of the first look; a worker that has not looked yet looks now.
  private looked(options: Options): { source: CellSource; findings: Findings } {
    const source = (this.source ??= openCells(this.upload));
    const findings = (this.findings ??= lookAt(source, options, (done, total) => this.tell("reading", done / Math.max(total, 1))));
    return { source, findings };
  }
}

function toldOf(findings: Findings, source: CellSource): Told {
  let offered: Choice[] = [];
  try {
    offered = choices(source.obs());
  } catch (error) {
    // cells can be named without the table about them
    if (!(error instanceof SpoticellError)) throw error;
  }
  const columns = { columns: offered.map(({ name }) => name), choices: offered, values: findings.verdict.nValues, scratch: 0 };
  return { findings: { ...findings.toDict(), ...columns } as unknown as Told["findings"], lines: findings.describe() };
}

export function optionsOf({ model: _model, markers: _markers, each_cell_alone: eachCellAlone = false, ...wishes }: Partial<Settings>): Options {
  return new Options({ ...wishes, eachCellAlone });
}

// An order as a job has it, with the tissue by its own name; one that can't be is refused.
export function checked(order: Partial<Settings>, findings: Told["findings"], name: string): Settings {
  const asked: Settings = {
    model: new Options().bundle.name, threshold: null, allow: [], deny: [], tissue: null, groups: null, by: null, condition: null,
    each_cell_alone: false, markers: null, cellxgene: false, ...order,
  };
  if (asked.markers !== null) throw new ConfigError("the page in the browser alone reads no tables of markers.");
  const settled = optionsOf(asked).settled();
  checkGroups(settled, findings.cells, name);
  checkColumns(asked, findings, name);
  return { ...asked, tissue: settled.tissue };
}
