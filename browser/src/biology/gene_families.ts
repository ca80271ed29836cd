// Families of genes that are told by their symbols, as HGNC gives them.
// Only genes of the vocabulary are meant, which are protein-coding, or segments of immunoglobulins and T-cell receptors:
// elsewhere a pattern may fit pseudogenes too.

import { RIBOSOMAL } from "./group_genes.ts";

// Pattern of the symbol of the genes of each family.
export const FAMILIES: ReadonlyMap<string, RegExp> = new Map([
  ["ribosomal", RIBOSOMAL],
  ["mitochondrial", /^MT-.+$/],
  ["HLA", /^HLA-.+$/],
  ["immunoglobulin", /^IG(?:[HKL][VJ]\d.*|HD(?:\d.*)?|H[AEGM]\d?|KC|LC\d|LL\d)$/],
  ["T-cell receptor", /^TR[ABGD][VDJC](?:\d.*|P\d?)?$/],
  ["chemokine", /^(?:C|CC|CXC|CX3C)L\d.*$/],
  ["haemoglobin", /^HB[ABDEGMQZ]\d?$/],
  ["histone", /^H(?:1|2A|2B|3|4)(?:-|[CJWYXZ]).*$/],
  ["metallothionein", /^MT[1-4][A-Z]{0,2}\d?$/],
  ["keratin", /^KRT\d.*$/],
  ["keratin-associated", /^KRTAP\d.*$/],
  ["collagen", /^COL\d+A\d+$/],
  ["olfactory receptor", /^OR\d+[A-Z]+\d+.*$/],
  ["zinc finger", /^ZNF\d+.*$/],
]);

// The family of a gene, "" if it is of none of these.
export const familyOf = (symbol: string): string => [...FAMILIES].find(([, pattern]) => pattern.test(symbol))?.[0] ?? "";
