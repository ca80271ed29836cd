// Arrays of numbers one after another in one.

export function joined<T extends Float32Array | Int32Array | Uint8Array>(kind: new (size: number) => T, parts: readonly T[]): T {
  const all = new kind(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
