"""Further questions to a result, as the API answers them."""

from __future__ import annotations

import io
import json
from typing import Any

import anndata
import numpy as np
import pandas as pd
import pytest
from tests.conftest import tiny_adata
from tests.web.conftest import checked, done, h5ad, run
from tests.web.test_threshold import mixed_file  # noqa: F401 - a fixture

from spoticell.annotation.composition import interval
from spoticell.annotation.evidence import CONFLICT, agreement
from spoticell.biology.short_names import short_name
from spoticell.web import split
from spoticell.web.unsure import EVERY, MOVED

B_CELL, KILLER = "CL:0000236", "CL:0000623"
OTHER_GENE = "NKG7"
TERM, SINGLE = "spoticell_cell_type_ontology_term_id", "spoticell_single_cell_type_ontology_term_id"


@pytest.fixture(scope="session")
def cells() -> anndata.AnnData:
    """Cells of two conditions and three donors, with labels of which some are no types."""
    cells = tiny_adata(per_type=20)
    rng = np.random.default_rng(0)
    cells.obs["condition"] = rng.choice(["control", "treated"], size=cells.n_obs)
    cells.obs["donor"] = pd.Categorical(rng.choice(["d1", "d2", "d10"], size=cells.n_obs))
    cells.obs["depth"] = np.linspace(0, 1, cells.n_obs)
    labels = cells.obs["cell_type_ontology_term_id"].astype(str).to_numpy(dtype=object)
    cells.obs["label"] = labels
    cells.obs["vague"] = np.where(labels == B_CELL, labels, "cluster 7")
    cells.obs.loc[cells.obs_names[-1], ["donor", "label"]] = None
    return cells


@pytest.fixture(scope="session")
def job(shared, cells, tmp_path_factory) -> dict[str, Any]:
    return done(shared, h5ad(cells, tmp_path_factory.mktemp("ask") / "cells.h5ad"))


@pytest.fixture
def ask(shared, job):
    return lambda path, **query: shared.get(f"/api/jobs/{job['id']}/{path}", params=query)


@pytest.fixture(scope="session")
def table(shared, job, cells) -> pd.DataFrame:
    rows = pd.read_csv(io.BytesIO(shared.get(job["links"]["types.csv"]).content), keep_default_na=False)
    return rows.join(cells.obs.reset_index(drop=True)[["condition", "donor"]])


@pytest.fixture(scope="session")
def places(shared, job) -> dict[str, int]:
    told = shared.get(f"/api/jobs/{job['id']}/columns").json()
    return {column["name"]: place for place, column in enumerate(told["columns"])}


@pytest.fixture(scope="session")
def numbers(shared, job) -> dict[str, int]:
    return {kind["term"]: kind["index"] for kind in shared.get(job["links"]["summary"]).json()["types"]}


def test_the_share_of_a_type_in_each_sample_has_its_interval(ask, places, numbers, table):
    told = ask("shares", type=numbers[B_CELL], column=places["donor"]).json()
    assert [row["name"] for row in told["samples"]] == ["d1", "d2", "d10"]
    assert told["without"] == 1
    for row in told["samples"]:
        own = table[table["donor"] == row["name"]]
        assert (row["cells"], row["total"]) == ((own[TERM] == B_CELL).sum(), len(own))
        assert row["share"] == row["cells"] / row["total"]
        assert (row["low"], row["high"]) == interval(row["cells"], row["total"])


def test_several_types_are_counted_together(ask, places, numbers):
    both = ask("shares", type=[numbers[B_CELL], numbers[KILLER]], column=places["donor"]).json()["samples"]
    each = [ask("shares", type=numbers[term], column=places["donor"]).json()["samples"] for term in (B_CELL, KILLER)]
    assert [row["cells"] for row in both] == [one["cells"] + two["cells"] for one, two in zip(*each, strict=True)]


def test_samples_that_the_run_was_told_need_no_column(shared, cells, tmp_path, ask, numbers):
    refused = ask("shares", type=numbers[B_CELL])
    assert (refused.status_code, "wasn't told which column" in refused.json()["error"]) == (422, True)
    job = run(shared, checked(shared, h5ad(cells, tmp_path / "cells.h5ad")), by="donor")
    told = shared.get(f"/api/jobs/{job['id']}/shares", params={"type": 0}).json()
    assert ([row["name"] for row in told["samples"]], told["without"]) == (["d1", "d2", "d10"], 1)


@pytest.mark.parametrize("path", ["shares?type=0&column={}", "columns/{}/expression?gene=MS4A1", "columns/{}/labels"])
def test_numbers_and_columns_that_are_not_there_are_no_categories(shared, job, places, path):
    for place in (places["depth"], 99):
        reply = shared.get(f"/api/jobs/{job['id']}/{path.format(place)}")
        assert (reply.status_code, "no such column of categories" in reply.json()["error"]) == (404, True)


def test_genes_are_told_by_type_and_value(ask, places, numbers, table):
    told = ask(f"columns/{places['condition']}/expression", gene=["MS4A1", OTHER_GENE, "ms4a1", "nonsense"]).json()
    assert (told["values"], told["unknown"]) == (["control", "treated"], ["nonsense"])
    assert [gene["symbol"] for gene in told["genes"]] == ["MS4A1", OTHER_GENE]
    row = told["types"].index(numbers[B_CELL])
    expected = [(table[table["condition"] == value][TERM] == B_CELL).sum() for value in told["values"]]
    assert told["cells"][row] == expected
    whole = ask("expression", gene="MS4A1").json()["genes"][0]
    for part in ("share", "mean"):
        mean = np.average(told["genes"][0][part][row], weights=expected)
        assert mean == pytest.approx(whole[part][numbers[B_CELL]], abs=2e-4)


def test_types_and_values_that_would_crowd_the_plot_are_left_out_and_counted(ask, places, numbers, monkeypatch):
    monkeypatch.setattr(split, "MOST_TYPES", 2)
    monkeypatch.setattr(split, "MOST_VALUES", 2)
    told = ask(f"columns/{places['donor']}/expression", gene="MS4A1").json()
    assert (len(told["types"]), told["types_left_out"]) == (2, len(numbers) - 2)
    assert (len(told["values"]), told["values_left_out"]) == (2, 1)


def test_labels_that_are_understood_are_compared_by_the_ontology(ask, places, cells, table):
    told = ask(f"columns/{places['label']}/labels").json()
    assert (told["understood"], told["labelled"]) == (told["labelled"], cells.n_obs - told["unlabelled"])
    assert told["unlabelled"] == 1
    assert (told["not_understood"], told["more"]) == ([], 0)
    assert sum(told["agreement"].values()) == told["labelled"]
    same = (cells.obs["label"].to_numpy() == table[TERM]).sum()
    assert told["agreement"]["right"] >= same > 0


def test_cells_that_the_filters_leave_out_are_not_counted(ask, places, numbers, table, cells):
    kept = {"filter": json.dumps({"file condition": {"keep": ["treated"]}})}
    is_kept = (table["condition"] == "treated").to_numpy()
    shares = ask("shares", type=numbers[B_CELL], column=places["donor"], **kept).json()["samples"]
    for row in shares:
        here = is_kept & (table["donor"] == row["name"]).to_numpy()
        assert (row["total"], row["cells"]) == (here.sum(), (here & (table[TERM] == B_CELL)).sum())
    labelled = ask(f"columns/{places['label']}/labels", **kept).json()
    assert labelled["labelled"] == (is_kept & cells.obs["label"].notna().to_numpy()).sum()
    by_type = ask("expression", gene=OTHER_GENE, **kept).json()
    assert sum(by_type["cells"]) == is_kept.sum()
    spread = ask(f"genes/{OTHER_GENE}/spread", **kept).json()
    with_gene = np.array(by_type["genes"][0]["share"]) * np.array(by_type["cells"])
    np.testing.assert_allclose(np.array(spread["cells"]).sum(axis=1), with_gene, atol=0.01)
    divided = ask(f"columns/{places['donor']}/expression", gene=OTHER_GENE, **kept).json()
    assert np.sum(divided["cells"]) == (is_kept & table["donor"].notna()).sum()
    changes = {"first": 0, "second": 1, "samples": places["donor"]}
    alone = ask(f"columns/{places['condition']}/changes", **changes, **kept)
    assert (alone.status_code, "can't be compared" in alone.json()["error"]) == (422, True)
    wrong = ask("shares", type=0, column=places["donor"], filter="{")
    assert (wrong.status_code, "can't be read" in wrong.json()["error"]) == (422, True)


def test_what_is_told_of_a_type_is_of_the_cells_that_the_filters_leave(shared, job, ask, numbers, table):
    kept = {"filter": json.dumps({"file condition": {"keep": ["treated"]}})}
    is_kept = (table["condition"] == "treated").to_numpy()
    is_own = is_kept & (table[TERM] == B_CELL).to_numpy()
    card = ask("about", type=numbers[B_CELL], **kept).json()
    assert (card["cells"], card["share"]) == (is_own.sum(), pytest.approx(is_own.sum() / is_kept.sum()))
    assert all(is_own[cell["position"]] for cell in card["typical"])
    found = shared.post(f"/api/jobs/{job['id']}/apart", params=kept, json={"types": [numbers[B_CELL]]}).json()
    assert (found["cells"], found["others"]) == (is_own.sum(), (is_kept & ~is_own).sum())


def test_a_type_of_which_the_filters_leave_no_cell_is_refused_in_a_sentence(shared, job, ask, numbers):
    none = {"filter": json.dumps({"file condition": {"keep": []}})}
    replies = [
        ask("about", type=numbers[B_CELL], **none),
        ask("why", type=numbers[B_CELL], **none),
        shared.post(f"/api/jobs/{job['id']}/apart", params=none, json={"types": [numbers[B_CELL]]}),
    ]
    for reply in replies:
        assert (reply.status_code, reply.json()["error"]) == (422, "The filters leave none of these cells.")


def test_too_few_labels_that_are_understood_give_no_figure(ask, places, cells):
    told = ask(f"columns/{places['vague']}/labels").json()
    assert told["agreement"] is None
    assert told["understood"] < told["enough"] * told["labelled"]
    (label,) = told["not_understood"]
    assert (label["label"], label["cells"]) == ("cluster 7", (cells.obs["vague"] == "cluster 7").sum())
    assert not label["ambiguous"]


def test_a_run_of_an_older_version_has_no_columns_to_ask_about(opened, tiny_file, settings):
    client = opened()
    job = done(client, tiny_file)
    next(settings.data_dir.rglob("columns.json")).unlink()
    next(settings.data_dir.rglob("doubted.npy")).unlink()
    for path, words in (("columns/3/labels", "kept no columns"), ("unsure", "kept no reasons")):
        reply = client.get(f"/api/jobs/{job['id']}/{path}")
        assert (reply.status_code, words in reply.json()["error"]) == (404, True)


def reasons_in(table: pd.DataFrame) -> list[str]:
    """Give the reasons of the file, and that of cells that are sure, but are called another type alone."""
    alone = table.get(SINGLE, table[TERM]).to_numpy(dtype=object)
    moved = (table["spoticell_reason"] == "") & (agreement(table[TERM].to_numpy(dtype=object), alone) == CONFLICT)
    return table["spoticell_reason"].where(~moved, MOVED).tolist()


@pytest.fixture(scope="module")
def moved_job(shared, mixed_file):  # noqa: F811
    """A job whose threshold is moved by tests."""
    return run(shared, checked(shared, mixed_file), threshold=0.7)


@pytest.mark.parametrize("threshold", [0.0, pytest.param(0.5, marks=pytest.mark.slow), 0.95])
def test_reasons_are_those_of_a_run_with_the_threshold_that_is_shown(shared, mixed_file, moved_job, threshold):  # noqa: F811
    asked = run(shared, checked(shared, mixed_file), threshold=threshold)
    rows = pd.read_csv(io.BytesIO(shared.get(asked["links"]["types.csv"]).content), keep_default_na=False)
    shared.put(f"/api/jobs/{moved_job['id']}/threshold", json={"threshold": threshold})
    for job in (asked, moved_job):
        body = shared.get(f"/api/jobs/{job['id']}/unsure/cells").content
        said = ["", *EVERY]
        assert [said[code] for code in body] == reasons_in(rows)
    assert "no counts in known genes" in reasons_in(rows)


def test_unsure_cells_come_reason_by_reason_the_least_sure_first(shared, mixed_file):  # noqa: F811
    job = run(shared, checked(shared, mixed_file), threshold=0.0)
    rows = pd.read_csv(io.BytesIO(shared.get(job["links"]["types.csv"]).content), keep_default_na=False)
    told = shared.get(f"/api/jobs/{job['id']}/unsure", params={"most": 200}).json()
    counted = {row["reason"]: row["cells"] for row in told["reasons"]}
    assert counted == {reason: n for reason, n in pd.Series(reasons_in(rows)).value_counts().items() if reason}
    assert counted[MOVED] > 0
    assert told["cells"] == sum(counted.values())
    order = [(EVERY.index(row["reason"]), row["score"]) for row in told["rows"]]
    assert order == sorted(order)
    for row in told["rows"]:
        own = rows.iloc[row["position"]]
        assert (row["name"], row["term"]) == (own["cell"], own[TERM])
        assert row["reason"] == (own["spoticell_reason"] or MOVED)
        assert row["alone"] == (None if own[SINGLE] == own[TERM] else short_name(own[SINGLE]))
        assert (row["second"] is not None) == (row["reason"] == "between two types")
    some = shared.get(f"/api/jobs/{job['id']}/unsure", params={"start": 2, "most": 3}).json()
    assert (some["start"], some["rows"]) == (2, told["rows"][2:5])
    reason = told["reasons"][0]["reason"]
    only = shared.get(f"/api/jobs/{job['id']}/unsure", params={"reason": reason}).json()
    assert (only["cells"], {row["reason"] for row in only["rows"]}) == (counted[reason], {reason})
    summary = shared.get(f"/api/jobs/{job['id']}/summary").json()
    parts = 0
    for number, term in [(65535, "unknown"), *((kind["index"], kind["term"]) for kind in summary["types"])]:
        of_type = shared.get(f"/api/jobs/{job['id']}/unsure", params={"type": number, "most": 200}).json()
        assert of_type["rows"] == [row for row in told["rows"] if row["term"] == term]
        assert sum(row["cells"] for row in of_type["reasons"]) == of_type["cells"]
        parts += of_type["cells"]
    assert parts == told["cells"]
    refused = shared.get(f"/api/jobs/{job['id']}/unsure", params={"reason": "bad luck"})
    assert (refused.status_code, "no such reason" in refused.json()["error"]) == (422, True)


def test_reference_cells_that_say_another_type_are_no_reason(opened, tiny_index, tmp_path):
    client, cells = opened(index=tiny_index), tiny_adata(per_type=20)
    job = done(client, h5ad(cells, tmp_path / "cells.h5ad"))
    rows = pd.read_csv(io.BytesIO(client.get(job["links"]["types.csv"]).content), keep_default_na=False)
    body = client.get(f"/api/jobs/{job['id']}/unsure/cells").content
    assert [["", *EVERY][code] for code in body] == reasons_in(rows)
    otherwise = (rows["spoticell_agrees"] == "conflict") & (rows["spoticell_score"] >= 0.5)
    assert set(rows.loc[otherwise, "spoticell_reason"]) <= {"", "looks like two cells", "unlike all reference cells"}
