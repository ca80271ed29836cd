// Numbers that come block by block, in one typed array that grows: no list of arrays to be joined, which takes twice the
// memory at the end.

type Typed = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

export class Growing<T extends Typed> {
  length = 0;

  constructor(private held: T) {}

  append(values: ArrayLike<number>): void {
    this.room(values.length);
    this.held.set(values, this.length);
    this.length += values.length;
  }

  push(value: number): void {
    this.room(1);
    this.held[this.length++] = value;
  }

  // What has come, without a copy.
  get values(): T {
    return this.held.subarray(0, this.length) as T;
  }

  private room(more: number): void {
    const needed = this.length + more;
    if (needed <= this.held.length) return;
    const Kind = this.held.constructor as new (n: number) => T;
    // by a quarter, not twofold: where much is held, room that stays empty is dear
    const larger = new Kind(Math.max(needed, Math.ceil(this.held.length * 1.25), 1024));
    larger.set(this.held.subarray(0, this.length));
    this.held = larger;
  }
}
