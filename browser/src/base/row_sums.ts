// Sum of each row as SciPy has it of counts in single precision: single precision too, and so what is written of them.

import type { Csr } from "./csr.ts";
import { reducedSingle } from "./sums.ts";

export function rowSums({ data, indptr }: Csr): Float64Array {
  const sums = new Float64Array(indptr.length - 1);
  for (let i = 0; i < sums.length; i += 1) sums[i] = reducedSingle(data, indptr[i], indptr[i + 1]);
  return sums;
}
