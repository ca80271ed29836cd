"""Bad files, made by script: each name says what is wrong, each regex what must be said about it.

`BAD_FILES[name].build(folder)` makes the file in an empty folder and gives its path.
Each of them is good but for its one fault, and would be annotated without it.
"""

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from tests.io import written as formats


@dataclass(frozen=True)
class BadFile:
    """A maker of a bad file and what must be said about it."""

    build: Callable[[Path], Path]
    message: str


BAD_FILES: dict[str, BadFile] = {}
"""Bad files by name."""

N_CELLS, N_GENES = formats.N_CELLS, formats.N_GENES


def bad(name: str, message: str) -> Callable[[Callable[[Path], Path]], Callable[[Path], Path]]:
    def add(build: Callable[[Path], Path]) -> Callable[[Path], Path]:
        BAD_FILES[name] = BadFile(build, message)
        return build

    return add


def bytes_file(name: str, file_name: str, content: bytes, message: str) -> None:
    """A bad file that is no more than its bytes."""

    def build(folder: Path) -> Path:
        path = folder / file_name
        path.write_bytes(content)
        return path

    BAD_FILES[name] = BadFile(build, message)


def changed(name: str, message: str, *, start: Callable[[Path, formats.Cells], Path] = formats.h5ad):
    """An HDF5 file made well and then changed."""

    def add(change: Callable[[h5py.File], None]) -> Callable[[h5py.File], None]:
        def build(folder: Path) -> Path:
            path = start(folder, formats.cells())
            with h5py.File(path, "r+") as file:
                change(file)
            return path

        BAD_FILES[name] = BadFile(build, message)
        return change

    return add


def replace(file: h5py.File, path: str, values: object) -> None:
    """Put other values in the place of an array, keeping its attributes."""
    attributes = dict(file[path].attrs)
    del file[path]
    file[path] = values
    file[path].attrs.update(attributes)


# What a file is


@bad("missing file", "there is no such file or folder")
def missing(folder):
    return folder / "nowhere.h5ad"


bytes_file("empty file", "cells.h5ad", b"", "is empty, not an HDF5 file")
bytes_file("text named h5ad", "cells.h5ad", b"cell,CD3E\na,1\n", r"not an HDF5 file.*first bytes are 'cell,CD3E")
bytes_file(
    "picture named h5ad", "cells.h5ad", b"\x89PNG\r\n\x1a\n" + bytes(99), r"PNG picture, not an HDF5 file.*89 50"
)
bytes_file("R object", "cells.rds", gzip.compress(b"X\n\x00\x00\x00\x03" + bytes(99), mtime=0), "RDS.*In R, save")
bytes_file("R workspace", "cells.RData", gzip.compress(b"RDX3\nX\n" + bytes(99), mtime=0), "R workspace.*In R, save")
bytes_file("Python pickle", "cells.pkl", pickle.dumps({"counts": [1, 2]}), "pickle.*never opened")
bytes_file("old pickle", "cells.pickle", pickle.dumps({"counts": [1, 2]}, protocol=0), "may be a pickle.*never opened")
bytes_file("Parquet file", "cells.parquet", b"PAR1" + bytes(99), "a Parquet file")
bytes_file("old Excel workbook", "cells.xls", b"\xd0\xcf\x11\xe0" + bytes(99), "Save the sheet as .csv")
bytes_file("damaged xz file", "cells.csv.xz", b"\xfd7zXZ\x00" + bytes(99), "damaged xz file")
bytes_file("file packed with Zstandard", "cells.csv.zst", b"\x28\xb5\x2f\xfd" + bytes(99), "Zstandard. Unpack it first")
bytes_file(
    "file packed twice", "cells.csv.gz.xz", lzma.compress(gzip.compress(b"a,b", mtime=0)), "packed twice. Unpack it"
)
bytes_file("file of unknown kind", "cells.bin", b"\x00\x01\x02\x03" * 99, "isn't known: its first bytes are 00 01 02")
bytes_file("damaged gzip file", "cells.csv.gz", b"\x1f\x8b\x08\x00" + b"\xff" * 99, "damaged gzip file")
bytes_file("damaged zip file", "cells.zarr.zip", b"PK\x03\x04" + b"\xff" * 99, "damaged zip file")


@bad("NumPy array", "is a NumPy array.*no names")
def numpy_array(folder):
    np.save(folder / "cells.npy", np.eye(3))
    return folder / "cells.npy"


@bad("NumPy archive", "NumPy archive without names")
def numpy_archive(folder):
    np.savez(folder / "cells.npz", counts=np.eye(3))
    return folder / "cells.npz"


def zip_of(name: str, file_name: str, inside: str, message: str) -> None:
    def build(folder: Path) -> Path:
        with zipfile.ZipFile(folder / file_name, "w") as archive:
            archive.writestr(inside, b"\x80\x02}.")
        return folder / file_name

    BAD_FILES[name] = BadFile(build, message)


zip_of("PyTorch file", "model.pt", "archive/data.pkl", "PyTorch file.*never opened")
zip_of("Excel workbook", "cells.xlsx", "[Content_Types].xml", "Excel workbook. Save the sheet as .csv")
zip_of("archive without cells", "cells.zip", "picture.jpg", r"no file of cells \(picture.jpg\). Unpack it first")


def tar_of(folder: Path, *names: str) -> Path:
    with tarfile.open(folder / "cells.tar.gz", "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    return folder / "cells.tar.gz"


@bad("archive of several samples", r"2 files that may hold cells \(a_matrix.mtx, b_matrix.mtx\). Unpack it first")
def tar_of_samples(folder):
    return tar_of(folder, "a_matrix.mtx", "b_matrix.mtx")


@bad("archive of a zarr store", "holds a zarr store. Unpack it first")
def tar_of_zarr(folder):
    return tar_of(folder, "cells.zarr/zarr.json", "cells.zarr/X/c/0")


@bad("packed Matrix Market file", "packed Matrix Market file. Unpack it beside its files of names first")
def packed_mtx(folder):
    (folder / "matrix.mtx.bz2").write_bytes(bz2.compress(b"%%MatrixMarket matrix coordinate integer general\n"))
    return folder / "matrix.mtx.bz2"


def hdf5_of(name: str, file_name: str, paths: list[str], message: str) -> None:
    """An HDF5 file that holds groups of these names."""

    def build(folder: Path) -> Path:
        with h5py.File(folder / file_name, "w") as file:
            for path in paths:
                file.create_group(path)
        return folder / file_name

    BAD_FILES[name] = BadFile(build, message)


hdf5_of("h5Seurat file", "cells.h5seurat", ["assays/RNA", "cell.names", "meta.data"], "h5Seurat.*In R, save")
hdf5_of("MuData file", "cells.h5mu", ["mod/rna", "obs", "var"], r"MuData.*mdata\.mod\['rna'\]")
hdf5_of("10x molecules", "molecule_info.h5", ["barcode_idx", "umi"], "lists molecules.*filtered_feature_bc_matrix")
hdf5_of("other HDF5 file", "weights.h5", ["layer_1", "layer_2"], "no h5ad, 10x or loom file: it holds layer_1, layer_2")
hdf5_of("HDF5 file with nothing in it", "cells.h5ad", [], "it holds nothing")


@bad("TileDB-SOMA experiment", "TileDB-SOMA.*to_h5ad")
def soma(folder):
    (folder / "cells.soma" / "__group").mkdir(parents=True)
    return folder / "cells.soma"


# HDF5 as such


@bad("file cut short", r"cut short: \d+ of \d+ bytes")
def cut_short(folder):
    path = formats.h5ad(folder, formats.cells())
    path.write_bytes(path.read_bytes()[:-2000])
    return path


@bad("damaged HDF5 file", "damaged HDF5 file")
def damaged(folder):
    path = formats.h5ad(folder, formats.cells())
    content = path.read_bytes()
    path.write_bytes(content[:8] + b"\xff" * 40 + content[48:])
    return path


@changed("link to another file", r"'X' is a link to another file \(other.h5\)")
def external_link(file):
    del file["X"]
    file["X"] = h5py.ExternalLink("other.h5", "/X")


@changed("soft link to another file", r"'elsewhere' is a link to another file")
def soft_link_outside(file):
    del file["obs/_index"]
    file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/")
    file["obs/_index"] = h5py.SoftLink("/elsewhere/names")


@changed("links in a circle", "links at .* run in a circle")
def circle(file):
    del file["X"]
    file["X"] = h5py.SoftLink("/Y")
    file["Y"] = h5py.SoftLink("/X")


@changed("groups within groups", "no h5ad, 10x or loom file")
def deep_groups(file):
    for name in list(file):
        del file[name]
    group = file
    for _ in range(10_000):
        group = group.create_group("g")


@changed("numbers kept in another file", "'X/data' are kept in another file")
def external_storage(file):
    n = file["X/data"].shape[0]
    del file["X/data"]
    file["X"].create_dataset("data", shape=(n,), dtype="f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


@changed("array put together from other files", "'X/data' are kept in another file")
def virtual(file):
    n = file["X/data"].shape[0]
    layout = h5py.VirtualLayout((n,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", (n,))
    del file["X/data"]
    file["X"].create_virtual_dataset("data", layout)


@changed("unknown filter", r"filter Zstandard \(number 32015\).*pip install hdf5plugin")
def unknown_filter(file):
    values = file["X/data"][:]
    del file["X/data"]
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((64,))
    settings.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
    space, kind = h5py.h5s.create_simple(values.shape), h5py.h5t.NATIVE_FLOAT
    array = h5py.h5d.create(file["X"].id, b"data", kind, space, settings)
    array.write(h5py.h5s.ALL, h5py.h5s.ALL, values)


@changed("chunk too large to unpack", "one chunk of 'X/data' unpacks to more than 1 GiB")
def huge_chunk(file):
    del file["X/data"]
    file["X"].create_dataset("data", shape=(1 << 29,), chunks=(1 << 29,), dtype="f4")


@changed("too many cells", r"'obs' declares 600,000,000 rows")
def too_many_cells(file):
    del file["obs/_index"]
    file["obs"].create_dataset("_index", shape=(600_000_000,), chunks=(1 << 16,), dtype="S9")


# AnnData


@changed("no cells named", "'obs', so this is not an AnnData file|no h5ad")
def no_obs(file):
    del file["obs"]


@changed("no genes", "has no genes")
def no_genes(file):
    replace(file, "var/_index", np.empty(0, dtype="S1"))
    replace(file, "var/gene_ids", np.empty(0, dtype="S1"))
    replace(file, "X/indptr", np.zeros(N_CELLS + 1, dtype="i4"))
    file["X"].attrs["shape"] = (N_CELLS, 0)


@changed("no matrix", "holds no matrix")
def no_matrix(file):
    del file["X"]


@changed("shape that doesn't fit the tables", r"'X' is 80000000 x 60, but the tables name 11 cells and 60 genes")
def false_shape(file):
    file["X"].attrs["shape"] = (80_000_000, N_GENES)


@changed("dense matrix that doesn't fit the tables", "'X' is 4000 x 500, but the tables name 11 cells")
def false_dense_shape(file):
    del file["X"]
    file.create_dataset("X", shape=(4000, 500), dtype="f4", chunks=(100, 100), compression="gzip")
    file["X"][0, 0] = 1


@changed("words where numbers belong", "object where numbers belong in 'X'")
def words(file):
    del file["X"]
    file["X"] = np.full((N_CELLS, N_GENES), "one", dtype=object)


@changed("index out of range", r"index 2000000000 where only 0 to 59 exist in 'X'")
def high_index(file):
    file["X/indices"][5] = 2_000_000_000


@changed("negative index", "index -1 where only 0 to 59 exist in 'X'")
def negative_index(file):
    file["X/indices"][5] = -1


@changed("pointers past the end", "row pointers out of order|pointers to 10000000")
def long_pointer(file):
    file["X/indptr"][-1] = 10_000_000


@changed("pointers out of order", "row pointers out of order between cells 0 and 11 in 'X'")
def disordered(file):
    file["X/indptr"][3] = file["X/indptr"][5]


@changed("values beyond the last pointer", r"\d+ values but pointers to \d+ in 'X'")
def values_left(file):
    for part in ("data", "indices"):
        replace(file, f"X/{part}", np.append(file[f"X/{part}"][:], 1))


@changed("fewer indices than values", r"'X' has \d+ values but \d+ indices")
def few_indices(file):
    replace(file, "X/indices", file["X/indices"][:-3])


@changed("wrong number of pointers", "'X' has 10 pointers, 12 are needed")
def few_pointers(file):
    replace(file, "X/indptr", file["X/indptr"][:-2])


@changed("index out of range by gene", "index 11 where only 0 to 10 exist in 'X'", start=formats.h5ad_csc)
def high_row(file):
    file["X/indices"][5] = N_CELLS


@changed("pointers out of order by gene", r"column pointers that don't fit \d+ values", start=formats.h5ad_csc)
def disordered_columns(file):
    file["X/indptr"][3] = file["X/indptr"][9]


@changed("code without a category", "'var/kind' can't be read.*a code without a category")
def false_code(file):
    file["var/kind/codes"] = np.full(N_GENES, 7, dtype="i1")
    file["var/kind/categories"] = np.array([b"gene"])
    file["var/kind"].attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
    file["var"].attrs["column-order"] = np.array(["gene_ids", "kind"], dtype=object)


@changed("column of another length", "column 'gene_ids' of 'var' has 3 values for 60 rows")
def short_column(file):
    replace(file, "var/gene_ids", np.array([b"a", b"b", b"c"]))


def square(folder: Path, some: formats.Cells) -> Path:
    return formats.h5ad(folder, formats.cells(N_GENES, N_GENES))


@changed("square matrix of unknown order", "doesn't say whether it is stored by cell or by gene", start=square)
def unmarked_square(file):
    del file["X"].attrs["encoding-type"]


# zarr


@bad("zarr with a lost chunk", "a part of 'X' is missing")
def lost_chunk(folder):
    path = formats.zarr_3(folder, formats.cells())
    next(file for file in sorted((path / "X" / "data" / "c").rglob("*")) if file.is_file()).unlink()
    return path


@bad("zarr with lost names", "a part of 'var/_index(/values)?' is missing")
def lost_names(folder):
    path = formats.zarr_2(folder, formats.cells())
    # names that may be missing are two arrays
    (chunk,) = (part for part in (path / "var" / "_index").rglob("0") if part.parent.name != "mask")
    chunk.unlink()
    return path


@bad("zarr with a pickle codec", "'pickle'")
def pickle_codec(folder):
    path = formats.zarr_2(folder, formats.cells())
    settings = json.loads((path / "X/data/.zarray").read_text()) | {"filters": [{"id": "pickle"}]}
    (path / "X/data/.zarray").write_text(json.dumps(settings))
    (path / ".zmetadata").unlink()
    return path


# 10x


def antibodies(folder: Path) -> Path:
    return formats.tenx_3(folder, formats.cells(), kinds=["Antibody Capture"] * N_GENES)


BAD_FILES["10x without genes"] = BadFile(antibodies, "no gene counts: its features are 60 Antibody Capture")


@bad("10x of two foreign genomes", r"2 genomes \(mm10, rn6\), of which none is human")
def foreign(folder):
    return formats.tenx_3(folder, formats.cells(), genomes=["mm10", "rn6"] * (N_GENES // 2))


@bad("10x of two human genomes", r"2 genomes \(GRCh38, hg19\), of which 2 are human")
def two_human(folder):
    return formats.tenx_2(folder, formats.cells(), genomes=("GRCh38", "hg19"))


@changed("10x with features missing", "lists of features differ in length", start=formats.tenx_3)
def few_features(file):
    replace(file, "matrix/features/name", file["matrix/features/name"][:-1])


@changed("10x of another shape", "has 70 rows but 60 features are named", start=formats.tenx_3)
def false_tenx_shape(file):
    file["matrix/shape"][0] = 70


@changed("10x with barcodes missing", "'matrix' is 11 cells x 60 genes, but 10 cells", start=formats.tenx_3)
def few_barcodes(file):
    replace(file, "matrix/barcodes", file["matrix/barcodes"][:-1])


# loom


@changed("loom without names of genes", "no names of genes among its row attributes", start=formats.loom)
def nameless_loom(file):
    del file["row_attrs/Gene"], file["row_attrs/Accession"]


# Matrix Market


def mtx(name: str, message: str, change: Callable[[list[str]], list[str]]) -> None:
    """A Matrix Market file whose lines were changed; line 3 gives the sizes."""

    def build(folder: Path) -> Path:
        path = formats.tenx_folder_2(folder, formats.cells())
        matrix = path / "matrix.mtx"
        matrix.write_text("\n".join(change(matrix.read_text().splitlines())) + "\n")
        return path

    BAD_FILES[name] = BadFile(build, message)


mtx("mtx with another first line", "no Matrix Market file|neither its rows", lambda lines: ["rows columns", *lines[1:]])
mtx("mtx of a dense matrix", "'array integer general'; needed is 'coordinate'", lambda lines: [
    lines[0].replace("coordinate", "array"), *lines[1:]])  # fmt: skip
mtx("mtx without sizes", r"line 3 must give the numbers of rows, columns and entries", lambda lines: [
    *lines[:2], "60 11", *lines[3:]])  # fmt: skip
mtx("mtx of an absurd size", r"line 3 declares 9,000,000,000 x 11", lambda lines: [
    *lines[:2], "9000000000 11 5", *lines[3:]])  # fmt: skip
mtx("mtx counted from 0", r"line 5, '0 1 1', lies outside.*counted from 1", lambda lines: [
    *lines[:4], "0 1 1", *lines[5:]])  # fmt: skip
mtx("mtx with a word", r"line 6, '4 2 many', must be 3 numbers", lambda lines: [
    *lines[:5], "4 2 many", *lines[6:]])  # fmt: skip
mtx("mtx with a line too short", r"line 6, '4 2', must be 3 numbers", lambda lines: [
    *lines[:5], "4 2", *lines[6:]])  # fmt: skip
mtx("mtx cut short", r"header promises \d+ entries, \d+ are there", lambda lines: lines[:-4])
mtx("mtx with entries too many", r"header promises \d+ entries, \d+ are there", lambda lines: [*lines, "1 1 1"])


def folder_without(name: str, file_name: str, message: str) -> None:
    def build(folder: Path) -> Path:
        path = formats.tenx_folder(folder, formats.cells())
        (path / file_name).unlink()
        return path

    BAD_FILES[name] = BadFile(build, message)


folder_without("10x folder without barcodes", "barcodes.tsv.gz", r"names of its cells beside it \(barcodes.tsv")
folder_without(
    "10x folder without features", "features.tsv.gz", r"names of its genes beside it \(features.tsv or genes"
)
folder_without("folder without a matrix", "matrix.mtx.gz", "folder without a matrix")


@bad("folder above a matrix", r"folder without a matrix.*give .*hg19 instead")
def folder_above(folder):
    (folder / "run").mkdir()
    formats.tenx_folder_2(folder / "run", formats.cells())
    return folder / "run"


@bad("folder of several matrices", r"holds 2 matrices \(a.mtx, b.mtx\): give one of them")
def several(folder):
    (folder / "run").mkdir()
    (folder / "run" / "a.mtx").touch()
    (folder / "run" / "b.mtx").touch()
    return folder / "run"


@bad("wrong number of barcodes", r"60 x 11, which doesn't fit the numbers of names in")
def wrong_barcodes(folder):
    path = formats.tenx_folder_2(folder, formats.cells())
    (path / "barcodes.tsv").write_text("one\ntwo\n")
    return path


# Tables


def table(name: str, message: str, change: Callable[[list[str]], list[str]]) -> None:
    """A table with cells on its rows whose lines were changed."""

    def build(folder: Path) -> Path:
        path = formats.csv_of_cells(folder, formats.cells())
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
        return path

    BAD_FILES[name] = BadFile(build, message)


def field(line: str, place: int, value: str) -> str:
    fields = line.split(",")
    fields[place] = value
    return ",".join(fields)


table("table without a heading", "has no heading: its first line must name the columns", lambda lines: [
    "a,1," + ",".join("2" * N_GENES), *lines[1:]])  # fmt: skip
table("table of one line", "at least one line of numbers", lambda lines: lines[:1])
table("table of one column", "lines aren't split alike by", lambda lines: [line.split(",")[0] + "x" for line in lines])
table("table with a line too short", "line 5 has 59 fields, 62 were expected", lambda lines: [
    *lines[:4], lines[4].rsplit(",", 3)[0], *lines[5:]])  # fmt: skip
table("table with a line too long", "line 5 has 63 fields, 62 were expected", lambda lines: [
    *lines[:4], lines[4] + ",1", *lines[5:]])  # fmt: skip
table("table with a blank field", r"line 7, column '.+' is empty where a number is needed", lambda lines: [
    *lines[:6], field(lines[6], 9, ""), *lines[7:]])  # fmt: skip
table("table with a word", r"line 7, column '.+' holds 'NA' where a number is needed", lambda lines: [
    *lines[:6], field(lines[6], 9, "NA"), *lines[7:]])  # fmt: skip
table("table without genes", r"neither its rows \(AAAC0000-1, .*nor its columns \(thing-2, .*", lambda lines: [
    ",".join(f"thing-{place}" for place in range(N_GENES + 2)), *lines[1:]])  # fmt: skip


def genes_in_first_field(lines: list[str]) -> list[str]:
    genes = lines[0].split(",")[2:]
    return [lines[0], *(field(line, 0, gene) for line, gene in zip(lines[1:], genes, strict=False))]


table("table with genes on both sides", "neither its rows .* nor its columns .* can be told", genes_in_first_field)


@bad("table that is not UTF-8", "is not UTF-8 text")
def latin(folder):
    path = formats.csv_of_cells(folder, formats.cells())
    path.write_bytes(path.read_bytes().replace(b"AAAC0003", "Zellé".encode("latin-1")))
    return path


@bad("gzipped table cut short", "cut short: its gzip data end too early")
def cut_table(folder):
    path = formats.tsv_of_r(folder, formats.cells())
    path.write_bytes(path.read_bytes()[:-30])
    return path


ROWS = {
    1: ["missing file", "folder without a matrix"],
    2: ["empty file", "text named h5ad", "picture named h5ad"],
    3: ["file cut short"],
    5: [
        "index out of range",
        "negative index",
        "pointers past the end",
        "pointers out of order",
        "wrong number of pointers",
        "values beyond the last pointer",
        "fewer indices than values",
    ],
    6: ["link to another file", "numbers kept in another file"],
    7: ["links in a circle", "groups within groups"],
    8: ["shape that doesn't fit the tables", "chunk too large to unpack", "too many cells"],
    9: ["unknown filter"],
    11: ["zarr with a lost chunk", "zarr with lost names"],
    12: ["10x without genes"],
    13: ["10x folder without barcodes", "wrong number of barcodes"],
    14: ["mtx counted from 0", "mtx cut short"],
    16: ["table with a line too short"],
    28: ["no genes"],
}
"""Names by their row in the list of bad inputs in docs/inputs.md."""
