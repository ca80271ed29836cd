// Findings as plain values, which pass from one worker to another, and back.

import { Csr } from "../base/csr.ts";
import { GeneMatch, type GeneMatchFields } from "../biology/genes.ts";
import { Findings, type FindingsFields } from "./findings.ts";

interface PlainCsr {
  data: Float32Array;
  indices: Int32Array;
  indptr: Int32Array;
  width: number;
}

export interface PlainFindings extends Omit<FindingsFields, "match" | "sampleNv"> {
  match: GeneMatchFields;
  sampleNv: PlainCsr;
}

export function toPlain(findings: Findings): PlainFindings {
  const { data, indices, indptr, width } = findings.sampleNv;
  // a view of a larger buffer would take all of that along
  const sampleNv = { data: data.slice(), indices: indices.slice(), indptr: indptr.slice(), width };
  return { ...findings, match: { ...findings.match }, sampleNv };
}

export function fromPlain(plain: PlainFindings): Findings {
  const { data, indices, indptr, width } = plain.sampleNv;
  return new Findings({ ...plain, match: new GeneMatch(plain.match), sampleNv: new Csr(data, indices, indptr, width) });
}
