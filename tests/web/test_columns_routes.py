"""The columns and maps of a file, as the API gives them."""

from __future__ import annotations

import io
from typing import Any

import anndata
import h5py
import numpy as np
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from tests.web.conftest import done, h5ad

from spoticell.io import open_cells
from spoticell.web.columns import ColumnKeeper

PER_TYPE = 20


@pytest.fixture(scope="session")
def cells() -> anndata.AnnData:
    """Cells of six samples of two conditions: B cells are mostly in one, which the answers show."""
    cells = tiny_adata(per_type=PER_TYPE)
    rng = np.random.default_rng(0)
    is_b = (cells.obs["cell_type_ontology_term_id"] == "CL:0000236").to_numpy()
    is_treated = np.where(is_b, rng.random(cells.n_obs) < 0.9, rng.random(cells.n_obs) < 0.5)
    cells.obs["condition"] = np.where(is_treated, "treated", "control")
    cells.obs["donor"] = [f"{word[0]}{rng.integers(3)}" for word in cells.obs["condition"]]
    cells.obs["depth"] = np.linspace(0, 1, cells.n_obs)
    cells.obs["barcode"] = cells.obs_names.to_numpy()
    cells.obs.loc[cells.obs_names[-1], ["condition", "donor"]] = None
    cells.obsm["X_umap"] = rng.normal(size=(cells.n_obs, 2)) * [4, 1]
    return cells


@pytest.fixture(scope="session")
def job(shared, cells, tmp_path_factory) -> dict[str, Any]:
    return done(shared, h5ad(cells, tmp_path_factory.mktemp("columns") / "cells.h5ad"))


@pytest.fixture
def ask(shared, job):
    return lambda path, **query: shared.get(f"/api/jobs/{job['id']}/{path}", params=query)


@pytest.fixture
def places(ask):
    return {column["name"]: place for place, column in enumerate(ask("columns").json()["columns"])}


def test_columns_and_maps_are_listed(ask):
    told = ask("columns").json()
    kinds = {column["name"]: (column["kind"], column["ours"]) for column in told["columns"]}
    assert kinds == {
        "counts": ("number", True),
        "genes found": ("number", True),
        "mitochondrial share": ("number", True),
        "score": ("number", True),
        "cell_type_ontology_term_id": ("category", False),
        "batch": ("category", False),
        "condition": ("category", False),
        "donor": ("category", False),
        "depth": ("number", False),
    }
    assert (told["left_out"], told["maps"]) == (["barcode"], [{"name": "X_umap"}])


def test_categories_come_with_their_cells(ask, places, cells):
    told = ask("columns").json()["columns"][places["condition"]]
    counts = cells.obs["condition"].value_counts()
    assert told["categories"] == [{"name": name, "cells": counts[name]} for name in ("control", "treated")]
    assert told["missing"] == 1
    code_n = np.frombuffer(ask(f"columns/{places['condition']}").content, "<u2")
    assert [["control", "treated"][code] for code in code_n[:-1]] == cells.obs["condition"].tolist()[:-1]
    assert code_n[-1] == 65535


def test_numbers_come_as_they_are(ask, places, cells):
    value_n = np.frombuffer(ask(f"columns/{places['depth']}").content, "<f4")
    np.testing.assert_allclose(value_n, cells.obs["depth"], rtol=1e-6)
    counts_n = np.frombuffer(ask(f"columns/{places['counts']}").content, "<f4")
    np.testing.assert_allclose(counts_n, np.asarray(cells.X.sum(axis=1)).ravel())


def test_the_share_of_mitochondrial_counts_is_reckoned(tmp_path, tiny_h5ad, tiny_bundle):
    with open_cells(tiny_h5ad) as source:
        keeper = ColumnKeeper(source, ("CD3E", "MT-CO1", "MTOR", "mt-nd1"))
        keeper.see(sparse.csr_array(np.float32([[6, 1, 2, 1], [4, 0, 0, 0]])))
        keeper.see(sparse.csr_array(np.float32([[0, 0, 0, 0]])))
    np.testing.assert_allclose(np.concatenate(keeper.shares), [0.2, 0, np.nan])


def test_a_map_lies_in_the_unit_square(ask, cells):
    x_n, y_n = np.frombuffer(ask("maps/0").content, "<f4").reshape(2, -1)
    assert (x_n.min(), x_n.max()) == (0, 1)
    assert np.ptp(y_n) < 0.9
    assert np.argsort(x_n).tolist() == np.argsort(cells.obsm["X_umap"][:, 0].astype(np.float32)).tolist()


def test_our_own_map_is_in_the_annotated_file(shared, job):
    file = anndata.read_h5ad(io.BytesIO(shared.get(job["links"]["annotated.h5ad"]).content))
    body = shared.get(job["links"]["map"]).content
    own_n2 = np.frombuffer(body[4 : 4 + 8 * file.n_obs], "<f4").reshape(2, -1).T
    np.testing.assert_array_equal(file.obsm["X_spoticell_map"], own_n2)


@pytest.mark.parametrize("path", ["columns/99", "maps/1"])
def test_what_is_not_there_is_refused(ask, path):
    reply = ask(path)
    assert reply.status_code == 404
    assert "There is no such" in reply.json()["error"]


def test_a_run_of_an_older_version_has_no_columns(opened, tiny_file, settings):
    client = opened()
    job = done(client, tiny_file)
    next(settings.data_dir.rglob("columns.json")).unlink()
    for path in ("columns", "columns/3/changes?first=0&second=1"):
        reply = client.get(f"/api/jobs/{job['id']}/{path}")
        assert (reply.status_code, reply.json()["error"]) == (
            404,
            "This run kept no columns of its file. Run the job again.",
        )


def test_a_file_whose_table_is_damaged_is_named_all_the_same(shared, tmp_path, cells):
    path = tmp_path / "cells.h5ad"
    cells.write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["obs/depth"]
        file["obs/depth"] = np.zeros(3)
    job = done(shared, path.read_bytes())
    told = shared.get(f"/api/jobs/{job['id']}/columns").json()
    assert [column["name"] for column in told["columns"]] == ["counts", "genes found", "mitochondrial share", "score"]


def test_types_are_compared_between_two_values(ask, places):
    told = ask(f"columns/{places['condition']}/changes", first=0, second=1).json()
    assert (told["samples"], told["method"]) == ([1, 1], None)
    of_b = next(change for change in told["changes"] if change["term"] == "CL:0000236")
    assert of_b["first"] < 0.1 < of_b["second"]
    assert of_b["p"] is None
    assert "no difference is tested" in told["notes"][0]


def test_samples_make_it_a_test_in_either_direction(ask, places):
    there, back = (
        ask(f"columns/{places['condition']}/changes", first=first, second=1 - first, samples=places["donor"]).json()
        for first in (0, 1)
    )
    assert there["samples"] == [3, 3]
    assert there["method"].startswith("Welch")
    of_b, reverse = (
        next(change for change in told["changes"] if change["term"] == "CL:0000236") for told in (there, back)
    )
    assert 0 < of_b["p"] <= of_b["q"] <= 1
    assert reverse["p"] == pytest.approx(of_b["p"])
    assert (of_b["first"], of_b["second"]) == (reverse["second"], reverse["first"])


@pytest.mark.parametrize(
    ("column", "query", "refusal"),
    [
        ("condition", {"first": 0, "second": 0}, (422, "two different values")),
        ("condition", {"first": 0, "second": 2}, (422, "from 0 to 1")),
        ("depth", {"first": 0, "second": 1}, (404, "no such column of categories")),
        ("condition", {"first": 0, "second": 1, "samples": 99}, (404, "no such column of categories")),
        ("condition", {"first": 0, "second": 1, "samples": "batch"}, (422, "cells of both values")),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_sentence(ask, places, column, query, refusal):
    if query.get("samples") == "batch":
        query = query | {"samples": places["batch"]}
    reply = ask(f"columns/{places[column]}/changes", **query)
    assert reply.status_code == refusal[0]
    assert refusal[1] in reply.json()["error"]


def test_values_that_share_no_sample_with_the_other_are_refused(shared, tmp_path):
    cells = tiny_adata(per_type=10)
    cells.obs["condition"] = ["a", "b"] * 30 + ["a"]
    cells.obs["donor"] = [None if row % 2 else f"d{row % 4}" for row in range(61)]
    job = done(shared, h5ad(cells, tmp_path / "cells.h5ad"))
    names = [column["name"] for column in shared.get(f"/api/jobs/{job['id']}/columns").json()["columns"]]
    query = {"first": 0, "second": 1, "samples": names.index("donor")}
    reply = shared.get(f"/api/jobs/{job['id']}/columns/{names.index('condition')}/changes", params=query)
    assert reply.status_code == 422
    assert "none is left" in reply.json()["error"]


def test_labels_whose_cells_are_called_another_type_are_named_those_with_most_first(shared, tmp_path):
    cells = tiny_adata(per_type=4)
    label = cells.obs.pop("cell_type_ontology_term_id").astype(str).replace({"unknown": None})
    # three of four B cells are labelled otherwise, and a natural killer cell; a CD4 T cell is a T cell
    label.iloc[:3] = "CL:0000057"
    label.iloc[12] = "CL:0000236"
    label.iloc[4:8] = "CL:0000084"
    cells.obs["label"] = label
    job = done(shared, h5ad(cells, tmp_path / "cells.h5ad"))
    columns = shared.get(f"/api/jobs/{job['id']}/columns").json()["columns"]
    place = [column["name"] for column in columns].index("label")
    found = shared.get(f"/api/jobs/{job['id']}/columns/{place}/labels").json()["otherwise"]
    told = [(row["label"], row["meant"]["name"], row["cells"], row["other"]) for row in found]
    assert told == [("CL:0000057", "fibroblast", 7, 3), ("CL:0000236", "B cell", 2, 1)]
    assert [(one["name"], one["cells"]) for one in found[0]["answers"]] == [("B cell", 3)]
    assert [one["name"] for one in found[1]["answers"]] == ["natural killer cell"]
