// How far work is: called with the steps done and the steps there are.

export type Progress = (done: number, total: number) => void;

// The progress of one of several parts of like length.
export function part(onProgress: Progress | null, number: number, parts: number): Progress {
  return (done, total) => onProgress?.(number * total + done, parts * total);
}

// The progress of what takes from start to stop percent of the whole.
export function stretch(onProgress: Progress | null, start: number, stop: number): Progress {
  return (done, total) => onProgress?.(start * total + (stop - start) * done, 100 * total);
}
