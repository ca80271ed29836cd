// The value that would stand at one place if values were sorted: np.partition(values, place)[place]. Changes their order.

export function select(values: Float64Array, place: number, from = 0, to = values.length): number {
  let low = from, high = to - 1;
  while (low < high) {
    const middle = values[(low + high) >>> 1];
    let i = low - 1, j = high + 1;
    while (true) {
      do i += 1; while (values[i] < middle);
      do j -= 1; while (values[j] > middle);
      if (i >= j) break;
      [values[i], values[j]] = [values[j], values[i]];
    }
    if (from + place <= j) high = j;
    else low = j + 1;
  }
  return values[from + place];
}
