// Colours of types of cell, and a ramp for scores.
//
// Every colour of a type is one of SLOTS: any two of them can be told apart, and each is seen on white and on the page's
// dark ground. A term would like a certain colour: its lineage (its broad type) gives the hue, the term itself varies it.
// The types of a file choose in turn, those of most cells first: each takes the slot that is nearest to what it would like,
// still free, and not too near to what is taken for readers who tell hues apart badly. So the types of a lineage have
// neighbouring colours as long as there are some; a common type has the same colour in nearly every file; and the same
// answers always have the same colours.
//
// What a term would like is made in OKLCH, whose lightness and distances agree with the eye (Ottosson 2020,
// https://bottosson.github.io/posts/oklab/).

import { blake2bBytes } from "../base/hashes.ts";
import { cached } from "../base/packaged.ts";
import { loadOntology } from "./ontology.ts";

// Colour of unknown.
export const GREY = "#9a9a9a";

// Colours of types: any two differ by a CIEDE2000 of 12 or more, and each has a contrast of 3:1 on both grounds.
export const SLOTS: readonly string[] = [
  "#ea7111", "#bb3f00", "#e25b3a", "#bf3536", "#8e5a47", "#b9846c", "#9d5d03", "#c38300", "#9b7a4c",
  "#7c6705", "#a6930b", "#959760", "#769c03", "#667809", "#32a640", "#00801f", "#62855b", "#007654",
  "#0ba480", "#0a8681", "#569fac", "#00758f", "#009edb", "#e66d71", "#bb3361", "#a86e72", "#e7639e",
  "#b34194", "#af81a5", "#cd6dd3", "#82608a", "#874cbe", "#9671e9", "#918bbd", "#6a88fc", "#6467a8",
  "#066cd1",
];

type Three = [number, number, number];

// Hue in degrees, lightness and chroma of each broad type.
export const LINEAGES: ReadonlyMap<string, Three> = new Map<string, Three>([
  ["CL:0000084", [255, 0.62, 0.15]], // T cell
  ["CL:0000786", [30, 0.52, 0.15]], // plasma cell
  ["CL:0000236", [55, 0.70, 0.16]], // B cell
  ["CL:0000623", [200, 0.77, 0.12]], // natural killer cell
  ["CL:0001065", [225, 0.55, 0.10]], // innate lymphoid cell
  ["CL:0000576", [150, 0.60, 0.15]], // monocyte
  ["CL:0000129", [120, 0.72, 0.15]], // microglial cell
  ["CL:0000235", [125, 0.76, 0.16]], // macrophage
  ["CL:0000451", [95, 0.82, 0.16]], // dendritic cell
  ["CL:0000775", [175, 0.70, 0.12]], // neutrophil
  ["CL:0000094", [185, 0.56, 0.10]], // granulocyte
  ["CL:0000097", [330, 0.58, 0.18]], // mast cell
  ["CL:0000556", [0, 0.70, 0.12]], // megakaryocyte
  ["CL:0000233", [350, 0.76, 0.12]], // platelet
  ["CL:0000764", [25, 0.56, 0.19]], // erythroid lineage cell
  ["CL:0008001", [310, 0.66, 0.15]], // hematopoietic precursor cell
  ["CL:0000738", [265, 0.66, 0.06]], // leukocyte
  ["CL:0000115", [305, 0.52, 0.16]], // endothelial cell
  ["CL:0000192", [85, 0.62, 0.10]], // smooth muscle cell
  ["CL:0000669", [100, 0.68, 0.08]], // pericyte
  ["CL:0000746", [15, 0.60, 0.15]], // cardiac muscle cell
  ["CL:0000057", [70, 0.52, 0.09]], // fibroblast
  ["CL:0000188", [40, 0.66, 0.12]], // cell of skeletal muscle
  ["CL:0000136", [90, 0.80, 0.10]], // adipocyte
  ["CL:0002320", [75, 0.66, 0.07]], // connective tissue cell
  ["CL:0008019", [65, 0.72, 0.08]], // mesenchymal cell
  ["CL:0000182", [45, 0.60, 0.13]], // hepatocyte
  ["CL:0000148", [320, 0.52, 0.10]], // melanocyte
  ["CL:0000351", [345, 0.66, 0.15]], // trophoblast cell
  ["CL:0000039", [300, 0.72, 0.12]], // germ line cell
  ["CL:0000127", [140, 0.76, 0.15]], // astrocyte
  ["CL:0000128", [255, 0.56, 0.14]], // oligodendrocyte
  ["CL:0002453", [235, 0.82, 0.09]], // oligodendrocyte precursor cell
  ["CL:0002573", [195, 0.64, 0.10]], // Schwann cell
  ["CL:0011020", [315, 0.66, 0.14]], // neural progenitor cell
  ["CL:0000163", [205, 0.68, 0.11]], // endocrine cell
  ["CL:0000540", [20, 0.60, 0.17]], // neuron
  ["CL:0000066", [5, 0.64, 0.18]], // epithelial cell
  ["CL:0000125", [160, 0.68, 0.11]], // glial cell
]);

// The same for terms below no broad type.
export const OTHER: Three = [110, 0.6, 0.03];

// Lineages of which many types are met together: T cells, endocrine cells, neurons.
export const CROWDED: ReadonlySet<string> = new Set(["CL:0000084", "CL:0000163", "CL:0000540"]);

// OKLab to the cube roots of what the three kinds of cones see, and back.
const FROM_LAB: Three[] = [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.291485548]];
const TO_LAB = inverse(FROM_LAB);

// What the cones see to linear red, green and blue, and back.
const FROM_LMS: Three[] = [
  [4.0767416621, -3.3077115913, 0.2309699292],
  [-1.2684380046, 2.6097574011, -0.3413193965],
  [-0.0041960863, -0.7034186147, 1.707614701],
];
const TO_LMS = inverse(FROM_LMS);

// What deuteranopes see of linear red, green and blue, after Machado 2009.
const WITHOUT_GREEN: Three[] = [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]];

// Of two thousand, the one that sets types that are met together furthest apart.
const SALT = "spoticell 1859";

// Scores from 0 to 1: hue, lightness and chroma at the ends and in the middle.
const RAMP: Three[] = [[250, 0.86, 0.05], [235, 0.66, 0.11], [225, 0.44, 0.09]];

// Weight of a difference in lightness beside one in hue or chroma, when a slot is chosen: the hue tells the lineage.
const LIGHTNESS = 0.5;

// How much a slot loses beside one that is taken, to readers who see no green, and how far off in OKLab it is felt.
const CROWD = 0.08, NEAR = 0.03;

// The colours of terms that are shown together, all different as long as there are enough. The most important terms come
// first and choose first; what is no term is grey; terms that are held have a colour already, which they keep.
export function colorsOf(terms: Iterable<string>, held: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const ontology = loadOntology(), all = [...new Set(terms)], colors = new Map<string, string>();
  for (const term of all) if (held.has(term)) colors.set(term, held.get(term)!);
  const taken = new Set(colors.values());
  let free = SLOTS.filter((slot) => !taken.has(slot));
  for (const term of all) {
    if (colors.has(term)) continue;
    if (!ontology.has(term)) {
      colors.set(term, GREY);
      continue;
    }
    if (!free.length) free = [...SLOTS];
    const wish = wishOf(term), there = [...new Set(colors.values())].filter((color) => color !== GREY).map(seenWithoutGreen);
    const off = free.map((slot) => distance(wish, slot) + CROWD * nearness(slot, there));
    const best = off.reduce((least, one, at) => (one < off[least] ? at : least), 0);
    colors.set(term, free.splice(best, 1)[0]);
  }
  return new Map(all.map((term) => [term, colors.get(term)!]));
}

// The colour of a Cell Ontology term that is shown alone, #rrggbb; grey for anything else.
export const termColor = (term: string): string => colorsOf([term]).get(term)!;

// The colour that a term would like, in OKLab.
function wishOf(term: string): Three {
  return cached(`colour of ${term}`, () => {
    const broad = loadOntology().broad(term);
    let [hue, lightness, chroma] = LINEAGES.get(broad) ?? OTHER;
    if (term !== broad) {
      const [turned, brighter, paler] = Array.from(blake2bBytes(`${SALT} ${term}`, 3), (byte) => byte / 255);
      hue += (turned - 0.5) * (CROWDED.has(broad) ? 64 : 36);
      lightness = Math.min(Math.max(lightness + (brighter - 0.5) * 0.32, 0.48), 0.84);
      chroma *= 1.1 - 0.3 * paler;
    }
    const angle = radians(hue);
    return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
  });
}

// How near a slot is to what is taken, from 0 to 1, in the eyes of readers who see no green.
function nearness(slot: string, there: Three[]): number {
  if (!there.length) return 0;
  const own = seenWithoutGreen(slot);
  return Math.exp(-Math.min(...there.map((one) => Math.hypot(own[0] - one[0], own[1] - one[1], own[2] - one[2]))) / NEAR);
}

function distance(wish: Three, slot: string): number {
  const [lightness, a, b] = oklab(slot);
  return LIGHTNESS * (lightness - wish[0]) ** 2 + (a - wish[1]) ** 2 + (b - wish[2]) ** 2;
}

// The colour of a score from 0 (pale) to 1 (deep).
export function scoreColor(score: number): string {
  const at = Math.min(Math.max(score, 0), 1) * 2, low = Math.min(Math.floor(at), 1), part = at - low;
  const [hue, lightness, chroma] = RAMP[low].map((from, k) => from + (RAMP[low + 1][k] - from) * part);
  return oklch(hue, lightness, chroma);
}

// Black or white, whichever is better read on a #rrggbb.
export function inkOn(color: string): string {
  const [red, green, blue] = encoded(color).map((part) => part ** 2.2);
  // where the contrast with black, (l + .05) / .05, is that with white, 1.05 / (l + .05)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000000" : "#ffffff";
}

const seen = new Map<string, Three>(), seenGreenless = new Map<string, Three>();

// The place of a #rrggbb in OKLab: lightness, green to red, blue to yellow.
export const oklab = (color: string): Three => remembered(seen, color, () => toOklab(decoded(color)));

// The same as deuteranopes see it: red and green of one lightness are alike to them.
export const seenWithoutGreen = (color: string): Three => remembered(seenGreenless, color, () => toOklab(times(WITHOUT_GREEN, decoded(color)).map(clipped) as Three));

function remembered(there: Map<string, Three>, color: string, make: () => Three): Three {
  let found = there.get(color);
  if (found === undefined) there.set(color, (found = make()));
  return found;
}

const encoded = (color: string): Three => [1, 3, 5].map((start) => parseInt(color.slice(start, start + 2), 16) / 255) as Three;

const decoded = (color: string): Three => encoded(color).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as Three;

const toOklab = (linear: Three): Three => times(TO_LAB, times(TO_LMS, linear).map(Math.cbrt) as Three);

// A colour of the OKLCH space as #rrggbb; paler where the screen can't show so much chroma.
export function oklch(hue: number, lightness: number, given: number): string {
  let chroma = given, rgb = linearRgb(hue, lightness, chroma);
  while (chroma >= 0.005 && !(Math.min(...rgb) > -0.002 && Math.max(...rgb) < 1.002)) {
    chroma -= 0.005;
    rgb = linearRgb(hue, lightness, chroma);
  }
  const parts = rgb.map(clipped).map((part) => (part <= 0.0031308 ? 12.92 * part : 1.055 * part ** (1 / 2.4) - 0.055));
  return `#${parts.map((part) => Math.round(part * 255).toString(16).padStart(2, "0")).join("")}`;
}

function linearRgb(hue: number, lightness: number, chroma: number): Three {
  const angle = radians(hue), lab: Three = [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
  return times(FROM_LMS, times(FROM_LAB, lab).map((root) => root ** 3) as Three);
}

const clipped = (part: number): number => Math.min(Math.max(part, 0), 1);

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

const times = (matrix: Three[], [x, y, z]: Three): Three => matrix.map(([a, b, c]) => a * x + b * y + c * z) as Three;

function inverse([[a, b, c], [d, e, f], [g, h, i]]: Three[]): Three[] {
  const size = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const whole: Three[] = [[e * i - f * h, c * h - b * i, b * f - c * e], [f * g - d * i, a * i - c * g, c * d - a * f], [d * h - e * g, b * g - a * h, a * e - b * d]];
  return whole.map((row) => row.map((part) => part / size) as Three);
}
