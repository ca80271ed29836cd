// A trained model and all that travels with it, checked before anything in it is used.
//
//     bundle.json  what it is, what it was trained on, sha256 of every other file
//     model.onnx   aligned counts and measured genes in; fingerprint, node probabilities and familiarity out
//     genes.tsv    gene_id, symbol, pixel: the genes in the network's order, their place on the grid
//
// Whoever loads the page's files compares their hashes. The fields of bundle.json are in `manifest`, running the network
// is in `runtime`. Axes: g the bundle's genes, m ontology nodes.

import { BundleError } from "../base/errors.ts";
import { sha256Hex } from "../base/hashes.ts";
import type { Matrix } from "../base/matrix.ts";
import { cached, packagedBytes, packagedNames } from "../base/packaged.ts";
import { comma, repr } from "../base/words.ts";
import { LabelWeights } from "../biology/label_weights.ts";
import { loadOntology, reachMatrix } from "../biology/ontology.ts";
import { loadVocabulary, Vocabulary } from "../biology/vocabulary.ts";
import { GENES, MANIFEST, parseManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";

// The bundle that is meant where none is named; it travels with the package.
export const DEFAULT = "human-v1";
// Folder of the model among the files of the page.
export const FOLDER = "model";

const COLUMNS = ["gene_id", "symbol", "pixel"];

// A trained model, checked: what `loadBundle` gives.
export class Bundle {
  private weights: LabelWeights | null = null;
  private names: string[] | null = null;

  constructor(
    readonly path: string,
    readonly manifest: Manifest,
    readonly vocabulary: Vocabulary,
    // Place of each gene on the grid: row times manifest.grid plus column.
    readonly pixelG: Int32Array,
    // Of bundle.json, which holds the sha256 of all the rest: one number for the whole bundle.
    readonly sha256: string,
  ) {}

  // What the bundle calls itself.
  get name(): string {
    return this.manifest.name;
  }

  // Ontology terms in the order of the probabilities, length m.
  get nodes(): string[] {
    return this.manifest.nodes;
  }

  // The calibrated probability that each node is right; as they are where nothing calibrates them.
  calibrated(probabilitiesNm: Matrix, countsN: ArrayLike<number>): Matrix {
    const { softening, calibration } = this.manifest;
    // of another release it isn't known which labels a node is the sum of
    if (softening !== null && this.isOfThisOntology) {
      return this.labelWeights.summed(softening.apply(this.labelWeights.of(probabilitiesNm), countsN));
    }
    return calibration === null ? probabilitiesNm : calibration.apply(probabilitiesNm, countsN);
  }

  // Whether its terms stand where they stand in the packaged release of the Cell Ontology.
  get isOfThisOntology(): boolean {
    return this.manifest.ontologyVersion === loadOntology().version;
  }

  // The way from the probabilities of nodes to the weights of labels, and back.
  get labelWeights(): LabelWeights {
    return (this.weights ??= new LabelWeights(this.manifest.labels, this.nodes, loadOntology()));
  }

  // Names of nodes.
  get nodeNames(): string[] {
    return (this.names ??= this.nodes.map((term) => loadOntology().name(term)));
  }

  // The contents of one of the bundle's files, of the size that the manifest states.
  read(name: string): Uint8Array {
    return readFile(this.path, name, this.manifest);
  }
}

// A bundle, checked and ready for use.
export const loadBundle = (folder = FOLDER): Bundle => cached(`bundle ${folder}`, () => checked(folder));

function checked(folder: string): Bundle {
  if (!packagedNames().includes(`${folder}/${MANIFEST}`)) {
    throw new BundleError(`${folder} is not a Spoticell bundle: it holds no ${MANIFEST}.`);
  }
  const raw = packagedBytes(`${folder}/${MANIFEST}`), manifest = parseManifest(raw, `${folder}/${MANIFEST}`);
  checkNodes(manifest, folder);
  const [vocabulary, pixelG] = readGenes(readFile(folder, GENES, manifest), manifest, `${folder}/${GENES}`);
  return new Bundle(folder, manifest, vocabulary, pixelG, sha256Hex(raw));
}

function readFile(folder: string, name: string, manifest: Manifest): Uint8Array {
  if (!packagedNames().includes(`${folder}/${name}`)) {
    throw new BundleError(`the bundle ${folder} lacks its file ${name}; fetch or export it again.`);
  }
  const contents = packagedBytes(`${folder}/${name}`), stated = manifest.files[name].bytes;
  if (contents.length !== stated) {
    throw new BundleError(
      `${name} of the bundle ${folder} is ${comma(contents.length)} bytes long, not ${comma(stated)}: it was cut short or ` +
        "changed. Fetch or export the bundle again.",
    );
  }
  return contents;
}

// Refuses nodes that this release's ontology lacks, or that aren't the labels and their ancestors.
function checkNodes(manifest: Manifest, folder: string): void {
  const ontology = loadOntology(), strange = manifest.nodes.filter((term) => !ontology.has(term));
  if (strange.length) {
    throw new BundleError(
      `the bundle ${folder} names ${strange.length} terms that are not in Cell Ontology ${ontology.version} or were ` +
        `given up there (first ${repr(strange[0].slice(0, 40))}); use the release of Spoticell that the bundle was made for.`,
    );
  }
  // of another release the terms above a label may have changed since: the network's own nodes are the ones that count
  if (manifest.ontologyVersion !== ontology.version) return;
  const [known] = reachMatrix(manifest.labels, ontology), nodes = new Set(manifest.nodes);
  if (known.length !== nodes.size || !known.every((term) => nodes.has(term))) {
    throw new BundleError(`in the bundle ${folder} the nodes are not the labels and their ancestors; export it again.`);
  }
}

function readGenes(contents: Uint8Array, manifest: Manifest, where: string): [Vocabulary, Int32Array] {
  const { ids, symbols, pixels } = parseGenes(contents, where);
  if (ids.length !== manifest.nGenes || sha256Hex(ids.join("\n")) !== manifest.geneSha256) {
    throw new BundleError(`${where} holds other genes than the manifest says; fetch or export the bundle again.`);
  }
  if (new Set(ids).size < ids.length) throw new BundleError(`${where} names a gene more than once; export the bundle again.`);
  if (new Set(pixels).size < pixels.length) throw new BundleError(`${where} puts two genes on one pixel; export the bundle again.`);
  if (pixels.some((pixel) => pixel < 0 || pixel >= manifest.grid ** 2)) {
    throw new BundleError(`${where} has pixels outside the ${manifest.grid} by ${manifest.grid} grid.`);
  }
  const packaged = loadVocabulary(), chromosome = new Map(packaged.ids.map((gene, g) => [gene, packaged.chromosomes[g]]));
  return [new Vocabulary(ids, symbols, ids.map((gene) => chromosome.get(gene) ?? "")), Int32Array.from(pixels)];
}

// Gene ids, symbols and pixels of a genes.tsv.
function parseGenes(contents: Uint8Array, where: string): { ids: string[]; symbols: string[]; pixels: number[] } {
  const lines = new TextDecoder().decode(contents).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const [header, ...rows] = lines.map((line) => line.split("\t"));
  const odd = rows.find((row) => row.length !== COLUMNS.length || !/^\d+$/.test(row[2]));
  if (!rows.length || odd !== undefined) {
    const why = odd === undefined ? "it has no rows" : `a row is ${repr(odd.join(" ").slice(0, 40))}`;
    throw new BundleError(`${where} is not a table of gene_id, symbol and pixel (${why}).`);
  }
  if (header.join("\t") !== COLUMNS.join("\t")) {
    throw new BundleError(`${where} has the columns [${header.map(repr).join(", ")}]; it needs [${COLUMNS.map(repr).join(", ")}].`);
  }
  return { ids: rows.map(([id]) => id), symbols: rows.map(([, symbol]) => symbol), pixels: rows.map((row) => Number(row[2])) };
}
