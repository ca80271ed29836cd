// What a shared file holds. It takes the place of api.js there: the same calls, as far as the file has the answers.

const KINDS = { f4: Float32Array, u2: Uint16Array, u1: Uint8Array };
let held = null;

// Give the words of the file; the arrays are given by the calls below.
export async function unpack(text) {
  const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const buffer = await new Response(stream).arrayBuffer();
  const size = new DataView(buffer).getUint32(0, true);
  held = { words: JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size))), buffer, first: 4 + size };
  return held.words;
}

export function array(name) {
  const found = held.words.arrays[name];
  if (!found) return null;
  const [kind, start, length] = found;
  return new KINDS[kind](held.buffer, held.first + start, length);
}

const places = (axis) => {
  const { steps } = held.words;
  return Float32Array.from(array(axis), (step) => (step > steps ? NaN : step / steps));
};

export function cells() {
  const score = array("score");
  return { n: score.length, x: places("x"), y: places("y"), score: score.slice(), type: array("type"), group: array("group") };
}

export const column = async (_, place) => array(`column ${place}`);

export function gene(symbol) {
  const at = held.words.genes.findIndex((one) => one.symbol === symbol);
  return at < 0 ? null : { ...held.words.genes[at], level: array(`gene ${at}`) };
}

// All else that the parts of the page may ask for.
export const notHeld = async () => { throw new Error("Only the page that this file was made from can tell that."); };

// Tests by sample are the server's.
export const changes = async () => ({ notes: [], changes: [], method: null, samples: [] });
