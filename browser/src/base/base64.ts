// Bytes as letters, for addresses and pages that hold what they show.

// In parts: all letters at once are too many arguments for a call.
export function base64(bytes: Uint8Array): string {
  let text = "";
  for (let start = 0; start < bytes.length; start += 3 * 8192) text += btoa(String.fromCharCode(...bytes.subarray(start, start + 3 * 8192)));
  return text;
}
