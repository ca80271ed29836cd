// The checksum of heads of HDF5 files: Bob Jenkins' lookup3.
// Source: https://burtleburtle.net/bob/c/lookup3.c (public domain), hashlittle with the first value 0.

const turned = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

export function checksum(bytes: Uint8Array): number {
  let a = 0xdeadbeef + bytes.length | 0, b = a, c = a, at = 0;
  const word = (place: number) => {
    let value = 0;
    for (let i = 3; i >= 0; i -= 1) value = (value << 8) | (bytes[place + i] ?? 0);
    return value;
  };
  for (; bytes.length - at > 12; at += 12) {
    a = a + word(at) | 0; b = b + word(at + 4) | 0; c = c + word(at + 8) | 0;
    a = a - c ^ turned(c, 4); c = c + b | 0; b = b - a ^ turned(a, 6); a = a + c | 0; c = c - b ^ turned(b, 8); b = b + a | 0;
    a = a - c ^ turned(c, 16); c = c + b | 0; b = b - a ^ turned(a, 19); a = a + c | 0; c = c - b ^ turned(b, 4); b = b + a | 0;
  }
  if (bytes.length === at) return c >>> 0;
  a = a + word(at) | 0; b = b + word(at + 4) | 0; c = c + word(at + 8) | 0;
  c = (c ^ b) - turned(b, 14); a = (a ^ c) - turned(c, 11); b = (b ^ a) - turned(a, 25); c = (c ^ b) - turned(b, 16);
  a = (a ^ c) - turned(c, 4); b = (b ^ a) - turned(a, 14); c = (c ^ b) - turned(b, 24);
  return c >>> 0;
}
