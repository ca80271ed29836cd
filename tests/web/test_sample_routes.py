"""Sets of cells, as the API is asked for them: what a type is, what sets cells apart, genes by type."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from scipy import sparse
from tests.web.conftest import done
from tests.web.test_groups import asked_job, shallow_file  # noqa: F401 - fixtures

from spoticell.web.arrays import Counts, CountsWriter


@pytest.fixture
def client(shared):
    return shared


@pytest.fixture(scope="session")
def types(shared, done_job):
    return shared.get(done_job["links"]["summary"]).json()["types"]


def at(job, *rest) -> str:
    return "/".join(["/api/jobs", job["id"], *rest])


def bits(member_n) -> str:
    return base64.b64encode(np.packbits(np.asarray(member_n, dtype=bool), bitorder="little")).decode()


def number_of(types, name) -> int:
    return next(kind["index"] for kind in types if kind["name"] == name)


def type_of_each(client, job):
    contents = client.get(job["links"]["map"]).content
    n = int(np.frombuffer(contents[:4], dtype="<u4")[0])
    return np.frombuffer(contents[4 + 12 * n :], dtype="<u2")


def test_a_type_is_told_by_its_own_genes(client, done_job, types):
    found = client.post(at(done_job, "apart"), json={"types": [number_of(types, "B cell")]}).json()
    cells = types[number_of(types, "B cell")]["cells"]
    assert (found["cells"], found["compared"], found["others"]) == (
        cells,
        cells,
        len(type_of_each(client, done_job)) - cells,
    )
    aucs = [gene["auc"] for gene in found["genes"]]
    assert aucs == sorted(aucs, reverse=True)
    assert 1 <= len(aucs) <= 10
    assert all(gene["share"] >= gene["elsewhere"] for gene in found["genes"])
    assert "MS4A1" in [gene["symbol"] for gene in found["genes"]]


def test_the_same_cells_said_by_type_and_by_bit_have_the_same_genes(client, done_job, types):
    number = number_of(types, "B cell")
    member_n = type_of_each(client, done_job) == number
    by_type = client.post(at(done_job, "apart"), json={"types": [number]}).json()
    assert client.post(at(done_job, "apart"), json={"cells": bits(member_n)}).json() == by_type


def test_a_group_is_told_by_its_own_genes(client, asked_job):  # noqa: F811
    groups = client.get(asked_job["links"]["summary"]).json()["groups"]
    found = client.post(at(asked_job, "apart"), json={"group": 0}).json()
    assert found["cells"] == groups[0]["cells"]
    assert [gene["symbol"] for gene in found["genes"]] == [gene["symbol"] for gene in groups[0]["genes"]]


def test_all_cells_together_are_set_apart_by_nothing(client, done_job):
    n = len(type_of_each(client, done_job))
    assert client.post(at(done_job, "apart"), json={"cells": bits(np.ones(n))}).json() == {
        "cells": n,
        "compared": n,
        "others": 0,
        "genes": [],
    }


def test_cells_that_can_not_be_meant_are_refused_in_a_sentence(client, done_job):
    n = len(type_of_each(client, done_job))
    for order, words in (
        ({}, "in one way"),
        ({"types": [0], "group": 0}, "in one way"),
        ({"types": [999]}, "No cell is chosen"),
        ({"types": []}, "No cell is chosen"),
        ({"group": 0}, "asked for no groups"),
        ({"cells": "no base64!"}, "no base64"),
        ({"cells": "BQ=="}, f"{n} cells take {(n + 7) // 8} bytes"),
    ):
        reply = client.post(at(done_job, "apart"), json=order)
        assert (reply.status_code, words in reply.json()["error"]) == (422, True), order


def test_of_many_cells_some_are_compared(client, done_job, types, monkeypatch):
    monkeypatch.setattr("spoticell.web.selection.MOST_COMPARED", 4)
    found = client.post(at(done_job, "apart"), json={"types": [number_of(types, "B cell")]}).json()
    assert (found["compared"], found["others"]) == (4, 4)
    assert client.post(at(done_job, "apart"), json={"types": [number_of(types, "B cell")]}).json() == found


def test_a_type_is_described(client, done_job, types):
    kind = types[number_of(types, "B cell")]
    card = client.get(at(done_job, "about"), params={"type": kind["index"]}).json()
    assert (card["cells"], card["path"]) == (kind["cells"], kind["path"])
    assert card["definition"].startswith("A lymphocyte of B lineage that")
    assert card["looked_at"] == kind["cells"]
    assert sum(second["cells"] for second in card["confused"]) <= kind["cells"]
    assert kind["term"] not in [second["term"] for second in card["confused"]]
    surest = [cell["score"] for cell in card["typical"]]
    assert surest == sorted(surest, reverse=True)
    assert client.get(card["typical"][0]["picture"]).content.startswith(b"\x89PNG")
    assert client.get(at(done_job, "cells", str(card["typical"][0]["position"]))).json()["term"] == kind["term"]


def test_second_best_types_are_those_of_the_table(client, done_job, types):
    kind = types[number_of(types, "B cell")]
    card = client.get(at(done_job, "about"), params={"type": kind["index"]}).json()
    rows = client.get(done_job["links"]["types.csv"]).text.splitlines()
    names = rows[0].split(",")
    mine, second = (names.index(f"spoticell_{word}cell_type_ontology_term_id") for word in ("", "second_"))
    seconds = [row.split(",")[second] for row in rows[1:] if row.split(",")[mine] == kind["term"]]
    for other in card["confused"]:
        assert other["cells"] == seconds.count(other["term"])


def test_several_types_are_described_together(client, done_job, types):
    card = client.get(at(done_job, "about"), params={"type": [0, 1]}).json()
    assert card["cells"] == types[0]["cells"] + types[1]["cells"]
    assert (card["definition"], card["path"], card["synonyms"]) == ("", [], [])


def test_the_unknown_are_described_without_second_best(client, done_job):
    card = client.get(at(done_job, "about"), params={"type": 65535}).json()
    assert card["cells"] == (type_of_each(client, done_job) == 65535).sum()
    assert (card["looked_at"], card["confused"], card["path"]) == (0, [], [])


def test_a_type_that_is_not_there_is_refused(client, done_job):
    assert client.get(at(done_job, "about"), params={"type": 999}).status_code == 404


def test_genes_are_given_by_type(client, done_job, types, tiny_cells):
    found = client.get(at(done_job, "expression"), params={"gene": ["MS4A1", "no gene", "ms4a1"]}).json()
    assert (found["unknown"], [gene["symbol"] for gene in found["genes"]]) == (["no gene"], ["MS4A1"])
    gene = found["genes"][0]
    assert (len(gene["share"]), len(gene["mean"])) == (len(types) + 1, len(types) + 1)
    best = types[int(np.argmax(gene["mean"][:-1]))]["name"]
    assert best == "B cell"
    assert gene["share"][number_of(types, "B cell")] > 0.5
    assert gene["mean"][-1] == 0  # the cell without counts


def test_the_spread_of_a_gene_counts_every_cell_that_has_it_once(client, done_job, types):
    found = client.get(at(done_job, "genes", "MS4A1", "spread")).json()
    shares = client.get(at(done_job, "expression"), params={"gene": "MS4A1"}).json()["genes"][0]["share"]
    cells_t = [*(kind["cells"] for kind in types), 1]
    expected = [round(share * cells) for share, cells in zip(shares, cells_t, strict=True)]
    assert [sum(steps) for steps in found["cells"]] == expected
    assert found["most"] > 0
    assert client.get(at(done_job, "genes", "nothing", "spread")).status_code == 404


def test_terms_are_offered_for_a_part_of_their_name(client):
    def offered(text):
        return [term["name"] for term in client.get("/api/terms", params={"q": text}).json()["terms"]]

    assert offered("b cell")[0] == "B cell"
    assert "regulatory T cell" in offered("Treg")
    assert offered(" ") == []
    assert len(offered("cell")) == 8


def test_samples_of_several_files_are_compared_as_those_of_one(client):
    rng, samples = np.random.default_rng(0), []
    for n, condition in enumerate(["ill", "well"] * 3):
        b_cells = int(rng.integers(70, 80) if condition == "ill" else rng.integers(20, 30))
        cells = {"CL:0000236": b_cells, "CL:0000084": 100 - b_cells}
        samples.append({"name": f"s{n}", "condition": condition, "cells": cells})
    told = client.post("/api/differences", json={"condition": "state", "samples": samples}).json()
    assert (told["condition"], told["conditions"], told["samples"]) == ("state", ["ill", "well"], [3, 3])
    change = next(change for change in told["changes"] if change["name"] == "B cell")
    means = [np.mean([one["cells"]["CL:0000236"] / 100 for one in samples[at::2]]) for at in (0, 1)]
    assert [change["first"], change["second"]] == pytest.approx(means)
    assert change["q"] < 0.05


def test_one_file_a_condition_is_compared_without_a_test(client):
    cells = [{"CL:0000236": 80, "unknown": 20}, {"CL:0000236": 20, "CL:0000084": 80}]
    samples = [{"name": str(n), "condition": str(n), "cells": one} for n, one in enumerate(cells)]
    told = client.post("/api/differences", json={"samples": samples}).json()
    assert told["method"] is None
    assert "no difference is tested" in told["notes"][0]
    assert {change["p"] for change in told["changes"]} == {None}


@pytest.mark.parametrize(
    ("cells", "words"),
    [({"B cell": 3}, "is no term of the Cell Ontology"), ({"unknown": 0}, "has no cells"), ({}, "has no cells")],
)
def test_a_sample_that_can_not_be_compared_is_refused_in_a_sentence(client, cells, words):
    order = {"samples": [{"name": "s", "condition": "x", "cells": cells}]}
    reply = client.post("/api/differences", json=order)
    assert (reply.status_code, words in reply.json()["error"]) == (422, True)


def test_without_an_index_no_reference_cell_is_asked(client, done_job):
    reply = client.post(at(done_job, "matches"), json={"types": [0]})
    assert (reply.status_code, "no reference cells" in reply.json()["error"]) == (404, True)


def test_reference_cells_are_asked_about_a_set(opened, tiny_index, tiny_file):
    client = opened(index=tiny_index)
    job = done(client, tiny_file)
    kinds = client.get(job["links"]["summary"]).json()["types"]
    number = number_of(kinds, "B cell")
    said = client.post(at(job, "matches"), json={"types": [number]}).json()
    assert said["asked"] == said["agree"] == kinds[number]["cells"]
    assert said["types"] == [{"term": "CL:0000236", "name": "B cell", "short": "B cell", "cells": said["asked"]}]
    assert sum(study["cells"] for study in said["studies"]) == said["asked"]
    assert {study["name"] for study in said["studies"]} <= {"study_1", "study_2", "study_3"}
    assert client.post(at(job, "matches"), json={"types": [65535]}).json()["types"] == []


def test_rows_of_counts_are_those_of_the_cells(tmp_path):
    counts_ng = np.random.default_rng(0).poisson(0.4, (50, 9)).astype(np.float32)
    with CountsWriter(tmp_path, n_genes=9) as writer:
        for start in (0, 20, 40):
            writer.append(sparse.csr_array(counts_ng[start : start + 20]))
    counts = Counts(tmp_path)
    for cell_s in (np.array([3, 19, 20, 49]), np.arange(50), np.array([45])):
        np.testing.assert_array_equal(counts.rows(cell_s).toarray(), counts_ng[cell_s])
    assert counts.rows(np.array([], dtype=int)).shape == (0, 9)
