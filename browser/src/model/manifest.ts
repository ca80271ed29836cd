// What bundle.json says: the fields of a manifest, their bounds, and how text becomes one.
//
// Files are read and compared with it in `bundle`.

import { BundleError } from "../base/errors.ts";
import { compare, head, isPrintable } from "../base/text.ts";
import { fields, isFields, list, number, orNone, table, text, whole } from "../base/schema.ts";
import type { Fields } from "../base/schema.ts";
import { comma, repr } from "../base/words.ts";
import { Calibration, MOST, Softening, Stranger, Together, Trust } from "./calibration.ts";

export const MANIFEST = "bundle.json";
export const MODEL = "model.onnx";
export const GENES = "genes.tsv";

// The latest format that is known; every MAJOR.x is read.
export const MAJOR = 1, MINOR = 4;
// Longest bundle.json that is read, in bytes.
export const MANIFEST_LIMIT = 5_000_000;
// Largest file that a manifest may name, in bytes; far above what a bundle needs.
const FILE_LIMIT = 1_000_000_000;
// Bytes that the name of a file may have.
const NAME_LIMIT = 200;

// One data set, profile table or teacher that the model was trained on.
export interface Origin {
  name: string;
  accession: string;
  licence: string;
  cells: number;
  url: string;
  note: string;
}

// What a file of the bundle must be.
export interface FileRecord {
  sha256: string;
  bytes: number;
}

// The contents of bundle.json.
export interface Manifest {
  formatVersion: string;
  name: string;
  date: string;
  licence: string;
  description: string;
  spoticellVersion: string;
  // Side of the gene grid in pixels.
  grid: number;
  fingerprintSize: number;
  // Of the gene ids joined by newlines.
  geneSha256: string;
  nGenes: number;
  // Terms over which the network's softmax runs.
  labels: string[];
  // Labels and all their ancestors, ancestors first: the order of the probabilities.
  nodes: string[];
  ontologyVersion: string;
  temperature: number;
  // Lowest probability at which a term is answered, unless the user says otherwise.
  threshold: number;
  // What calibrates the network's probabilities in bundles up to format 1.2.
  calibration: Calibration | null;
  // What calibrates the weights of the network's labels; null takes them as they are.
  softening: Softening | null;
  // Makes the score of an answer of its probability and the cell's familiarity; null takes the probability.
  trust: Trust | null;
  // The same for cells that are read together with their neighbours; null goes by what is for cells alone.
  together: Together | null;
  sources: Origin[];
  // Measured on each test set: {set: {figure: value}}.
  figures: Record<string, Record<string, number>>;
  files: Record<string, FileRecord>;
}

const SHA256 = text(Infinity, "^[0-9a-f]{64}$"), LONG = text(20_000), ANY_NUMBER = number({ ge: -MOST, le: MOST }), WEIGHT = number({ ge: 0, le: MOST });
const STRANGER = fields({ counts: ANY_NUMBER, genes: ANY_NUMBER, intercept: ANY_NUMBER }, [], "Stranger");
const TRUST = fields(
  { chance: WEIGHT, depth: ANY_NUMBER, familiarity: WEIGHT, intercept: ANY_NUMBER, doubt: number({ ge: 0, lt: 1 }), enough: number({ ge: 0 }), stranger: orNone(STRANGER) },
  ["doubt", "enough", "stranger"],
  "Trust",
);
const FIELDS = {
  format_version: text(Infinity, "^\\d{1,4}\\.\\d{1,4}$"),
  name: text(Infinity, "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"),
  date: text(Infinity, "^\\d{4}-\\d{2}-\\d{2}$"),
  licence: LONG,
  description: LONG,
  spoticell_version: LONG,
  grid: whole({ gt: 0, le: 1000 }),
  fingerprint_size: whole({ gt: 0, le: 100_000 }),
  gene_sha256: SHA256,
  n_genes: whole({ gt: 0, le: 1_000_000 }),
  labels: list(text(), 1),
  nodes: list(text(), 1),
  ontology_version: LONG,
  temperature: number({ gt: 0 }),
  threshold: number({ ge: 0, le: 1 }),
  calibration: orNone(fields({ slope: number({ gt: 0, le: MOST }), depth: ANY_NUMBER, intercept: ANY_NUMBER }, [], "Calibration")),
  softening: orNone(fields({ power: number({ ge: -3, le: 3 }), depth: number({ ge: -3, le: 3 }) }, [], "Softening")),
  trust: orNone(TRUST),
  together: orNone(fields({ power: number({ ge: -1, le: 1 }), trust: orNone(TRUST) }, ["trust"], "Together")),
  sources: list(fields({ name: LONG, accession: LONG, licence: LONG, cells: whole({ ge: 0 }), url: LONG, note: LONG }, ["accession", "url", "note"], "Origin")),
  figures: table(table(number())),
  files: table(fields({ sha256: SHA256, bytes: whole({ ge: 0, le: FILE_LIMIT }) }, [], "FileRecord")),
};
const OPTIONAL = ["calibration", "softening", "trust", "together"];

// A manifest from the bytes of bundle.json; `where` is how messages call the file.
export function parseManifest(raw: Uint8Array, where: string): Manifest {
  if (raw.length > MANIFEST_LIMIT) {
    throw new BundleError(`${where} is ${comma(raw.length)} bytes long; ${comma(MANIFEST_LIMIT)} is the most that is read.`);
  }
  let found: unknown;
  try {
    found = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  } catch (error) {
    throw new BundleError(`${where} is not JSON (${(error as Error).message}); fetch or export the bundle again.`);
  }
  if (!isFields(found)) throw new BundleError(`${where} is not a Spoticell manifest: it holds no table of fields.`);
  return checkManifest(ofThisFormat(found, where), where);
}

// A manifest from its fields; else one sentence says which of them is wrong.
export function checkManifest(found: Fields, where: string): Manifest {
  const fault = fields(FIELDS, OPTIONAL)(found);
  const place = fault?.where.join(".").slice(0, 100);
  const said = fault ? `${place ? `${place}: ` : ""}${fault.message}` : filesFault(found) ?? termsFault(found);
  if (said !== null) throw new BundleError(`${where} is not a sound manifest: ${said}.`);
  return manifestOf(found);
}

function manifestOf(found: Fields): Manifest {
  const camel = Object.entries(found).map(([name, value]) => [name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()), value]);
  const { calibration = null, softening = null, trust = null, together = null, ...rest } = Object.fromEntries(camel);
  return {
    ...rest,
    sources: rest.sources.map((origin: Partial<Origin>) => ({ accession: "", url: "", note: "", ...origin })),
    calibration: calibration && new Calibration(calibration),
    softening: softening && new Softening(softening),
    trust: trustOf(trust),
    together: together && new Together({ power: together.power, trust: trustOf(together.trust ?? null) }),
  };
}

type Told = ConstructorParameters<typeof Trust>[0] | null;

const trustOf = (told: Told): Trust | null => told && new Trust({ ...told, stranger: told.stranger ? new Stranger(told.stranger) : null });

// The fields that this format knows; those that a later minor format adds are passed over.
function ofThisFormat(found: Fields, where: string): Fields {
  const stated = String(found.format_version ?? "").slice(0, 20), version = formatOf(found);
  if (version === null) throw new BundleError(`${where} is not a Spoticell manifest: its format_version is ${repr(stated)}.`);
  if (version[0] !== MAJOR) {
    throw new BundleError(
      `${where} has format ${stated}, and this Spoticell reads ${MAJOR}.x; ` +
        "use the release of Spoticell that the bundle was made for.",
    );
  }
  return version[1] <= MINOR ? found : Object.fromEntries(Object.entries(found).filter(([name]) => name in FIELDS));
}

// The major and minor number of the format that a manifest states; null where it states none.
export function formatOf(found: unknown): [number, number] | null {
  const parts = isFields(found) ? /^(\d{1,4})\.(\d{1,4})$/.exec(String(found.format_version)) : null;
  return parts && [Number(parts[1]), Number(parts[2])];
}

function filesFault(found: Fields): string | null {
  const names = Object.keys(found.files as object);
  for (const name of names) {
    const isStrange = /[/\\:"]/.test(name) || !isPrintable(name) || new TextEncoder().encode(name).length > NAME_LIMIT;
    if (["", ".", "..", MANIFEST].includes(name) || isStrange) return `files: ${repr(head(name, 100))} is not a plain file name`;
  }
  const missing = [GENES, MODEL].filter((name) => !names.includes(name));
  return missing.length ? `files: ${missing.join(" and ")} must be listed` : null;
}

function termsFault(found: Fields): string | null {
  const labels = found.labels as string[], nodes = new Set(found.nodes as string[]), grid = found.grid as number, nGenes = found.n_genes as number;
  if (new Set(labels).size < labels.length) return "the labels repeat a term";
  if (nodes.size < (found.nodes as string[]).length) return "the nodes repeat a term";
  const strange = labels.filter((label) => !nodes.has(label)).sort(compare);
  if (strange.length) return `label ${repr(head(strange[0], 40))} is not among the nodes`;
  return grid ** 2 < nGenes ? `a ${grid} by ${grid} grid has no room for ${nGenes} genes` : null;
}
