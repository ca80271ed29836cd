// A zarr store as one zip file: nothing is packed anew, so that even large ones need little time and memory.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
// Without the extensions of the format a zip holds fewer bytes than this.
const MOST = 4_000_000_000;

async function checksum(file) {
  let sum = 0xffffffff;
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return (sum ^ 0xffffffff) >>> 0;
    for (const byte of value) sum = TABLE[(sum ^ byte) & 255] ^ (sum >>> 8);
  }
}

// `files`: [{file, path}]; `root` is the folder that all paths begin with; in the zip they don't.
export async function zipped(files, root, name) {
  if (files.reduce((sum, { file }) => sum + file.size, 0) > MOST) throw new Error(`${name} is larger than 4 GB. Zip it yourself, or use the command line.`);
  const parts = [], index = [];
  let at = 0;
  for (const { file, path } of files) {
    const inner = new TextEncoder().encode(path.slice(root.length + 1));
    const about = [[2, 0x0800], [2, 0], [2, 0], [2, 33], [4, await checksum(file)], [4, file.size], [4, file.size], [2, inner.length], [2, 0]];
    const head = numbers([[4, 0x04034b50], [2, 20], ...about]);
    parts.push(head, inner, file);
    index.push(numbers([[4, 0x02014b50], [2, 20], [2, 20], ...about, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]]), inner);
    at += head.length + inner.length + file.size;
  }
  const size = index.reduce((sum, part) => sum + part.length, 0);
  const end = numbers([[4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, at], [2, 0]]);
  return new File([...parts, ...index, end], `${name}.zip`);
}

// Whole numbers of two or four bytes, the low byte first.
function numbers(list) {
  const bytes = new Uint8Array(list.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of list) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return bytes;
}
