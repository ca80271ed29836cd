// Bytes as Python writes them.

// repr(bytes)
export function reprOfBytes(bytes: Uint8Array): string {
  const quote = bytes.includes(39) && !bytes.includes(34) ? '"' : "'";
  const named = new Map([[9, "\\t"], [10, "\\n"], [13, "\\r"], [92, "\\\\"], [quote.charCodeAt(0), `\\${quote}`]]);
  const letter = (byte: number) => (byte < 32 || byte > 126 ? `\\x${hex(byte)}` : String.fromCharCode(byte));
  return `b${quote}${Array.from(bytes, (byte) => named.get(byte) ?? letter(byte)).join("")}${quote}`;
}

// bytes.hex(" ")
export const hexOf = (bytes: Uint8Array): string => Array.from(bytes, hex).join(" ");

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
