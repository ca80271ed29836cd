// Why the answer to a cell isn't sure, in one of a few sentences.
//
// The first that holds is said; of a cell whose answer is likely, like the references and of one type, there is none.
// Axis: n cells.

// Score below which an answer is doubtful.
export const LIKELY = 0.5;
// Counts below which droplets are often empty.
export const SHALLOW = 200;
// Known genes from which few counts say that; on a panel whole cells have few.
export const ENOUGH_GENES = 5000;

export const EMPTY = "no counts in known genes";
export const UNSURE = "no type passed the threshold";
export const BARRED = "next to nothing speaks for an allowed type";
export const DOUBTED = "too little speaks for any type that the model knows";
// Why a cell has no answer.
export const OF_UNKNOWN = [EMPTY, UNSURE, BARRED, DOUBTED] as const;

export const UNLIKE = "unlike all reference cells";
export const MIXED = "looks like two cells";
export const FEW_COUNTS = "few counts";
export const BETWEEN = "between two types";
export const LOW = "low score";
// All of them; those of unknown cells first.
export const REASONS: readonly string[] = [...OF_UNKNOWN, UNLIKE, MIXED, FEW_COUNTS, BETWEEN, LOW];

export interface Reasoned {
  // Places of answer and second best type; -1 for none.
  answerN: Int32Array;
  secondN: Int32Array;
  // Score, and counts in known genes.
  scoreN: Float32Array;
  nCountsN: Float32Array;
  // Which cells are unknown since their types aren't allowed, or since any answer would be too doubtful.
  barredN: Uint8Array;
  doubtedN: Uint8Array;
  // Known genes that are measured.
  nMeasured: number;
  // Which are like two cells of different types; null if nobody looked.
  mixedN?: Uint8Array | null;
}

// For each cell the place of its reason among REASONS, -1 where there is none.
export function reasons({ answerN, scoreN, secondN, nCountsN, barredN, doubtedN, nMeasured, mixedN = null }: Reasoned): Int8Array {
  const codeN = new Int8Array(answerN.length).fill(-1), panel = nMeasured < ENOUGH_GENES;
  for (let i = 0; i < codeN.length; i += 1) {
    const low = scoreN[i] < LIKELY;
    if (answerN[i] < 0) codeN[i] = REASONS.indexOf(nCountsN[i] === 0 ? EMPTY : barredN[i] ? BARRED : doubtedN[i] ? DOUBTED : UNSURE);
    else if (mixedN !== null && mixedN[i]) codeN[i] = REASONS.indexOf(MIXED);
    else if (low) codeN[i] = REASONS.indexOf(nCountsN[i] < SHALLOW && !panel ? FEW_COUNTS : secondN[i] >= 0 ? BETWEEN : LOW);
  }
  return codeN;
}
