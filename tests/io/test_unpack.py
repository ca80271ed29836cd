"""Packed files and archives are read as what is inside, and leave nothing behind."""

import bz2
import gzip
import io
import lzma
import tarfile
import tempfile
import zipfile
from pathlib import Path

import anndata
import numpy as np
import pytest
from scipy import sparse
from tests.io import written as formats

import spoticell
from spoticell.errors import FileFormatError
from spoticell.io import open_cells
from spoticell.io.unpack import unpack

PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """Give the folder for temporary files, and look into it at the end."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def packed(path: Path, ending: str) -> Path:
    target = path.with_name(path.name + ending)
    target.write_bytes(PACK[ending](path.read_bytes()))
    return target


def zipped(path: Path, *, inside: str = "") -> Path:
    target = path.with_name("archive.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("__MACOSX/._cells", "README.txt", "md5sums.txt", ".DS_Store"):
            archive.writestr(name, b"x")
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            archive.write(file, f"{inside}{file.name}")
    return target


def tarred(path: Path, mode: str) -> Path:
    target = path.with_name("archive.tar")
    with tarfile.open(target, mode) as archive:
        archive.add(path, path.name)
    return target


def read(path: Path) -> tuple[list[str], list[str], np.ndarray]:
    with open_cells(path) as source:
        (matrix,) = source.matrices
        counts_nv = sparse.vstack([block.values_nv for block in source.blocks(matrix)]).toarray()
        return source.cell_names.tolist(), source.gene_columns(matrix)["index"].tolist(), counts_nv


WAYS = {
    **{f"{write.__name__}{ending}": (write, lambda path, ending=ending: packed(path, ending))
       for write in (formats.h5ad, formats.tenx_3, formats.loom, formats.csv_of_genes) for ending in PACK},
    "h5ad in a zip": (formats.h5ad, zipped),
    "csv in a folder of a zip": (formats.csv_of_cells, lambda path: zipped(path, inside="GSE1/")),
    "packed table in a zip": (formats.tsv_of_r, zipped),
    "10x folder in a zip": (formats.tenx_folder, lambda path: zipped(path, inside="run/outs/")),
    "10x folder in a tar": (formats.tenx_folder_2, lambda path: tarred(path, "w")),
    "10x folder in a tar.gz": (formats.tenx_folder, lambda path: tarred(path, "w:gz")),
    "10x folder in a tar.xz": (formats.tenx_folder, lambda path: tarred(path, "w:xz")),
    "h5ad in a tar": (formats.h5ad, lambda path: tarred(path, "w")),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_what_is_inside_is_read(tmp_path, some, way):
    write, pack = WAYS[way]
    names, genes, counts_nv = read(pack(write(tmp_path, some)))
    assert names == some.names
    assert genes == some.symbols
    np.testing.assert_array_equal(counts_nv, some.counts_nv)


def test_the_temporary_folder_goes_with_the_source(tmp_path, some, temporary):
    source = open_cells(packed(formats.h5ad(tmp_path, some), ".gz"))
    assert len(list(temporary.glob("*.tmp"))) == 1
    source.close()
    assert list(temporary.iterdir()) == []


def test_answers_go_into_a_whole_copy_of_the_h5ad_inside(tmp_path, tiny_cells, tiny_bundle):
    tiny_cells.uns["note"] = "kept"
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    output = tmp_path / "named.h5ad"
    spoticell.annotate(packed(tmp_path / "cells.h5ad", ".gz"), output, model=tiny_bundle, on_progress=False)
    named = anndata.read_h5ad(output)
    assert named.uns["note"] == "kept"
    assert "spoticell_cell_type" in named.obs


def test_a_file_that_unpacks_to_far_more_than_counts_do_is_refused(tmp_path):
    path = tmp_path / "cells.csv.xz"
    path.write_bytes(lzma.compress(b"cell,CD3E\n" + b"a,0\n" * 1_000_000))
    with pytest.raises(FileFormatError, match=r"over 500 times its size.* unpack it yourself"):
        open_cells(path)


def test_a_limit_of_ones_own_is_kept(tmp_path, some):
    (tmp_path / "out").mkdir()
    with pytest.raises(FileFormatError, match=r"unpacks to more than 0\.0 GB, the most that is taken here"):
        unpack(packed(formats.h5ad(tmp_path, some), ".gz"), tmp_path / "out", most_bytes=1000)


def test_an_archive_cut_short_is_damaged(tmp_path, some):
    path = tarred(formats.tenx_folder(tmp_path, some), "w:gz")
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(FileFormatError, match=r"archive.tar is a damaged gzip file"):
        open_cells(path)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("../matrix.mtx", tarfile.REGTYPE, "leads out of the archive"),
        ("/tmp/matrix.mtx", tarfile.REGTYPE, "leads out of the archive"),
        ("matrix.mtx", tarfile.SYMTYPE, "holds a link, matrix.mtx"),
        ("matrix.mtx", tarfile.LNKTYPE, "holds a link, matrix.mtx"),
        ("matrix.mtx", tarfile.FIFOTYPE, "holds a link, matrix.mtx"),
    ],
)
@pytest.mark.rows(52)
def test_members_that_lead_elsewhere_are_refused(tmp_path, name, kind, message):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        archive.addfile(member, io.BytesIO())
    with pytest.raises(FileFormatError, match=message):
        open_cells(tmp_path / "x.tar")


def test_a_zip_with_a_piece_lost_is_damaged(tmp_path, some):
    path = zipped(formats.csv_of_cells(tmp_path, some))
    content = path.read_bytes()
    path.write_bytes(content[:200] + content[300:])
    with pytest.raises(FileFormatError, match=r"archive.zip is a damaged zip file \(Bad offset"):
        open_cells(path)


def test_two_files_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in ("matrix.mtx", "barcodes.tsv", "Barcodes.tsv"):
            archive.writestr(name, b"x")
    with pytest.raises(FileFormatError, match="two files of one name"):
        open_cells(tmp_path / "x.zip")
