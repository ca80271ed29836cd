"""Antibodies, guides and hashtags are left out of every format that says what they are."""

import warnings

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tests.io import written as formats

from spoticell.errors import GeneMatchError
from spoticell.io import open_cells
from spoticell.io.findings import inspect
from spoticell.io.in_memory import AnnDataCells

KINDS = ["Gene Expression"] * 50 + ["Antibody Capture"] * 8 + ["CRISPR Guide Capture"] * 2
LEFT_OUT = "10 features that are no genes were left out (8 Antibody Capture, 2 CRISPR Guide Capture)."


def with_kinds(some, column="feature_types", kinds=KINDS):
    adata = some.anndata()
    adata.var[column] = kinds
    return adata


def h5ad(folder, some):
    with_kinds(some).write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def h5ad_of_categories(folder, some):
    adata = with_kinds(some, "type", pd.Categorical(["gex"] * 50 + ["adt"] * 8 + ["sgRNA"] * 2))
    adata.write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def zarr(folder, some):
    with warnings.catch_warnings(action="ignore"):
        with_kinds(some).write_zarr(folder / "cells.zarr")
    return folder / "cells.zarr"


def loom(folder, some):
    path = formats.loom(folder, some)
    with h5py.File(path, "r+") as file:
        file["row_attrs/feature_types"] = np.array(KINDS, dtype="S")
    return path


def tenx_of_others(folder, some):
    path = formats.tenx_3(folder, some, kinds=[kind.lower() for kind in KINDS])
    with h5py.File(path, "r+") as file:
        file.move("matrix/features/feature_type", "matrix/features/feature_types")
    return path


def folder_in_short(folder, some):
    short = {"Gene Expression": "gex", "Antibody Capture": "adt", "CRISPR Guide Capture": "guide"}
    return formats.tenx_folder(folder, some, kinds=[short[kind] for kind in KINDS])


def folder_with_places(folder, some):
    return formats.tenx_folder(folder, some, kinds=[f"chr1\t{kind}" for kind in KINDS])


def table_with_a_column(folder, some):
    table = pd.DataFrame(some.counts_nv.T.astype(int), index=some.symbols, columns=some.names)
    table.insert(0, "feature_type", KINDS)
    table.to_csv(folder / "cells.tsv", sep="\t")
    return folder / "cells.tsv"


def table_with_a_row(folder, some):
    table = pd.DataFrame(some.counts_nv.astype(int), index=some.names, columns=some.symbols).astype(object)
    pd.concat([pd.DataFrame([KINDS], index=["feature_type"], columns=some.symbols), table]).to_csv(folder / "cells.csv")
    return folder / "cells.csv"


WRITERS = [
    h5ad,
    h5ad_of_categories,
    zarr,
    loom,
    tenx_of_others,
    folder_in_short,
    folder_with_places,
    table_with_a_column,
    table_with_a_row,
]


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_features_that_are_no_genes_are_left_out_of_every_format(tmp_path, some, write):
    with open_cells(write(tmp_path, some)) as source:
        (matrix,) = source.matrices
        assert source.gene_columns(matrix)["index"].tolist() == some.symbols[:50]
        blocks = [block.values_nv for block in source.blocks(matrix)]
        np.testing.assert_array_equal(sparse.vstack(blocks).toarray(), some.counts_nv[:, :50])
        assert any(note.endswith(LEFT_OUT) for note in source.notes(matrix))
        assert source.cell_names.tolist() == some.names


def test_an_object_in_memory_keeps_its_antibodies_to_itself(some):
    source = AnnDataCells(with_kinds(some))
    assert source.gene_columns("X")["gene_ids"].tolist() == some.ids[:50]
    (block,) = source.blocks("X")
    np.testing.assert_array_equal(block.values_nv.toarray(), some.counts_nv[:, :50])
    assert source.notes("X") == (f"AnnData: {LEFT_OUT}",)


def test_raw_has_kinds_of_its_own(some):
    adata = with_kinds(some)
    adata.raw = adata
    adata = adata[:, :40].copy()
    source = AnnDataCells(adata)
    assert source.notes("X") == ()
    assert source.notes("raw/X") == (f"AnnData: {LEFT_OUT}",)
    assert len(source.gene_columns("X")["index"]) == 40
    assert len(source.gene_columns("raw/X")["index"]) == 50


def test_a_matrix_of_antibodies_gives_way_to_one_of_genes(tiny_cells, tiny_bundle):
    antibodies = tiny_cells[:, :9].copy()
    antibodies.raw = tiny_cells
    antibodies.var["feature_types"] = "Antibody Capture"
    assert inspect(AnnDataCells(antibodies), tiny_bundle.vocabulary).matrix == "raw/X"


def test_antibodies_alone_are_refused(some):
    source = AnnDataCells(with_kinds(some, "modality", ["adt"] * 60))
    with pytest.raises(GeneMatchError, match="no gene counts: its features are 60 Antibody Capture"):
        source.gene_columns("X")


def test_a_row_of_words_about_cells_becomes_a_column_about_them(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text("gene,a,b,c\ncell type,T cell,B cell,\nCD3E,1,0,2\nMS4A1,0,3,0\nCD8A,1,0,0\n")
    with open_cells(path) as source:
        assert source.obs()["cell type"].tolist() == ["T cell", "B cell", ""]
        (block,) = source.blocks("table")
        assert block.values_nv.toarray().tolist() == [[1, 0, 1], [0, 3, 0], [2, 0, 0]]


def test_the_biotype_of_a_gene_is_no_kind_of_feature(some):
    adata = with_kinds(some, "type", ["protein_coding"] * 40 + ["lncRNA"] * 20)
    source = AnnDataCells(adata)
    assert source.notes("X") == ()
    assert len(source.gene_columns("X")["index"]) == 60
