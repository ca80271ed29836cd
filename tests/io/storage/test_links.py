"""What leads out of an HDF5 file is seen without being followed, and can be left out."""

import os
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spoticell.errors import FileFormatError
from spoticell.io.storage.links import leading_out, leave_out, left_out, link_of

SECRET = "the neighbour's secret"


@pytest.fixture
def elsewhere(tmp_path):
    """Another file, which a stranger would like to read."""
    path = tmp_path / "elsewhere.h5"
    with h5py.File(path, "w") as file:
        file["words"] = np.array([SECRET] * 3, dtype=object)
        file["numbers"] = np.arange(3.0)
    (tmp_path / "secret.txt").write_bytes(bytes(24))
    return path


@pytest.fixture
def cells(tmp_path):
    adata = anndata.AnnData(
        sparse.csr_matrix(np.eye(3, dtype=np.float32)),
        obs=pd.DataFrame({"kind": pd.Categorical(["a", "b", "a"]), "n": [1, 2, 3]}, index=["x", "y", "z"]),
        uns={"kept": np.arange(3), "deep": {"er": "word"}},
    )
    path = tmp_path / "cells.h5ad"
    adata.write_h5ad(path)
    return path


def external(file, elsewhere):
    file["uns/deep/link"] = h5py.ExternalLink(str(elsewhere), "/words")
    return ["uns/deep/link"]


def external_to_nowhere(file, elsewhere):
    file["obsm/X_umap"] = h5py.ExternalLink("nowhere.h5", "/X")
    return ["obsm/X_umap"]


def column(file, elsewhere):
    file["obs/stolen"] = h5py.ExternalLink(str(elsewhere), "/words")
    file["obs"].attrs["column-order"] = np.array(["kind", "stolen", "n"], dtype=object)
    return ["obs/stolen"]


def part_of_a_column(file, elsewhere):
    del file["obs/kind/categories"]
    file["obs/kind/categories"] = h5py.ExternalLink(str(elsewhere), "/words")
    return ["obs/kind"]


def part_of_a_table(file, elsewhere):
    table = file.create_group("uns/table")
    table.attrs.update(
        {"encoding-type": "dataframe", "_index": "_index", "column-order": np.array(["a"], dtype=object)}
    )
    table["_index"] = h5py.ExternalLink(str(elsewhere), "/words")
    return ["uns/table"]


def deep_part(file, elsewhere):
    group = file.create_group("uns/odd")
    group.attrs["encoding-type"] = "something new"
    group["a/b/c"] = h5py.ExternalLink(str(elsewhere), "/words")
    group["a/back"] = group
    return ["uns/odd"]


def part_of_an_old_matrix(file, elsewhere):
    group = file.create_group("obsp/near")
    group.attrs["h5sparse_format"] = "csr"
    group["data"] = h5py.ExternalLink(str(elsewhere), "/numbers")
    return ["obsp/near"]


def soft_through_external(file, elsewhere):
    file["uns/door"] = h5py.ExternalLink(str(elsewhere), "/")
    file["uns/walk"] = h5py.SoftLink("door/words")
    return ["uns/door", "uns/walk"]


def soft_to_nowhere(file, elsewhere):
    file["uns/lost"] = h5py.SoftLink("/not/here")
    file["uns/through"] = h5py.SoftLink("kept/more")
    return ["uns/lost", "uns/through"]


def circle(file, elsewhere):
    file["uns/one"], file["uns/two"] = h5py.SoftLink("two"), h5py.SoftLink("one")
    return ["uns/one", "uns/two"]


def external_storage(file, elsewhere):
    secret = str(elsewhere.with_name("secret.txt"))
    file.create_dataset("obsm/X_far", (3, 1), np.float64, external=[(secret, 0, h5py.h5f.UNLIMITED)])
    return ["obsm/X_far"]


def virtual(file, elsewhere):
    layout = h5py.VirtualLayout((3,), "f8")
    layout[:] = h5py.VirtualSource(str(elsewhere), "numbers", (3,))
    file["uns"].create_virtual_dataset("put together", layout)
    return ["uns/put together"]


def references(file, elsewhere):
    file["uns/to"] = np.array([file["X"].ref], dtype=h5py.ref_dtype)
    file["uns"].create_dataset("pairs", (1,), dtype=[("n", "f4"), ("to", h5py.ref_dtype, (2,))])
    file["uns"].create_dataset("lists", (1,), dtype=h5py.vlen_dtype(h5py.ref_dtype))
    return ["uns/lists", "uns/pairs", "uns/to"]


def hidden_categories(file, elsewhere):
    secret = str(elsewhere.with_name("secret.txt"))
    hidden = file.create_dataset(None, (3,), np.float64, external=[(secret, 0, h5py.h5f.UNLIMITED)])
    file["obs/n"].attrs["categories"] = hidden.ref
    return ["obs/n"]


def dangling_categories(file, elsewhere):
    file["obs/n"].attrs["categories"] = h5py.h5r.Reference()
    return ["obs/n"]


WAYS_OUT = [
    external, external_to_nowhere, column, part_of_a_column, part_of_a_table, deep_part, part_of_an_old_matrix,
    soft_through_external, soft_to_nowhere, circle, external_storage, virtual, references, hidden_categories,
    dangling_categories,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS_OUT, ids=lambda way: way.__name__)
def test_what_leads_out_is_found_and_the_rest_can_be_read_without_it(cells, elsewhere, way):
    with h5py.File(cells, "r+") as file:
        expected = way(file, elsewhere)
    assert leading_out(cells) == expected
    with h5py.File(cells, "r+") as file:
        leave_out(file, expected)
    assert leading_out(cells) == []
    with warnings.catch_warnings(action="ignore"):
        adata = anndata.read_h5ad(cells)
    assert SECRET not in str(adata.uns)
    assert SECRET not in adata.obs.to_string()
    assert adata.uns["kept"].tolist() == [0, 1, 2]
    assert adata.obs_names.tolist() == ["x", "y", "z"]


def inside(file):
    file["uns/soft"] = h5py.SoftLink("/X")
    file["uns/near"] = h5py.SoftLink("./kept")
    file["uns/hard"] = file["obs"]
    file["uns/round"] = h5py.SoftLink("/uns")
    file["uns/itself"] = file["uns"]
    file["uns/kind"] = np.dtype("f4")


def test_links_within_the_file_are_no_way_out(cells):
    with h5py.File(cells, "r+") as file:
        inside(file)
        file["obs/__categories/n"] = np.arange(3)
        file["obs/n"].attrs["categories"] = file["obs/__categories/n"].ref
        file["obs/kind"].attrs["encoding-type"] = np.bytes_(b"categorical")
    assert leading_out(cells) == []


def test_looking_at_a_link_opens_no_other_file(cells, tmp_path):
    # a pipe that nobody writes to would hold whoever opens it
    os.mkfifo(tmp_path / "pipe.h5")
    with h5py.File(cells, "r+") as file:
        file["uns/pipe"] = h5py.ExternalLink(str(tmp_path / "pipe.h5"), "/")
        link = link_of(file["uns"], "pipe")
        assert (link.filename, link.path) == (str(tmp_path / "pipe.h5"), "/")
    assert leading_out(cells) == ["uns/pipe"]


def test_a_file_cut_short_is_a_damaged_file(cells):
    cells.write_bytes(cells.read_bytes()[:3000])
    with pytest.raises(FileFormatError, match="damaged"):
        leading_out(cells)


def test_the_note_names_some_and_counts_the_others():
    assert (
        left_out(["uns/a", "uns/b"])
        == "'uns/a', 'uns/b' lead out of the file, so they are left out of the annotated file."
    )
    assert left_out(["uns/" + "a" * 500]).count("a") < 120
