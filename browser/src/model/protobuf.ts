// Protocol Buffers as far as graphs of networks need them: the fields of one message, looked up by number.

import { BundleError } from "../base/errors.ts";

const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;

const damaged = (): BundleError => new BundleError("it is cut short or damaged");

export class Message {
  // Whole numbers and bytes of each field, in the order in which they come.
  private readonly numbers = new Map<number, number[]>();
  private readonly parts = new Map<number, Uint8Array[]>();

  constructor(private readonly bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < bytes.length) {
      const tag = this.varint(at), field = Math.floor(tag.value / 8), kind = tag.value % 8;
      at = tag.next;
      if (kind === VARINT) {
        const found = this.varint(at);
        add(this.numbers, field, found.value);
        at = found.next;
      } else if (kind === BYTES) {
        const size = this.varint(at), stop = size.next + size.value;
        if (size.value < 0 || stop > bytes.length) throw damaged();
        add(this.parts, field, bytes.subarray(size.next, stop));
        at = stop;
      } else {
        const size = kind === FIXED32 ? 4 : kind === FIXED64 ? 8 : 0;
        if (!size || at + size > bytes.length) throw damaged();
        add(this.numbers, field, size === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true));
        at += size;
      }
    }
  }

  has(field: number): boolean {
    return this.numbers.has(field) || this.parts.has(field);
  }

  // Of a field that came several times the last one counts.
  number(field: number, otherwise = 0): number {
    return this.numbers.get(field)?.at(-1) ?? otherwise;
  }

  // Whole numbers of a repeated field, be they packed or not.
  wholes(field: number): number[] {
    const packed = this.parts.get(field) ?? [];
    return [...packed.flatMap((bytes) => unpacked(bytes)), ...(this.numbers.get(field) ?? [])];
  }

  raw(field: number): Uint8Array | null {
    return this.parts.get(field)?.at(-1) ?? null;
  }

  text(field: number): string {
    return new TextDecoder().decode(this.raw(field) ?? new Uint8Array(0));
  }

  texts(field: number): string[] {
    return (this.parts.get(field) ?? []).map((bytes) => new TextDecoder().decode(bytes));
  }

  message(field: number): Message | null {
    const bytes = this.raw(field);
    return bytes === null ? null : new Message(bytes);
  }

  messages(field: number): Message[] {
    return (this.parts.get(field) ?? []).map((bytes) => new Message(bytes));
  }

  private varint(from: number): { value: number; next: number } {
    const next = endOf(this.bytes, from);
    return { value: wholeOf(this.bytes, from, next), next };
  }
}

// Where a whole number that begins at a place ends.
function endOf(bytes: Uint8Array, from: number): number {
  for (let at = from; at < Math.min(from + 10, bytes.length); at += 1) if (bytes[at] < 128) return at + 1;
  throw damaged();
}

function wholeOf(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  // negative numbers have ten bytes, and those that matter here are small
  const isNegative = to - from === 10, last = isNegative ? from + 5 : to;
  for (let at = last - 1; at >= from; at -= 1) value = value * 128 + (bytes[at] & 127);
  return isNegative ? value - 2 ** 35 : value;
}

function unpacked(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = endOf(bytes, at);
    found.push(wholeOf(bytes, at, next));
    at = next;
  }
  return found;
}

function add<T>(to: Map<number, T[]>, field: number, value: T): void {
  const there = to.get(field);
  if (there) there.push(value);
  else to.set(field, [value]);
}
