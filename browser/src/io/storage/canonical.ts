// Rows as every block has them: columns rising, repeats summed, no zeros stored.

import { Csr } from "../../base/csr.ts";

// Rows that are known to be so.
const known = new WeakSet<Csr>();

// The rows themselves where they are so already, which most are.
export function canonical(rows: Csr): Csr {
  if (known.has(rows)) return rows;
  const { sorted, zeros } = looked(rows);
  const made = sorted && !zeros ? rows : without(sorted ? rows : summed(inOrder(rows)));
  known.add(made);
  return made;
}

// Whether columns rise in each row without repeats, and whether zeros are stored.
function looked({ data, indices, indptr }: Csr): { sorted: boolean; zeros: boolean } {
  let sorted = true, zeros = false;
  for (let row = 0; row + 1 < indptr.length; row += 1) {
    let last = -1;
    for (let e = indptr[row]; e < indptr[row + 1]; e += 1) {
      if (indices[e] <= last) sorted = false;
      last = indices[e];
      if (data[e] === 0) zeros = true;
    }
  }
  return { sorted, zeros };
}

// Sorted by turning rows into columns and back: of equal columns the first stays first.
function inOrder(rows: Csr): Csr {
  const { height, width } = rows;
  const turned = transposed(rows, width);
  return transposed(new Csr(turned.data, turned.indices, turned.indptr, height), height, width);
}

// Entries line by line of the other axis, of which there are n.
function transposed({ data, indices, indptr }: Csr, n: number, width = indptr.length - 1): Csr {
  const starts = new Int32Array(n + 1);
  for (let e = 0; e < indices.length; e += 1) starts[indices[e] + 1] += 1;
  for (let i = 0; i < n; i += 1) starts[i + 1] += starts[i];
  const next = starts.slice(0, n), lines = new Int32Array(data.length), values = new Float32Array(data.length);
  for (let line = 0; line + 1 < indptr.length; line += 1) {
    for (let e = indptr[line]; e < indptr[line + 1]; e += 1) {
      const place = next[indices[e]]++;
      lines[place] = line;
      values[place] = data[e];
    }
  }
  return new Csr(values, lines, starts, width);
}

// Entries of the same column of a row as one; the columns rise.
function summed({ data, indices, indptr, width }: Csr): Csr {
  const starts = new Int32Array(indptr.length), columns = new Int32Array(data.length), sums = new Float32Array(data.length);
  let at = 0;
  for (let row = 0; row + 1 < indptr.length; row += 1) {
    for (let e = indptr[row]; e < indptr[row + 1]; e += 1) {
      if (at > starts[row] && columns[at - 1] === indices[e]) {
        sums[at - 1] += data[e];
        continue;
      }
      columns[at] = indices[e];
      sums[at] = data[e];
      at += 1;
    }
    starts[row + 1] = at;
  }
  return new Csr(sums.subarray(0, at), columns.subarray(0, at), starts, width);
}

// Rows without the zeros that they store.
function without({ data, indices, indptr, width }: Csr): Csr {
  let n = 0;
  for (let e = 0; e < data.length; e += 1) if (data[e] !== 0) n += 1;
  const starts = new Int32Array(indptr.length), columns = new Int32Array(n), values = new Float32Array(n);
  let at = 0;
  for (let row = 0; row + 1 < indptr.length; row += 1) {
    for (let e = indptr[row]; e < indptr[row + 1]; e += 1) {
      if (data[e] === 0) continue;
      columns[at] = indices[e];
      values[at] = data[e];
      at += 1;
    }
    starts[row + 1] = at;
  }
  return new Csr(values, columns, starts, width);
}

// Rows with some of their columns, in a new order of columns; place gives where each goes, or -1.
export function someColumns({ data, indices, indptr }: Csr, place: Int32Array, width: number): Csr {
  let n = 0;
  for (let e = 0; e < indices.length; e += 1) if (place[indices[e]] >= 0) n += 1;
  const starts = new Int32Array(indptr.length), columns = new Int32Array(n), values = new Float32Array(n);
  let at = 0;
  for (let row = 0; row + 1 < indptr.length; row += 1) {
    for (let e = indptr[row]; e < indptr[row + 1]; e += 1) {
      const column = place[indices[e]];
      if (column < 0) continue;
      columns[at] = column;
      values[at] = data[e];
      at += 1;
    }
    starts[row + 1] = at;
  }
  return new Csr(values, columns, starts, width);
}
