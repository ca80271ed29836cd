"""What a file declares and what its bytes can hold: honest files of any size are let through."""

import h5py
import numpy as np
import pytest
from scipy import sparse
from tests.io import written as formats

from spoticell.errors import FileFormatError
from spoticell.io import open_cells
from spoticell.io.storage.room import check_cells, check_chunks, check_list, check_matrices, check_table, holds


def room_of(n_bytes: int):
    return lambda asked: asked <= n_bytes


ATLAS = room_of(400 * 10**9)
"""An atlas of 100 million cells."""


def test_an_atlas_of_100_million_cells_is_let_through():
    cells, entries = 100_000_000, 150_000_000_000
    check_cells("atlas.h5ad", cells, ATLAS)
    check_table("atlas.h5ad", "obs", cells, 40, ATLAS)
    check_list("atlas.h5ad", "obs/_index", cells * 64, ATLAS)
    check_matrices("atlas.h5ad", 3 * entries * 12, ATLAS)
    check_chunks("atlas.zarr", "X/data", entries // 10_000, ATLAS)


def test_all_droplets_of_a_run_packed_as_well_as_10x_does_are_let_through():
    check_cells("raw.h5", 6_794_880, room_of(10_000_000))
    check_list("raw.h5", "matrix/barcodes", 6_794_880 * 18, room_of(10_000_000))


def test_bytes_of_a_folder_are_summed_up_no_further_than_asked(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(bytes(100))
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert holds([tmp_path])(200)
    assert not holds([tmp_path])(201)
    assert holds([tmp_path / "a", tmp_path])(300)


def test_a_sparse_file_packed_a_hundred_to_one_is_read(tmp_path):
    """Every cell has the same genes, so that 2,000 cells of 500 genes take 20 kB or so."""
    n_cells, n_genes = 2000, 500
    some = formats.cells(3, n_genes)
    path = tmp_path / "cells.h5ad"
    names = [f"c{n}" for n in range(n_cells)]
    alike = formats.Cells(np.ones((n_cells, n_genes), "f4"), names, some.symbols, some.ids, ["T cell"] * n_cells)
    alike.anndata(sparse.csr_matrix(alike.counts_nv)).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        for part in ("data", "indices"):
            values = file[f"X/{part}"][:]
            del file[f"X/{part}"]
            file["X"].create_dataset(part, data=values, chunks=(1 << 18,), compression=9)
        stored = sum(file[f"X/{part}"].id.get_storage_size() for part in ("data", "indices"))
        assert n_cells * n_genes * 8 > 100 * stored
    with open_cells(path) as source:
        assert sum(block.values_nv.sum() for block in source.blocks("X")) == n_cells * n_genes


@pytest.mark.parametrize("layout", [formats.loom, formats.h5ad_dense])
def test_a_layer_that_was_never_written_is_passed_over(tmp_path, layout):
    path = layout(tmp_path, formats.cells())
    with h5py.File(path, "r+") as file:
        matrix = file["matrix" if "matrix" in file else "X"]
        file.require_group("layers").create_dataset("counts", shape=matrix.shape, dtype="f4", chunks=True)
    with open_cells(path) as source:
        assert "layers/counts" not in source.matrices


def test_a_mtx_folder_of_declared_cells_is_refused_before_its_names_are_read(tmp_path, monkeypatch):
    path = formats.tenx_folder_2(tmp_path, formats.cells())
    monkeypatch.setattr("spoticell.io.formats.mtx.read_side_file", pytest.fail)
    matrix = path / "matrix.mtx"
    matrix.write_text("%%MatrixMarket matrix coordinate integer general\n60 10000000 1\n1 1 1\n")
    with pytest.raises(FileFormatError, match="10,000,000 rows or columns, more than it has bytes"):
        open_cells(path)
