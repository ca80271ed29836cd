import hashlib
import subprocess
import sys
import warnings

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from tests.io import written as formats
from tests.io.written import FORMATS

from spoticell.errors import OutputError
from spoticell.io import open_cells
from spoticell.io.annotated import AnnotatedH5ad, storable

COLORS = {"spoticell_cell_type_colors": ["#112233", "#445566"]}
UNS = {
    "bundle": "human-v1", "threshold": 0.5, "cells": 11, "none": None, "classes": ["CL:0000236", "unknown"],
    "inside": {"a/b": 1, "empty": [], "numbers": (1, 2)},
}  # fmt: skip


def answers(n):
    return pd.DataFrame(
        {
            "spoticell_cell_type": pd.Categorical(["B cell", "unknown"] * (n // 2) + ["B cell"] * (n % 2)),
            "spoticell_score": np.linspace(0, 1, n, dtype=np.float32),
            "spoticell_n_genes_used": np.arange(n, dtype=np.int32),
        }
    )


def annotate(path, output, *, n_nodes=3, matrix=None, **more):
    with open_cells(path) as source, AnnotatedH5ad(
        output, source=source, matrix=matrix or source.matrices[0], path_in=path, fingerprint_size=4, n_nodes=n_nodes,
        **more
    ) as file:  # fmt: skip
        for block in source.blocks(matrix or source.matrices[0], size=4):
            rows = np.arange(block.start, block.start + len(block), dtype=np.float32)[:, None]
            probabilities_nm = np.repeat(rows, 3, axis=1) if n_nodes else None
            file.add_block(block.start, fingerprint_nd=np.repeat(rows, 4, axis=1), probabilities_nm=probabilities_nm)
        file.finish(answers(source.n_cells), uns=UNS, colors=COLORS)
    return output


def read_h5ad(path):
    with warnings.catch_warnings(action="ignore", category=anndata.OldFormatWarning):
        return anndata.read_h5ad(path)


def check(adata, some):
    n = len(some.names)
    assert adata.obs_names.tolist() == some.names
    np.testing.assert_array_equal(adata.obsm["X_spoticell"][:, 0], np.arange(n))
    np.testing.assert_array_equal(adata.obsm["spoticell_probabilities"][:, 2], np.arange(n))
    expected = answers(n)
    for name in expected.columns:
        assert adata.obs[name].tolist() == expected[name].tolist()
    assert isinstance(adata.obs["spoticell_cell_type"].dtype, pd.CategoricalDtype)
    assert adata.uns["spoticell_cell_type_colors"].tolist() == COLORS["spoticell_cell_type_colors"]
    uns = adata.uns["spoticell"]
    assert (uns["bundle"], uns["threshold"], uns["cells"]) == ("human-v1", 0.5, 11)
    assert uns["classes"].tolist() == ["CL:0000236", "unknown"]
    assert uns["inside"]["a_b"] == 1
    assert len(uns["inside"]["empty"]) == 0
    assert "none" not in uns


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_becomes_an_h5ad_that_anndata_reads(tmp_path, some, name):
    path = FORMATS[name](tmp_path, some)
    adata = read_h5ad(annotate(path, tmp_path / "out.h5ad"))
    check(adata, some)
    values_nv = adata.X if isinstance(adata.X, np.ndarray) else adata.X.toarray()
    np.testing.assert_array_equal(values_nv, some.counts_nv)
    assert adata.var_names.tolist() in (some.symbols, some.ids)
    if "label" in adata.obs:
        assert adata.obs["label"].tolist() == some.labels


@pytest.mark.parametrize("name", ["h5ad by cell", "zarr 3", "csv of genes", "10x folder version 3"])
def test_the_same_input_gives_the_same_bytes(tmp_path, some, name):
    path = FORMATS[name](tmp_path, some)
    one, other = annotate(path, tmp_path / "one.h5ad"), annotate(path, tmp_path / "other.h5ad")
    assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()


def test_everything_of_the_users_is_kept_as_it_was(tmp_path, some):
    adata = some.anndata()
    adata.layers["scaled"] = some.counts_nv - 1
    adata.obsm["X_umap"] = np.ones((11, 2))
    adata.uns["log"] = {"base": 2}
    adata.raw = adata.copy()
    adata.obs["words"] = pd.Categorical([f"w{cell}" for cell in range(11)])
    path = tmp_path / "cells.h5ad"
    adata.write_h5ad(path, compression="gzip")
    before = path.read_bytes()
    output = annotate(path, tmp_path / "out.h5ad", matrix="X")
    assert path.read_bytes() == before
    ours = {"obs/spoticell_", "obsm/X_spoticell", "obsm/spoticell_", "uns/spoticell"}
    with h5py.File(path) as old, h5py.File(output) as new:
        kept, found = [], []
        old.visit(kept.append)
        new.visit(found.append)
        assert set(kept) == {name for name in found if not any(name.startswith(start) for start in ours)}
        for name in kept:
            if isinstance(old[name], h5py.Dataset):
                assert np.array_equal(old[name][()], new[name][()]), name
                assert old[name].compression == new[name].compression
        order = new["obs"].attrs["column-order"].tolist()
    assert order == ["label", "words", *answers(11).columns]
    check(read_h5ad(output), some)


@pytest.mark.rows(44)
def test_an_earlier_answer_is_replaced_and_nothing_else(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    once = annotate(path, tmp_path / "once.h5ad")
    twice = annotate(once, tmp_path / "twice.h5ad")
    adata = read_h5ad(twice)
    check(adata, some)
    assert adata.obs.columns.tolist() == ["label", *answers(11).columns]


def test_an_earlier_answer_of_another_kind_is_replaced(tmp_path, some):
    path = formats.h5ad_07(tmp_path, some)
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        obs["__categories/spoticell_cell_type"] = np.array([b"old"])
        obs["spoticell_cell_type"] = np.zeros(11, "i1")
        obs.attrs["column-order"] = np.array(["spoticell_cell_type", "label"], dtype=object)
        file["obsm/X_spoticell"] = h5py.SoftLink("/X")
        file["uns/spoticell"] = h5py.ExternalLink("/etc/passwd", "/")
    adata = read_h5ad(annotate(path, tmp_path / "out.h5ad"))
    check(adata, some)
    assert adata.obs["label"].tolist() == some.labels


@pytest.mark.rows(20)
def test_the_input_itself_can_be_replaced(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    check(read_h5ad(annotate(path, path)), some)


def test_tables_outside_the_file_are_never_written_to(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other.create_group("uns")
    with h5py.File(path, "r+") as file:
        del file["uns"]
        file["uns"] = h5py.ExternalLink("other.h5", "/uns")
    before = (tmp_path / "other.h5").read_bytes()
    check(read_h5ad(annotate(path, tmp_path / "out.h5ad")), some)
    assert (tmp_path / "other.h5").read_bytes() == before


def test_old_categories_outside_the_file_are_never_written_to(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["categories/spoticell_cell_type"] = np.arange(3)
    with h5py.File(path, "r+") as file:
        file["obs/__categories"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/categories")
    before = (tmp_path / "other.h5").read_bytes()
    annotate(path, tmp_path / "out.h5ad")
    assert (tmp_path / "other.h5").read_bytes() == before


def test_links_of_ones_own_file_are_kept_unless_they_are_to_be_left_out(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        file["uns/mine"] = h5py.ExternalLink("mine.h5", "/X")
    with h5py.File(annotate(path, tmp_path / "out.h5ad")) as file:
        assert "mine" in list(file["uns"])
    with h5py.File(annotate(path, tmp_path / "fit.h5ad", left_out=["uns/mine"])) as file:
        assert "mine" not in list(file["uns"])


def test_a_file_without_cells_is_annotated(tmp_path, some):
    path = tmp_path / "cells.h5ad"
    anndata.AnnData(np.empty((0, 60)), var=pd.DataFrame(index=some.symbols)).write_h5ad(path)
    output = tmp_path / "out.h5ad"
    for path_in in (path, None):
        with open_cells(path) as source, AnnotatedH5ad(
            output, source=source, matrix="X", path_in=path_in, fingerprint_size=4, n_nodes=3
        ) as file:  # fmt: skip
            file.finish(answers(0), uns=UNS, colors={})
        adata = read_h5ad(output)
        assert adata.shape == (0, 60)
        assert adata.obsm["X_spoticell"].shape == (0, 4)


def test_probabilities_may_be_left_out(tmp_path, some):
    adata = read_h5ad(annotate(formats.h5ad(tmp_path, some), tmp_path / "out.h5ad", n_nodes=0))
    assert list(adata.obsm) == ["X_spoticell"]


def test_odd_names_survive_a_new_file(tmp_path):
    path = tmp_path / "cells.csv"
    lines = ["cell,a/b,_index,,words,CD3E,CD8A", "=1,u,w,w,x,1,2", "=1,v,w,w,y,3,4", "é,v,w,w,x,7,8"]
    lines += ["z,v,w,w,x,1,1"] * 99
    path.write_text("\n".join([*lines, "z\0z,v,w,w,x,5,6"]))
    output = annotate(path, tmp_path / "out.h5ad")
    with pytest.warns(UserWarning, match="names are not unique"):
        adata = anndata.read_h5ad(output)
    assert adata.obs_names.tolist() == ["=1", "=1", "é", *["z"] * 99, "zz"]
    assert adata.obs.columns.tolist() == ["words", *answers(1).columns]


def test_words_are_written_in_the_form_that_readers_in_r_know(tmp_path, some, monkeypatch):
    words = pd.Series(some.labels, index=some.names, dtype="string", name="label")
    monkeypatch.setattr("spoticell.io.storage.stored.StoredSource.obs", lambda self: words.to_frame())
    out = annotate(FORMATS["loom"](tmp_path, some), tmp_path / "out.h5ad")
    with h5py.File(out) as file:
        assert file["obs/label"].attrs["encoding-type"] == "string-array"
    assert read_h5ad(out).obs["label"].tolist() == some.labels


def test_leaving_early_leaves_nothing(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    output = tmp_path / "out.h5ad"
    with open_cells(path) as source:
        options = {"source": source, "matrix": "X", "path_in": path, "fingerprint_size": 4, "n_nodes": 3}
        with pytest.raises(KeyboardInterrupt), AnnotatedH5ad(output, **options):
            raise KeyboardInterrupt
        with pytest.raises(RuntimeError, match=r"finish\(\) was not called"), AnnotatedH5ad(output, **options):
            pass
        with (
            pytest.raises(ValueError, match="3 rows of answers for 11 cells"),
            AnnotatedH5ad(output, **options) as file,
        ):
            file.finish(answers(3), uns={}, colors={})
        with pytest.raises(ValueError, match="probabilities are needed"), AnnotatedH5ad(output, **options) as file:
            file.add_block(0, fingerprint_nd=np.zeros((1, 4), np.float32))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cells.h5ad"]


def test_a_bad_input_leaves_nothing_of_a_new_file(tmp_path, some):
    path = formats.tenx_folder_2(tmp_path, some)
    (path / "matrix.mtx").write_text((path / "matrix.mtx").read_text() + "1 1 1\n")
    with open_cells(path) as source, pytest.raises(ValueError, match="promises"), AnnotatedH5ad(
        tmp_path / "out.h5ad", source=source, matrix="matrix", path_in=path, fingerprint_size=4, n_nodes=3
    ):  # fmt: skip
        raise AssertionError("never reached")
    assert not (tmp_path / "out.h5ad").exists()
    assert len(list(tmp_path.iterdir())) == 1


def test_no_room_for_a_copy_is_found_before_the_work(tmp_path, some, monkeypatch):
    path = formats.h5ad(tmp_path, some)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    with pytest.raises(OutputError, match=r"it needs 0\.0 GB and the disk has 0\.0 GB left"):
        annotate(path, tmp_path / "out.h5ad")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("room", ["copy", "answers", "new"])
@pytest.mark.rows(19)
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, some, room):
    """A limit on the size of files stands in for a full disk: the library learns of it in the same way."""
    path = formats.csv_of_cells(tmp_path, some) if room == "new" else formats.h5ad(tmp_path, some)
    limit = {"copy": 2000, "answers": path.stat().st_size + 500, "new": 3000}[room]
    code = """
import resource, signal, sys
from pathlib import Path
import numpy as np, pandas as pd
from spoticell.errors import OutputError
from spoticell.io import open_cells
from spoticell.io.annotated import AnnotatedH5ad
path, output, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with open_cells(path) as source:
    source.cell_names
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        with AnnotatedH5ad(output, source=source, matrix=source.matrices[0], path_in=path,
                           fingerprint_size=400, n_nodes=0) as file:
            file.add_block(0, fingerprint_nd=np.ones((11, 400), np.float32))
            file.finish(pd.DataFrame({"spoticell_score": np.zeros(11)}), uns={}, colors={})
    except OutputError as error:
        print(error)
"""
    child = subprocess.run(
        [sys.executable, "-c", code, path, tmp_path / "out.h5ad", str(limit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "out.h5ad can't be written" in child.stdout or "temporary folder" in child.stdout, child.stderr
    assert child.stderr == ""
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_damaged_tables_are_told_of(tmp_path, some):
    path = formats.h5ad(tmp_path, some)
    with h5py.File(path, "r+") as file:
        del file["obs"].attrs["column-order"]
    with pytest.raises(OutputError, match=r"cells\.h5ad can't take the answers: its tables are damaged"):
        annotate(path, tmp_path / "out.h5ad")


def test_storable_values_hold_nothing_that_h5ad_cannot():
    got = storable({"b": {"y": None, "x": (1, 2)}, "a": True, "c": ["x", 1]})
    assert list(got) == ["a", "b", "c"]
    assert got["b"]["x"].tolist() == [1, 2]
    assert got["c"].tolist() == ["x", "1"]
