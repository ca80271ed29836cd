// Sparse values of cells: rows one after another, as SciPy's csr_array has them.
// Axes in names, as in the Python package: n cells, v genes of the data set, g genes of the model.

export class Csr {
  constructor(
    readonly data: Float32Array,
    // Column of each value.
    readonly indices: Int32Array,
    // Where each row begins, and the last ends: one more than there are rows.
    readonly indptr: Int32Array,
    readonly width: number,
  ) {}

  static empty(width: number): Csr {
    return new Csr(new Float32Array(0), new Int32Array(0), new Int32Array(1), width);
  }

  static dense(rows: ArrayLike<number>[], width: number): Csr {
    const data: number[] = [], indices: number[] = [], indptr = [0];
    for (const row of rows) {
      for (let j = 0; j < width; j += 1) if (row[j] !== 0) { data.push(row[j]); indices.push(j); }
      indptr.push(data.length);
    }
    return new Csr(Float32Array.from(data), Int32Array.from(indices), Int32Array.from(indptr), width);
  }

  static vstack(parts: Csr[], width = parts[0]?.width ?? 0): Csr {
    const n = parts.reduce((sum, part) => sum + part.height, 0);
    const size = parts.reduce((sum, part) => sum + part.nnz, 0);
    const data = new Float32Array(size), indices = new Int32Array(size), indptr = new Int32Array(n + 1);
    let row = 0, at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      indices.set(part.indices, at);
      for (let i = 1; i <= part.height; i += 1) indptr[row + i] = at + part.indptr[i];
      row += part.height;
      at += part.nnz;
    }
    return new Csr(data, indices, indptr, width);
  }

  get height(): number {
    return this.indptr.length - 1;
  }

  get nnz(): number {
    return this.data.length;
  }

  // Some rows, in the order in which they are asked for.
  rows(chosen: ArrayLike<number>): Csr {
    const indptr = new Int32Array(chosen.length + 1);
    for (let i = 0; i < chosen.length; i += 1) indptr[i + 1] = indptr[i] + this.indptr[chosen[i] + 1] - this.indptr[chosen[i]];
    const data = new Float32Array(indptr[chosen.length]), indices = new Int32Array(indptr[chosen.length]);
    for (let i = 0; i < chosen.length; i += 1) {
      const [from, to] = [this.indptr[chosen[i]], this.indptr[chosen[i] + 1]];
      data.set(this.data.subarray(from, to), indptr[i]);
      indices.set(this.indices.subarray(from, to), indptr[i]);
    }
    return new Csr(data, indices, indptr, this.width);
  }

  // Consecutive rows, without a copy of their values.
  slice(start: number, stop: number): Csr {
    const [from, to] = [this.indptr[start], this.indptr[stop]];
    const indptr = new Int32Array(stop - start + 1);
    for (let i = 0; i < indptr.length; i += 1) indptr[i] = this.indptr[start + i] - from;
    return new Csr(this.data.subarray(from, to), this.indices.subarray(from, to), indptr, this.width);
  }

  // Sum of each row, in double precision.
  sums(): Float64Array {
    const sums = new Float64Array(this.height);
    for (let i = 0; i < sums.length; i += 1) {
      let sum = 0;
      for (let e = this.indptr[i]; e < this.indptr[i + 1]; e += 1) sum += this.data[e];
      sums[i] = sum;
    }
    return sums;
  }

  // Number of values stored in each row.
  sizes(): Int32Array {
    return Int32Array.from({ length: this.height }, (_, i) => this.indptr[i + 1] - this.indptr[i]);
  }

  toDense(): Float32Array {
    const dense = new Float32Array(this.height * this.width);
    for (let i = 0; i < this.height; i += 1) {
      for (let e = this.indptr[i]; e < this.indptr[i + 1]; e += 1) dense[i * this.width + this.indices[e]] += this.data[e];
    }
    return dense;
  }
}
