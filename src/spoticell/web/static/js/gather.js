// What was dropped or chosen, sorted into things to send: single files, matrices with their files of names, zarr stores.

const MATRIX = /\.mtx(\.gz)?$/i;
const NAMES = /(features?|genes?|gene_?names|gene_?ids|var_?names|all_genes|barcodes?|cells?|cell_?names|cell_?ids|cell_?metadata|obs_?names|mtx_rows|mtx_cols|rows?|row_?names|cols?|columns?|col_?names)(\.(tsv|csv|txt))?(\.gz)?$/i;
const CELLS = /\.(h5ad|h5|hdf5|loom|zip|csv|tsv|txt|tab|tar|tgz|h5seurat|h5mu)(\.(gz|bz2|xz))?$/i;
const STORE = /^(\.zgroup|\.zattrs|zarr\.json|\.zmetadata)$/;
const FILES = 65_000;

// From a drop: [{file, path}], folders being walked through. To be called at once: entries are gone after the event.
export async function fromDrop({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return fromInput(files);
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

export const fromInput = (files) => [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

async function walk(entry, above, found) {
  const path = above + entry.name;
  if (found.length > FILES) return;
  if (entry.isFile) {
    found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return;
    for (const inner of some) await walk(inner, `${path}/`, found);
  }
}

// Things to send: {name, size, files: [{file, path}], root}; only a zarr store has a `root`, the folder that it is.
export function sorted(found) {
  const stores = storesOf(found);
  const inStore = (path) => [...stores.keys()].find((root) => path.startsWith(`${root}/`));
  const rest = found.filter(({ path }) => inStore(path) === undefined);
  const things = [...stores].map(([root, files]) => ({ name: last(root), files, root }));
  const taken = new Set();
  for (const one of rest.filter(({ path }) => MATRIX.test(path))) {
    const files = [one, ...beside(one, rest)];
    files.forEach((file) => taken.add(file));
    things.push({ name: files.length > 1 && folder(one.path) ? last(folder(one.path)) : last(one.path), files });
  }
  const left = rest.filter((one) => !taken.has(one) && (folder(one.path) === "" || (CELLS.test(one.path) && !last(one.path).startsWith("."))));
  const all = [...things, ...left.map((one) => ({ name: last(one.path), files: [one] }))];
  return all.map((thing) => ({ ...thing, size: thing.files.reduce((sum, { file }) => sum + file.size, 0) }));
}

// A store's own folder is the highest that holds a mark of one.
function storesOf(found) {
  const roots = found.filter(({ path }) => STORE.test(last(path)) && folder(path)).map(({ path }) => folder(path));
  const highest = [...new Set(roots)].filter((root) => !roots.some((other) => root.startsWith(`${other}/`)));
  return new Map(highest.map((root) => [root, found.filter(({ path }) => path.startsWith(`${root}/`))]));
}

// Files of names in the matrix's folder: those that begin as it does, or else those that are called by their kind alone.
function beside({ path }, all) {
  const start = last(path).replace(MATRIX, "").replace(/(matrix|counts?|expression|mat)$/i, "");
  const near = all.filter((one) => folder(one.path) === folder(path) && NAMES.test(last(one.path)));
  const own = start ? near.filter((one) => last(one.path).startsWith(start)) : near;
  return own.length ? own : near;
}

const last = (path) => path.slice(path.lastIndexOf("/") + 1);
const folder = (path) => path.slice(0, Math.max(path.lastIndexOf("/"), 0));
