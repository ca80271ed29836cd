"""Maps that a file holds: its own are read with care, ours is added."""

from __future__ import annotations

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spoticell.io import open_cells
from spoticell.io.embeddings import MOST_MAPS, add_map, stored_maps


@pytest.fixture
def places_nd():
    return np.random.default_rng(0).normal(size=(31, 3))


@pytest.fixture
def maps_of(tmp_path, tiny_cells):
    """Reads the maps of the tiny cells with some members of ``obsm``; the file may be changed before it is read."""

    def read(change=None, **members):
        path = tmp_path / "cells.h5ad"
        for name, values in members.items():
            tiny_cells.obsm[name] = values
        tiny_cells.write_h5ad(path)
        if change is not None:
            with h5py.File(path, "r+") as file:
                change(file)
        with open_cells(path) as source:
            return stored_maps(source)

    return read


def test_the_first_two_axes_of_each_map_are_read_umap_first(maps_of, places_nd):
    maps = maps_of(X_pca=places_nd, X_umap=places_nd[:, :2] * 2)
    assert list(maps) == ["X_umap", "X_pca"]
    np.testing.assert_allclose(maps["X_pca"], places_nd[:, :2].astype(np.float32))
    np.testing.assert_allclose(maps["X_umap"], 2 * maps["X_pca"], rtol=1e-6)


def test_a_place_that_is_not_finite_is_no_place(maps_of, places_nd):
    places_nd[3, 1], places_nd[4, 0] = np.inf, np.nan
    found_n2 = maps_of(X_umap=places_nd)["X_umap"]
    assert np.flatnonzero(np.isnan(found_n2).any(axis=1)).tolist() == [3, 4]
    assert np.isnan(found_n2[3]).all()


def test_what_is_no_map_is_passed_over(maps_of, places_nd):
    found = maps_of(
        X_umap=places_nd,
        line=places_nd[:, :1],
        still=np.ones((31, 2)),
        nowhere=np.full((31, 2), np.nan),
        table=pd.DataFrame({"x": np.arange(31.0), "y": 1.0}, index=[f"cell-{n}" for n in range(31)]),
        packed=sparse.csr_matrix(places_nd),
        X_spoticell=places_nd,
        **{"n" * 300: places_nd},
    )
    assert list(found) == ["X_umap"]


def test_a_map_of_other_cells_or_of_words_is_passed_over(maps_of, places_nd):
    def change(file):
        file["obsm"]["short"] = places_nd[:5]
        file["obsm"]["words"] = np.full((31, 2), b"left")

    assert list(maps_of(change, X_umap=places_nd)) == ["X_umap"]


def test_a_map_in_another_file_is_not_followed(maps_of, places_nd, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["map"] = places_nd

    def change(file):
        file["obsm"]["X_tsne"] = h5py.ExternalLink("other.h5", "map")

    assert list(maps_of(change, X_umap=places_nd)) == ["X_umap"]


def test_a_file_whose_maps_are_all_in_another_file_has_none(maps_of, places_nd):
    def change(file):
        del file["obsm"]
        file["obsm"] = h5py.ExternalLink("other.h5", "obsm")

    assert maps_of(change, X_umap=places_nd) == {}


def test_a_map_that_unpacks_to_far_more_than_the_file_is_passed_over(maps_of, places_nd):
    def change(file):
        file["obsm"].create_dataset("X_tsne", shape=(31, 1_000_000_000), chunks=(1, 1_000_000), dtype="f4")

    assert list(maps_of(change, X_umap=places_nd)) == ["X_umap"]


def test_only_so_many_maps_are_read(maps_of, places_nd):
    assert len(maps_of(**{f"map{number}": places_nd for number in range(MOST_MAPS + 3)})) == MOST_MAPS


def test_a_file_that_is_not_of_anndata_has_no_maps(tmp_path, tiny_cells):
    tiny_cells.to_df().to_csv(tmp_path / "cells.csv")
    with open_cells(tmp_path / "cells.csv") as source:
        assert stored_maps(source) == {}


def test_our_map_is_added_and_an_older_one_replaced(tmp_path, tiny_h5ad, places_nd):
    with h5py.File(tiny_h5ad, "r+") as file:
        file["obsm"]["X_spoticell_map"] = np.zeros((5, 2))
    add_map(tiny_h5ad, places_nd[:, :2])
    added = anndata.read_h5ad(tiny_h5ad).obsm["X_spoticell_map"]
    assert added.dtype == np.float32
    np.testing.assert_allclose(added, places_nd[:, :2].astype(np.float32))
