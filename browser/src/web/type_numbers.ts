// The number of each cell's type in the summary.

import type { Annotation } from "../annotation/result.ts";
import { commonTypes, UNKNOWN_TYPE } from "./summary.ts";

export function typeNumbers(annotation: Annotation): Uint16Array {
  const numberM = new Uint16Array(annotation.nodes.length).fill(UNKNOWN_TYPE);
  commonTypes(annotation).forEach((m, number) => { numberM[m] = number; });
  return Uint16Array.from(annotation.answerN, (answer) => (answer < 0 ? UNKNOWN_TYPE : numberM[answer]));
}
