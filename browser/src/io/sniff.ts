// What a file is, told from its first bytes, and what to do with the kinds that aren't read.
// Nothing is opened by its extension alone, and nothing that could run code is opened at all.

import { FileFormatError } from "../base/errors.ts";
import { repr } from "../base/words.ts";
import { hexOf } from "../base/words_of_bytes.ts";
import type { Bytes, Upload } from "./bytes.ts";
import { Damage, isGzip } from "./inflate.ts";
import { isTar } from "./tar.ts";
import { isZip, unpackedHead } from "./unpack.ts";
import { zipMembers } from "./zip.ts";

export type FileKind = "HDF5" | "Matrix Market" | "table" | "packed";

const HDF5_SIGNATURE = "\x89HDF\r\n\x1a\n";
const EXPORT = "Save the counts as .h5ad, or as a 10x folder (matrix.mtx, features.tsv, barcodes.tsv), and give that.";
const R_EXPORT =
  "In R, save the counts with `anndataR::write_h5ad(object, file)` or `DropletUtils::write10xCounts(folder, counts)`, and give that.";
const ZARR_EXPORT = "Save it as .h5ad, in Python `anndata.read_zarr(FOLDER).write_h5ad(FILE)`, and give that.";
const TWICE = "Unpack it first, and give the file inside.";
// Packings that a page can't undo.
const PACKINGS: [string, string, string][] = [
  ["BZh", "packed with bzip2", "Unpack it first: `bunzip2 FILE`."],
  ["\xfd7zX", "packed with xz", "Unpack it first: `unxz FILE`."],
];
const REFUSED: [string, string, string][] = [
  ["RDX2\n", "an R workspace", R_EXPORT],
  ["RDX3\n", "an R workspace", R_EXPORT],
  ["X\n\x00\x00", "an R object (RDS)", R_EXPORT],
  ["A\n2\n", "an R object (RDS)", R_EXPORT],
  ["A\n3\n", "an R object (RDS)", R_EXPORT],
  ["\x93NUMPY", "a NumPy array", `It has no names of genes and cells. ${EXPORT}`],
  ["\x80", "a Python pickle", `Pickles can run code and are never opened. ${EXPORT}`],
  ["\x89PNG", "a PNG picture", EXPORT],
  ["\xff\xd8\xff", "a JPEG picture", EXPORT],
  ["%PDF", "a PDF document", EXPORT],
  ["PAR1", "a Parquet file", EXPORT],
  ["\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as .csv and give that."],
  ["SQLite format 3", "an SQLite database", EXPORT],
  ["\x28\xb5\x2f\xfd", "packed with Zstandard", "Unpack it first: `unzstd FILE`."],
  ["7z\xbc\xaf", "a 7z archive", "Unpack it first, and give the file or folder inside."],
  ...["\x1f\x8b", "BZh", "\xfd7zX", "PK\x03\x04"].map((head): [string, string, string] => [head, "packed twice", TWICE]),
];
const NOT_TEXT_NAMES = [".h5ad", ".h5", ".hdf5", ".loom", ".h5seurat", ".h5mu"];
const PICKLE_NAMES = [".pkl", ".pickle", ".pt", ".pth", ".joblib", ".npy", ".npz"];

// Kind of a file: "packed" is around one of the others.
export function sniff(file: Bytes): FileKind {
  const head = file.read(0, 512);
  if (!head.length) throw new FileFormatError(`${file.name} is empty${wantsHdf5(file) ? ", not an HDF5 file" : ""}. Copy or download it again.`);
  if (isTar(head)) return "packed";
  if (startsWith(head, HDF5_SIGNATURE) || signatureLater(file)) return "HDF5";
  if (isZip(file)) return zipKind(file);
  refuse(file, head, PACKINGS);
  const inside = isGzip(file) ? unpackedHead(file) : head;
  if (inside !== head && (startsWith(inside, HDF5_SIGNATURE) || isTar(inside))) return "packed";
  refuse(file, inside, REFUSED);
  refuseName(file, inside);
  return latin(inside).replace(/^[ \t\n\r\v\f]+/, "").toLowerCase().startsWith("%%matrixmarket") ? "Matrix Market" : "table";
}

// Refuses HDF5 files that are known but not read, told by the names at their top.
export function sniffHdf5(names: readonly string[], name: string): void {
  const found = new Set(names);
  if (found.has("assays") && (found.has("cell.names") || found.has("meta.data"))) throw new FileFormatError(`${name} is an h5Seurat file. ${R_EXPORT}`);
  if (found.has("mod")) throw new FileFormatError(`${name} is a MuData file: save one modality with \`mdata.mod['rna'].write_h5ad(file)\`.`);
  if (found.has("barcode_idx") || found.has("molecule_info")) {
    throw new FileFormatError(`${name} lists molecules: give filtered_feature_bc_matrix.h5 of the same run.`);
  }
  if (found.has("obs")) return;
  const listed = names.slice(0, 6).join(", ") || "nothing";
  throw new FileFormatError(`${name} is an HDF5 file, but no h5ad, 10x or loom file: it holds ${listed}. ${EXPORT}`);
}

// Refuses folders that are known but not read.
export function sniffFolder(upload: Upload): void {
  const names = new Set(Array.from(upload.files.keys(), (path) => path.split("/")[0]));
  if (["zarr.json", ".zgroup", ".zmetadata"].some((name) => names.has(name))) throw isZarr(upload.name);
  if (names.has("__group") || names.has("__tiledb_group.tdb")) {
    throw new FileFormatError(`${upload.name} is a TileDB-SOMA experiment: save it with \`tiledbsoma.io.to_h5ad(experiment, file, ...)\`.`);
  }
}

// First bytes for a person: words where they are text, numbers where not.
export function looks(head: Uint8Array): string {
  const start = head.subarray(0, 16);
  if (start.every((byte) => (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13)) return repr(latin(start));
  return hexOf(start.subarray(0, 8));
}

const isZarr = (name: string) => new FileFormatError(`${name} is a zarr store, which isn't read in a browser. ${ZARR_EXPORT}`);

function refuse(file: Bytes, inside: Uint8Array, refused: [string, string, string][]): void {
  for (const [signature, kind, advice] of refused) {
    if (!startsWith(inside, signature)) continue;
    const notHdf5 = wantsHdf5(file) ? `, not an HDF5 file: its first bytes are ${looks(inside)}` : "";
    throw new FileFormatError(`${file.name} is ${kind}${notHdf5}. ${advice}`);
  }
}

function refuseName(file: Bytes, inside: Uint8Array): void {
  if (wantsHdf5(file)) {
    throw new FileFormatError(
      `${file.name} is not an HDF5 file, though its name says so: its first bytes are ${looks(inside)}. ` +
      "Copy or download it again, or give it the right name.",
    );
  }
  if (PICKLE_NAMES.includes(suffixOf(file.name))) {
    throw new FileFormatError(`${file.name} may be a pickle, which can run code and is never opened. ${EXPORT}`);
  }
  if (inside.includes(0) && !startsWith(inside, "\xff\xfe") && !startsWith(inside, "\xfe\xff")) {
    throw new FileFormatError(`${file.name} is of a kind that isn't known: its first bytes are ${looks(inside)}. ${EXPORT}`);
  }
}

const wantsHdf5 = (file: Bytes): boolean => NOT_TEXT_NAMES.includes(suffixOf(file.name));

// Ending of a name with its dot, in lower case.
const suffixOf = (name: string): string => /(?<=.)\.[^.]+$/s.exec(name)?.[0].toLowerCase() ?? "";

// Each byte as a sign.
const latin = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");

const startsWith = (head: Uint8Array, signature: string): boolean => latin(head.subarray(0, signature.length)) === signature;

// Whether HDF5 starts behind a user block, at 512, 1024, 2048... bytes.
function signatureLater(file: Bytes): boolean {
  for (let place = 512; place < Math.min(file.size, 1 << 20); place *= 2) {
    if (startsWith(file.read(place, place + 8), HDF5_SIGNATURE)) return true;
  }
  return false;
}

function zipKind(file: Bytes): FileKind {
  let names: string[];
  try {
    names = zipMembers(file).map(({ name }) => name);
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    throw new FileFormatError(`${file.name} is a damaged zip file (${error.message}). Copy or download it again.`);
  }
  const last = new Set(names.map((name) => name.slice(name.lastIndexOf("/") + 1)));
  if ([".zgroup", "zarr.json", ".zmetadata"].some((name) => last.has(name))) throw isZarr(file.name);
  if (last.has("data.pkl")) throw new FileFormatError(`${file.name} is a PyTorch file. It can run code and is never opened. ${EXPORT}`);
  if (names.includes("[Content_Types].xml")) throw new FileFormatError(`${file.name} is an Excel workbook. Save the sheet as .csv and give that.`);
  if (names.some((name) => name.endsWith(".npy"))) {
    throw new FileFormatError(`${file.name} is a NumPy archive without names of genes and cells. ${EXPORT}`);
  }
  return "packed";
}
