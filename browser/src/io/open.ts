// Opening a file or folder as a stream of cells, whatever its format.

import { FileFormatError } from "../base/errors.ts";
import type { Bytes, Upload } from "./bytes.ts";
import { AnnDataSource } from "./formats/h5ad.ts";
import { isLoom, openLoom } from "./formats/loom.ts";
import { openFolder, openMtx } from "./formats/mtx.ts";
import { openTable } from "./formats/table.ts";
import { isTenx, openTenx } from "./formats/tenx.ts";
import { sniff, sniffFolder, sniffHdf5 } from "./sniff.ts";
import type { CellSource } from "./source.ts";
import { Hdf5Tree } from "./storage/hdf5.ts";
import { unpack } from "./unpack.ts";

// Cells of a file or folder, told by what is in it rather than by its name. Close what is given.
export function openCells(upload: Upload): CellSource {
  const [file, ...others] = upload.files.values();
  if (file === undefined) throw new FileFormatError(`${upload.name}: there is no such file or folder.`);
  if (others.length) {
    sniffFolder(upload);
    return openFolder(upload);
  }
  const kind = sniff(file);
  if (kind === "HDF5") return openHdf5(file);
  if (kind === "packed") return openPacked(file);
  return kind === "Matrix Market" ? openMtx(file, [file]) : openTable(file);
}

function openPacked(file: Bytes): CellSource {
  const inner = unpack(file), files = [...inner.files.values()];
  if (files.length === 1 && sniff(files[0]) === "packed") {
    throw new FileFormatError(`${file.name} is packed twice. Unpack it first, and give the file inside.`);
  }
  return openCells(inner);
}

function openHdf5(file: Bytes): CellSource {
  const tree = new Hdf5Tree(file);
  try {
    const names = tree.names("");
    if (isLoom(tree)) return openLoom(tree);
    if (!names.includes("obs") && isTenx(tree)) return openTenx(tree);
    sniffHdf5(names, file.name);
    return new AnnDataSource(tree, "h5ad");
  } catch (error) {
    tree.close();
    throw error;
  }
}
