"""Names that readers give to cells: kept, undone, and put into what is downloaded."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import anndata
import numpy as np
import pytest
from tests.web.conftest import done
from tests.web.test_sample_routes import at, bits, type_of_each

from spoticell.errors import OutputError
from spoticell.web.curated import Curated
from spoticell.web.refusal import Refusal


@pytest.fixture
def client(shared):
    return shared


@pytest.fixture
def job(client, tiny_file):
    """A job to give names in."""
    return done(client, tiny_file, "mine.h5ad")


def give(client, job, name, **chosen):
    return client.post(at(job, "curated"), json={"name": name, **chosen})


def codes(client, job):
    return np.frombuffer(client.get(at(job, "curated", "cells")).content, dtype="<u2")


def table_of(client, job) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(client.get(job["links"]["types.csv"]).text)))


def test_two_types_become_one_under_one_name(client, job):
    type_n = type_of_each(client, job)
    reply = give(client, job, "  My cells ", types=[0, 1])
    own = int(np.isin(type_n, [0, 1]).sum())
    (given,) = reply.json()["names"]
    assert (given["name"], given["cells"], given["term"], reply.json()["edits"]) == ("My cells", own, None, 1)
    np.testing.assert_array_equal(codes(client, job), np.isin(type_n, [0, 1]))


def test_a_later_name_replaces_an_earlier_one_and_is_undone_first(client, job):
    give(client, job, "first", types=[0, 1])
    give(client, job, "B cell", types=[0])
    told = give(client, job, "second", types=[1]).json()
    assert [(given["name"], given["term"]) for given in told["names"]] == [("B cell", "CL:0000236"), ("second", None)]
    type_n = type_of_each(client, job)
    np.testing.assert_array_equal(codes(client, job), np.select([type_n == 0, type_n == 1], [1, 2], 0))
    for left in (["first", "B cell"], ["first"], []):
        told = client.post(at(job, "curated", "undo")).json()
        assert [given["name"] for given in told["names"]] == left
    assert client.get(at(job, "curated")).json() == {"names": [], "edits": 0}
    assert client.post(at(job, "curated", "undo")).status_code == 409


def test_names_are_in_what_is_kept(client, job, tmp_path):
    plain = {name: client.get(job["links"][name]).content for name in ("annotated.h5ad", "types.csv", "report.html")}
    before, type_n = table_of(client, job), type_of_each(client, job)
    give(client, job, "=SUM(A1)", types=[0])
    path = tmp_path / "kept.h5ad"
    reply = client.get(job["links"]["annotated.h5ad"])
    assert 'filename="mine.annotated.h5ad"' in reply.headers["content-disposition"]
    path.write_bytes(reply.content)
    kept = anndata.read_h5ad(path)
    expected = np.where(type_n == 0, "=SUM(A1)", kept.obs["spoticell_cell_type"].astype(str))
    assert kept.obs["spoticell_curated"].tolist() == expected.tolist()
    after = table_of(client, job)
    assert [row.pop("spoticell_curated") for row in after] == [word.replace("=", "'=") for word in expected.tolist()]
    assert after == before
    assert client.get(job["links"]["report.html"]).content == plain["report.html"]
    client.post(at(job, "curated", "undo"))
    assert {name: client.get(job["links"][name]).content for name in plain} == plain


def test_nothing_is_left_of_what_was_sent(settings, opened, tiny_file):
    client = opened()
    own = done(client, tiny_file)
    give(client, own, "mine", types=[0])
    for name in ("annotated.h5ad", "types.csv"):
        assert client.get(own["links"][name]).status_code == 200
    folder = settings.jobs_dir / own["id"] / "results"
    while list(folder.glob("passing-*")):  # the last file is removed after it is sent
        pass
    assert [path.name for path in (folder / "curated").iterdir()] == ["000001.npz"]


def test_names_that_can_not_be_are_refused(client, job):
    for name in ("", "   ", "x" * 101, "two\nlines", "\x00"):
        assert give(client, job, name, types=[0]).status_code == 422, name
    assert give(client, job, "fine").status_code == 422
    assert client.get(at(job, "curated")).json()["edits"] == 0


def test_a_million_cells_can_be_named_in_one_request(client, job):
    n = len(type_of_each(client, job))
    reply = give(client, job, "many", cells=bits(np.ones(1_000_000)))
    assert (reply.status_code, f"take {(n + 7) // 8} bytes" in reply.json()["error"]) == (422, True)


def test_the_table_is_removed_again_if_it_can_not_be_written(client, job, monkeypatch, settings):
    give(client, job, "mine", types=[0])
    removed: list[Path] = []

    def fail(table, passing, names):
        removed.append(passing)
        raise OSError("full")

    monkeypatch.setattr("spoticell.web.kept_marks._write_rows", fail)
    assert client.get(job["links"]["types.csv"]).status_code == 500
    assert [path.exists() for path in removed] == [False]


def test_of_two_who_name_at_once_one_is_asked_to_try_again(tmp_path, monkeypatch):
    curated, member_n = Curated(tmp_path, 3), np.array([True, False, True])
    curated.add(member_n, "first")
    monkeypatch.setattr(curated, "_edits", list)  # the other's name came after the look
    with pytest.raises(Refusal, match="at the same moment"):
        curated.add(member_n, "second")


def test_a_full_disk_refuses_a_name_in_a_sentence(tmp_path, monkeypatch):
    def full(path, **how):
        raise OutputError("the disk is full")

    monkeypatch.setattr("spoticell.web.curated.atomic", full)
    with pytest.raises(Refusal, match="no room for this name"):
        Curated(tmp_path, 3).add(np.ones(3, dtype=bool), "name")


def test_so_many_names_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("spoticell.web.curated.MOST_EDITS", 1)
    curated = Curated(tmp_path, 3)
    curated.add(np.ones(3, dtype=bool), "one")
    with pytest.raises(Refusal, match="1 times already"):
        curated.add(np.ones(3, dtype=bool), "two")
