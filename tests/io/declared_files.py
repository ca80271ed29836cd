"""Bad files of a few kilobytes that declare hundreds of millions of things; a part of `BAD_FILES`."""

import gzip
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
from tests.io import written as formats
from tests.io.bad_files import N_CELLS, N_GENES, bad, changed

MANY = 400_000_000


def unwritten(file: h5py.File, path: str, shape: tuple[int, ...], kind: str, **more) -> None:
    """Put an array in the place of another that has a size and no contents."""
    attributes = dict(file[path].attrs) if path in file else {}
    if path in file:
        del file[path]
    chunks = tuple(min(side, 1 << 16) if axis == 0 else side for axis, side in enumerate(shape))
    file.create_dataset(path, shape=shape, dtype=kind, chunks=chunks, compression="gzip", **more)
    file[path].attrs.update(attributes)


@changed("more cells than bytes", "'obs' declares 400,000,000 rows of 2 columns, more than its bytes")
def many_cells(file):
    unwritten(file, "obs/_index", (MANY,), "S9")
    unwritten(file, "X/indptr", (MANY + 1,), "i8")
    file["X"].attrs["shape"] = (MANY, N_GENES)


@changed("more nameless cells than bytes", "'obs' declares 400,000,000 rows of 2 columns, more than its bytes")
def many_nameless(file):
    del file["obs"]
    obs = file.create_group("obs")
    obs.attrs.update({"encoding-type": "dataframe", "_index": "gone", "column-order": np.array(["a"], dtype=object)})
    unwritten(file, "obs/a", (MANY,), "i1")


@changed("matrix never written", "holds no matrix: 'X', 'layers' and 'raw/X' are empty")
def unwritten_matrix(file):
    del file["X"]
    unwritten(file, "X", (N_CELLS, N_GENES), "f4")


@changed("sparse matrix never written", "a part of 'X' is missing")
def unwritten_entries(file):
    n_entries = file["X/data"].shape[0]
    for part in ("data", "indices"):
        unwritten(file, f"X/{part}", (n_entries,), "i4")


@changed("more entries than fit", "its matrices unpack to more than 1,100 times the bytes of the file")
def many_entries(file):
    for part in ("data", "indices"):
        unwritten(file, f"X/{part}", (2_000_000_000,), "i4")


@changed("names never written", "a part of 'var/_index' is missing")
def unwritten_names(file):
    unwritten(file, "var/_index", (N_GENES,), "S9")


@changed("names of an absurd length", "'obs/_index' unpacks to more than 100 times the bytes of the file")
def long_names(file):
    del file["obs/_index"]
    file["obs"].create_dataset("_index", data=np.full(N_CELLS, b"a", dtype="S9000000"), chunks=(1,), compression=1)


@changed("packed more than once", "'X/data' is packed more than once")
def packed_twice(file):
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((64,))
    settings.set_deflate(9)
    settings.set_deflate(9)
    n_entries = file["X/data"].shape[0]
    del file["X/data"]
    h5py.h5d.create(file["X"].id, b"data", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((n_entries,)), settings)


@changed("one matrix under many names", "its matrices unpack to more than 1,100 times", start=formats.h5ad_dense)
def many_links(file):
    file["layers"].create_dataset("l", data=np.zeros((2048, 8192), "f4"), chunks=(2048, 8192), compression=9)
    for place in range(60):
        file[f"layers/l{place}"] = file["layers/l"]


@changed("more entries than places", "'X' has 2,000,000 values for 11 cells and 60 genes", start=formats.h5ad_csc)
def many_at_one_place(file):
    for part, value in (("data", 1), ("indices", 0)):
        del file[f"X/{part}"]
        file[f"X/{part}"] = np.full(2_000_000, value, dtype="i1")
    file["X/indptr"][1:] = 2_000_000


@changed("loom of more cells than bytes", "declares 400,000,000 cells, more than it has bytes", start=formats.loom)
def many_in_loom(file):
    del file["matrix"]
    file.create_dataset("matrix", shape=(N_GENES, MANY), dtype="i1", chunks=(N_GENES, 4096))


@changed("10x of more cells than bytes", "declares 400,000,000 cells, more than it has bytes", start=formats.tenx_3)
def many_in_tenx(file):
    unwritten(file, "matrix/barcodes", (MANY,), "S16")
    unwritten(file, "matrix/indptr", (MANY + 1,), "i8")
    file["matrix/shape"][1] = MANY


@changed("10x with barcodes never written", "'matrix/barcodes' unpacks to more than 100 times", start=formats.tenx_3)
def many_barcodes(file):
    unwritten(file, "matrix/barcodes", (MANY,), "S16")


def zarr_changed(folder: Path, path: str, **fields: object) -> Path:
    store = formats.zarr_2(folder, formats.cells())
    place = store / path / ".zarray"
    place.write_text(json.dumps(json.loads(place.read_text()) | fields))
    (store / ".zmetadata").unlink()
    return store


@bad("zarr in chunks of one", "'obs/label/codes' is cut into 400,000,000 chunks, far more than are stored")
def chunks_of_one(folder):
    return zarr_changed(folder, "obs/label/codes", shape=[MANY], chunks=[1])


@bad("zipped zarr that unpacks to too much", "'zarr.json' unpacks to 70,000,002 bytes, which is too much")
def long_metadata(folder):
    path = folder / "cells.zarr.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zarr.json", "{" + " " * 70_000_000 + "}")
    return path


def mtx_of(folder: Path, sizes: str, barcodes: bytes) -> Path:
    path = formats.tenx_folder_2(folder, formats.cells())
    lines = (path / "matrix.mtx").read_text().splitlines()
    (path / "matrix.mtx").write_text("\n".join([*lines[:2], sizes, *lines[3:]]) + "\n")
    (path / "barcodes.tsv").unlink()
    (path / "barcodes.tsv.gz").write_bytes(gzip.compress(barcodes))
    return path


@bad("mtx of more cells than bytes", "declares 1,000,000 rows or columns, more than it has bytes")
def many_in_mtx(folder):
    return mtx_of(folder, f"{N_GENES} 1000000 1", b"A\n" * 1_000_000)


@bad("mtx of more entries than bytes", "promises 999,999,999,999 entries, more than it can hold")
def many_entries_in_mtx(folder):
    return mtx_of(folder, f"{N_GENES} {N_CELLS} 999999999999", b"A\n" * N_CELLS)


def gzipped(folder: Path, heading: str, line: str, n_lines: int) -> Path:
    path = folder / "cells.csv.gz"
    with gzip.open(path, "wt", compresslevel=9) as file:
        file.write(heading + "\n")
        for _ in range(n_lines // 1000):
            file.write((line + "\n") * 1000)
    return path


GENES = ",".join(formats.cells().symbols)


@bad("table of more lines than bytes", r"declares [\d,]+ lines, more than it has bytes")
def many_lines(folder):
    return gzipped(folder, f"cell,{GENES}", "a" + ",0" * N_GENES, 20_000)


@bad("table of more columns than bytes", r"declares 3,000,060 columns, more than it has bytes")
def many_columns(folder):
    return gzipped(folder, f"cell,{GENES}" + ",x" * 3_000_000, "a,0", 1000)


@bad("table with an endless field", r"a line that begins with '\"aaa.*' can't be split into fields")
def endless_field(folder):
    path = formats.csv_of_cells(folder, formats.cells())
    heading, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([heading, '"' + "a" * 200_000 + '"' + first[first.index(",") :], *rest]) + "\n")
    return path
