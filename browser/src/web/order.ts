// Sorting by keys of several parts, as Python compares tuples and lists.

export type Key = number | boolean | string | readonly Key[];

export const inOrder = (one: { key: Key }, other: { key: Key }): number => compare(one.key, other.key);

function compare(one: Key, other: Key): number {
  if (Array.isArray(one) && Array.isArray(other)) {
    for (let i = 0; i < Math.min(one.length, other.length); i += 1) {
      const said = compare(one[i], other[i]);
      if (said) return said;
    }
    return one.length - other.length;
  }
  // numbers come before words
  if (typeof one === "string" !== (typeof other === "string")) return typeof one === "string" ? 1 : -1;
  return one < other ? -1 : one > other ? 1 : 0;
}
