"""What every format has in common."""

import numpy as np
import pytest
from scipy import sparse
from tests.io.written import FORMATS

from spoticell.io import open_cells


@pytest.fixture(params=FORMATS)
def path(request, tmp_path, some):
    return FORMATS[request.param](tmp_path, some)


def stacked(source, matrix, **options):
    return sparse.vstack([block.values_nv for block in source.blocks(matrix, **options)], format="csr")


@pytest.mark.rows(10, 11, 13, 31)
def test_every_format_gives_the_same_cells(path, some):
    with open_cells(path) as source:
        assert source.n_cells == len(some.names)
        assert source.cell_names.tolist() == some.names
        for size in (3, 2048):
            blocks = list(source.blocks(source.matrices[0], size=size))
            assert [block.start for block in blocks] == list(range(0, len(some.names), size))
            got_nv = sparse.vstack([block.values_nv for block in blocks], format="csr")
            np.testing.assert_array_equal(got_nv.toarray(), some.counts_nv)


def test_every_format_gives_canonical_float32(path):
    with open_cells(path) as source:
        for block in source.blocks(source.matrices[0], size=4):
            values_nv = block.values_nv
            assert isinstance(values_nv, sparse.csr_array)
            assert values_nv.dtype == np.float32
            assert values_nv.has_canonical_format
            assert np.count_nonzero(values_nv.data) == values_nv.nnz
            values_nv.check_format(full_check=True)


def test_every_format_names_its_genes(path, some):
    with open_cells(path) as source:
        columns = source.gene_columns(source.matrices[0])
        assert columns["index"].tolist() in (some.symbols, some.ids)
        assert all(len(column) == len(some.symbols) for column in columns.values())
        if "gene_ids" in columns:
            assert columns["gene_ids"].tolist() == some.ids


def test_every_format_gives_a_table_about_cells(path, some):
    with open_cells(path) as source:
        obs = source.obs()
        assert obs.index.tolist() == some.names
        if "label" in obs.columns:
            assert obs["label"].tolist() == some.labels


def test_formats_with_columns_about_cells_give_them(tmp_path, some):
    for name in ("h5ad of AnnData 0.5", "h5ad of AnnData 0.7", "zarr 3", "csv of cells", "loom"):
        folder = tmp_path / name
        folder.mkdir()
        with open_cells(FORMATS[name](folder, some)) as source:
            assert source.obs()["label"].tolist() == some.labels, name


def test_the_input_is_left_as_it_was(path):
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    before = [file.read_bytes() for file in files]
    with open_cells(path) as source:
        stacked(source, source.matrices[0])
    assert [file.read_bytes() for file in files] == before
