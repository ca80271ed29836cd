"""R reads what Spoticell writes, and Spoticell what R writes, with ``examples/answers_in_r.R``."""

import shutil
import subprocess
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import spoticell

ROOT = Path(__file__).parents[1]
KINDS = {"donor": "factor", "treated": "logical", "age": "numeric", "site": "character"}
LAYOUTS = {"csc": sparse.csc_matrix, "dense": sparse.csr_matrix.toarray}


@pytest.fixture(scope="module")
def rscript():
    command = shutil.which("Rscript")
    if command is None:
        pytest.skip("R isn't installed: apt-get install r-bioc-rhdf5")
    wanted = "quit(status = !all(vapply(c('rhdf5', 'Matrix'), requireNamespace, NA, quietly = TRUE)))"
    if subprocess.run([command, "-e", wanted], check=False, capture_output=True).returncode:
        pytest.skip("R lacks rhdf5: apt-get install r-bioc-rhdf5")
    return command


@pytest.fixture(scope="module")
def in_r(rscript, make_tiny_cells, tiny_bundle_folder, tmp_path_factory):
    """Named cells with columns of all kinds, and the folder with what R holds of them."""
    folder, adata = tmp_path_factory.mktemp("r"), make_tiny_cells()
    third = np.arange(adata.n_obs) % 3
    adata.obs["donor"] = pd.Categorical.from_codes(third - 1, categories=["Zoë, 5", "d2"])
    adata.obs["treated"] = pd.arrays.BooleanArray(third == 0, third == 1)
    adata.obs["age"] = pd.arrays.IntegerArray(third, third == 1)
    adata.obs["site"] = np.array([f"site {one}" for one in third], dtype=object)
    adata.write_h5ad(folder / "cells.h5ad", convert_strings_to_categoricals=False)
    for name, laid in LAYOUTS.items():
        anndata.AnnData(laid(adata.X), adata.obs[[]], adata.var).write_h5ad(folder / f"{name}.h5ad")
    spoticell.annotate(folder / "cells.h5ad", folder / "named.h5ad", model=tiny_bundle_folder)
    files = [folder / f"{name}.h5ad" for name in ("named", *LAYOUTS)]
    command = [rscript, "tests/r/read_answers.R", folder, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return anndata.read_h5ad(folder / "named.h5ad"), folder


def read(folder, name):
    return pd.read_csv(folder / name, index_col=0, keep_default_na=False, na_values=["<NA>"])


def test_columns_are_of_the_right_kind_in_r(in_r):
    named, folder = in_r
    kinds = read(folder, "kinds.csv")["kind"].to_dict()
    assert {name: kinds[name] for name in KINDS} == KINDS
    for name in [name for name in named.obs if name.startswith("spoticell")]:
        words = isinstance(named.obs[name].dtype, pd.CategoricalDtype)
        assert kinds[name] in ({"factor"} if words else {"numeric", "integer"}), name


def test_values_and_missing_ones_are_the_same_in_r(in_r):
    named, folder = in_r
    obs = read(folder, "obs.csv")
    assert obs.index.tolist() == named.obs_names.tolist()
    assert obs.columns.tolist() == named.obs.columns.tolist()
    for name, wanted in named.obs.items():
        assert obs[name].isna().tolist() == wanted.isna().tolist(), name
        found, stored = obs[name].dropna(), wanted.dropna()
        if pd.api.types.is_float_dtype(stored):
            np.testing.assert_allclose(found, stored, rtol=1e-6)
        elif name != "treated":
            assert [str(one) for one in found.to_numpy(stored.to_numpy().dtype)] == [str(one) for one in stored], name
    assert obs["treated"].dropna().tolist() == named.obs["treated"].dropna().tolist()
    assert read(folder, "var.csv")["gene_id"].tolist() == named.var["gene_id"].tolist()


def test_levels_keep_their_order_in_r(in_r):
    named, folder = in_r
    levels = read(folder, "levels.csv").groupby("column", sort=False)["level"].agg(list)
    for name in ("donor", "spoticell_cell_type", "spoticell_reason"):
        assert levels[name] == named.obs[name].cat.categories.tolist()
    assert "unknown" in levels["spoticell_cell_type"]


def test_arrays_stand_by_cell_in_r(in_r):
    named, folder = in_r
    for name, key in (("fingerprints", "X_spoticell"), ("probabilities", "spoticell_probabilities")):
        table = read(folder, f"{name}.csv")
        assert table.index.tolist() == named.obs_names.tolist()
        np.testing.assert_allclose(table, named.obsm[key], rtol=1e-6, atol=1e-9)
    assert table.columns.tolist() == named.uns["spoticell"]["classes"].tolist()


@pytest.mark.parametrize("layout", ["named", *LAYOUTS])
def test_counts_stand_by_gene_in_r(in_r, layout):
    named, folder = in_r
    counts = read(folder, f"{layout}.h5ad.csv")
    assert (counts.index.tolist(), counts.columns.tolist()) == (named.var_names.tolist(), named.obs_names.tolist())
    np.testing.assert_array_equal(counts.T, named.X.toarray())


def test_counts_written_by_r_give_the_same_answers(in_r, tiny_bundle_folder):
    named, folder = in_r
    again = spoticell.annotate(folder / "for-spoticell", model=tiny_bundle_folder)
    assert again.obs["spoticell_cell_type"].tolist() == named.obs["spoticell_cell_type"].tolist()
