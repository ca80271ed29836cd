import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.io import written as formats

from spoticell.errors import FileFormatError
from spoticell.io import open_cells


def stacked(source, matrix):
    return sparse.vstack([block.values_nv for block in source.blocks(matrix)], format="csr").toarray()


def test_layers_of_counts_come_first_then_raw_then_x(tmp_path, some):
    adata = some.anndata()
    adata.raw = adata.copy()
    adata.layers["scaled"] = some.counts_nv - 1
    adata.layers["Counts"] = sparse.csr_matrix(some.counts_nv)
    adata.layers["spliced"] = adata.layers["unspliced"] = adata.layers["Counts"]
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_cells(tmp_path / "cells.h5ad") as source:
        assert source.matrices == ("layers/Counts", "raw/X", "X", "layers/scaled", "layers/spliced")
        np.testing.assert_array_equal(stacked(source, "layers/scaled"), some.counts_nv - 1)


@pytest.mark.rows(32)
def test_raw_has_its_own_genes(tmp_path, some):
    adata = some.anndata()
    adata.raw = adata.copy()
    adata = adata[:, 5:20].copy()
    adata.X = np.log1p(adata.X.toarray())
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_cells(tmp_path / "cells.h5ad") as source:
        assert source.gene_columns("raw/X")["index"].tolist() == some.symbols
        assert source.gene_columns("X")["index"].tolist() == some.symbols[5:20]
        np.testing.assert_array_equal(stacked(source, "raw/X"), some.counts_nv)
        assert stacked(source, "X").shape == (len(some.names), 15)


@pytest.mark.parametrize("empty", [False, True], ids=["no X", "an X without shape"])
@pytest.mark.rows(32)
def test_counts_may_be_in_a_layer_alone(tmp_path, some, empty):
    adata = anndata.AnnData(
        obs=pd.DataFrame(index=some.names), var=pd.DataFrame(index=some.symbols), layers={"counts": some.counts_nv}
    )
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad", "a") as file:
        file.pop("X", None)
        if empty:
            file["X"] = h5py.Empty("f4")
    with open_cells(tmp_path / "cells.h5ad") as source:
        assert source.matrices == ("layers/counts",)
        np.testing.assert_array_equal(stacked(source, "layers/counts"), some.counts_nv)


@pytest.mark.rows(28)
def test_a_file_without_cells_gives_no_blocks(tmp_path, some):
    for matrix in (sparse.csr_matrix((0, 60)), sparse.csc_matrix((0, 60)), np.empty((0, 60))):
        var = pd.DataFrame(index=some.symbols)
        anndata.AnnData(matrix, var=var).write_h5ad(tmp_path / "cells.h5ad")
        with open_cells(tmp_path / "cells.h5ad") as source:
            assert (source.n_cells, len(source.cell_names)) == (0, 0)
            assert list(source.blocks("X")) == []
            assert source.obs().empty


def test_a_single_cell_and_a_single_gene_are_read(tmp_path):
    anndata.AnnData(np.array([[3.0]])).write_h5ad(tmp_path / "cells.h5ad")
    with open_cells(tmp_path / "cells.h5ad") as source:
        assert stacked(source, "X").tolist() == [[3]]


@pytest.mark.rows(42, 43)
def test_names_of_any_kind_are_kept_in_order(tmp_path, some):
    odd = ["twice", "twice", "", "=1+1", "é", "名前", "x" * 10_000, "a\nb", "<b>", "1", "2"]
    adata = some.anndata()
    adata.obs_names = pd.Index(odd)
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_cells(tmp_path / "cells.h5ad") as source:
        assert source.cell_names.tolist() == odd


def test_numbers_as_names_become_text(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        del file["obs/_index"]
        file["obs/_index"] = np.arange(len(some.names))
    with open_cells(path) as source:
        assert source.cell_names.tolist() == [str(cell) for cell in range(len(some.names))]


def test_every_kind_of_column_about_cells_is_read(tmp_path, some):
    n = len(some.names)
    obs = pd.DataFrame(
        {
            "number": np.arange(n) / 2,
            "whole": np.arange(n),
            "yes": np.arange(n) % 2 == 0,
            "words": [f"w{cell}" for cell in range(n)],
            "kind": pd.Categorical(["a", None] * (n // 2) + ["b"], categories=["b", "a", "never"], ordered=True),
            "years": pd.Categorical([2020, 2021] * (n // 2) + [2020]),
            "maybe": pd.array([True, None] * (n // 2) + [False], dtype="boolean"),
            "some": pd.array([1, None] * (n // 2) + [2], dtype="Int64"),
        },
        index=some.names,
    )
    anndata.AnnData(some.counts_nv, obs=obs, var=pd.DataFrame(index=some.symbols)).write_h5ad(tmp_path / "cells.h5ad")
    with open_cells(tmp_path / "cells.h5ad") as source:
        pd.testing.assert_frame_equal(source.obs(), obs, check_index_type=False)


def test_only_text_can_name_genes(tmp_path, some):
    adata = some.anndata()
    adata.var["length"] = np.arange(len(some.symbols))
    adata.var["years"] = pd.Categorical(np.arange(len(some.symbols)) % 2)
    adata.var["kind"] = pd.Categorical(["protein_coding"] * len(some.symbols))
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with open_cells(tmp_path / "cells.h5ad") as source:
        assert sorted(source.gene_columns("X")) == ["gene_ids", "index", "kind"]


def test_columns_and_layers_of_kinds_that_are_not_known_are_passed_over(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["obs"].create_dataset("lists", shape=(len(some.names),), dtype=h5py.vlen_dtype(np.int32))
        file["obs/lists"][0] = [1, 2]
        file["obs/nothing"] = h5py.Empty("f4")
        file["obs/table/codes"] = np.zeros((2, 2))
        file["obs"].attrs["column-order"] = np.array(["lists", "nothing", "table", "label"], dtype=object)
        file["layers/nothing"] = h5py.Empty("f4")
    with open_cells(path) as source:
        assert source.matrices == ("X",)
        assert list(source.obs()) == ["label"]
        assert source.obs()["label"].tolist() == some.labels


@pytest.mark.parametrize("part", ["codes", "categories"])
@pytest.mark.parametrize("values", [0, np.zeros((11, 2))])
def test_parts_of_a_column_that_are_no_lists_are_damage(tmp_path, some, part, values):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        del file[f"obs/label/{part}"]
        file[f"obs/label/{part}"] = values
    with (
        open_cells(path) as source,
        pytest.raises(FileFormatError, match=r"'obs/label' can't be read.*its parts are no lists"),
    ):
        source.obs()


@pytest.mark.parametrize(
    ("stated", "is_ordered"),
    [(True, True), (np.array([1]), True), (np.array([], dtype=int), False), ("yes", False), (h5py.Empty("f4"), False)],
)
def test_the_order_of_categories_is_taken_only_from_what_says_it(tmp_path, some, stated, is_ordered):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["obs/label"].attrs["ordered"] = stated
    with open_cells(path) as source:
        assert source.obs()["label"].cat.ordered == is_ordered


def test_an_order_that_is_a_list_of_lists_is_none(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        nested = np.empty(2, dtype=object)
        nested[:] = [np.arange(2), np.arange(3)]
        file["obs/label"].attrs.create("ordered", nested, dtype=h5py.vlen_dtype(np.int32))
    with open_cells(path) as source:
        assert not source.obs()["label"].cat.ordered


@pytest.mark.parametrize("part", ["data", "indices", "indptr"])
def test_parts_of_a_matrix_that_are_no_lists_are_refused(tmp_path, some, part):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        del file[f"X/{part}"]
        file[f"X/{part}"] = 3
    with open_cells(path) as source:
        assert (source.n_stored("X") is None) == (part == "data")
        with pytest.raises(FileFormatError, match="of 'X' must be lists of numbers"):
            next(source.blocks("X"))


def test_sides_of_a_matrix_may_be_written_as_fractions(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["X"].attrs["shape"] = np.array(some.counts_nv.shape, dtype=np.float64)
    with open_cells(path) as source:
        np.testing.assert_array_equal(stacked(source, "X"), some.counts_nv)


def test_soft_links_within_the_file_are_followed(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file.move("X", "kept/elsewhere")
        file["X"] = h5py.SoftLink("kept/./elsewhere")
    with open_cells(path) as source:
        np.testing.assert_array_equal(stacked(source, "X"), some.counts_nv)


def test_what_is_not_needed_is_never_touched(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["uns/secret"] = h5py.ExternalLink("/etc/passwd", "/")
        file["uns/loop"] = h5py.SoftLink("/uns")
        del file["obsm"]
        file["obsm"] = h5py.ExternalLink("nowhere.h5", "/obsm")
        group = file["varm"]
        for _ in range(200):
            group = group.create_group("deeper")
        group["back"] = file["varm"]
    with open_cells(path) as source:
        np.testing.assert_array_equal(stacked(source, "X"), some.counts_nv)


def test_a_dense_matrix_of_any_size_is_opened_at_once(tmp_path, some):
    path = formats.h5ad_dense(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file.create_dataset("layers/counts", shape=(800_000, 60), dtype="f4", chunks=(1000, 60), compression="gzip")
        file["layers/counts"][0, 0] = 1
    with open_cells(path) as source:
        assert source.matrices[0] == "layers/counts"
        with pytest.raises(FileFormatError, match="800000 x 60, but the tables name 11 cells"):
            next(source.blocks("layers/counts"))
        np.testing.assert_array_equal(stacked(source, "X"), some.counts_nv)


def test_an_unknown_matrix_is_a_mistake_of_the_caller(tmp_path, some):
    with open_cells(formats.h5ad(tmp_path, some)) as source, pytest.raises(KeyError):
        source.blocks("layers/none")


KINDS = ["u1", "i1", "u2", "i4", "i8", "u8", "f4", "f8", "?"]


@given(
    data=st.data(),
    shape=st.tuples(st.integers(0, 8), st.integers(1, 12)),
    kind=st.sampled_from(KINDS),
    layout=st.sampled_from(["csr", "csc", "dense", "Fortran"]),
    size=st.integers(1, 9),
)
@settings(max_examples=30, deadline=None)
def test_no_number_is_lost_whatever_the_type_and_layout(tmp_path_factory, data, *, shape, kind, layout, size):
    dtype = np.dtype(kind)
    most = 1 if dtype.kind == "b" else 120
    values_nv = np.array(
        data.draw(st.lists(st.integers(0, most), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1])), dtype
    ).reshape(shape)
    matrix = {"csr": sparse.csr_matrix, "csc": sparse.csc_matrix, "dense": np.array, "Fortran": np.asfortranarray}
    path = tmp_path_factory.mktemp("kinds") / "cells.h5ad"
    anndata.AnnData(matrix[layout](values_nv)).write_h5ad(path)
    with open_cells(path) as source:
        blocks = list(source.blocks("X", size=size))
        assert [len(block) for block in blocks[:-1]] == [size] * (len(blocks) - 1)
        got_nv = np.vstack([np.zeros((0, shape[1]), np.float32), *(block.values_nv.toarray() for block in blocks)])
    np.testing.assert_array_equal(got_nv, values_nv.astype(np.float32))
