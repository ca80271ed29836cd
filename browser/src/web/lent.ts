// What a worker does for another one: see hands.ts.

import { lookedAt } from "../annotation/first_blocks.ts";
import type { Matrix } from "../base/matrix.ts";
import type { Upload } from "../io/bytes.ts";
import type { Findings } from "../io/findings.ts";
import { fromPlain, type PlainFindings } from "../io/findings_plain.ts";
import { openCells } from "../io/open.ts";
import type { CellSource } from "../io/source.ts";
import { loadBundle } from "../model/bundle.ts";
import { Runtime } from "../model/runtime.ts";
import { project } from "../report/map.ts";
import { passed, type Passed } from "./hands.ts";

export class Lent {
  private readonly findings: Findings;
  private readonly runtime = new Runtime(loadBundle());
  private source: CellSource | null = null;

  constructor(private readonly upload: Upload, findings: PlainFindings) {
    this.findings = fromPlain(findings);
  }

  // Some cells in blocks, and what the network says of them.
  look(start: number, stop: number): Passed[] {
    this.source ??= openCells(this.upload);
    return Array.from(lookedAt(this.source, this.findings, this.runtime, start, stop), passed);
  }

  // Places of a map's landmarks.
  project(landmarks: Matrix): Float64Array {
    return project(landmarks);
  }
}
