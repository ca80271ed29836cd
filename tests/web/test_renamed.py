"""A file that is run again says which answers are others than before."""

from __future__ import annotations

import json

import numpy as np
from tests.web.conftest import done, run

from spoticell.web import sink
from spoticell.web.renamed import COMMONEST, tell_renamed
from spoticell.web.summary import UNKNOWN_TYPE

B, T, NK = "CL:0000236", "CL:0000084", "CL:0000623"


def results(folder, terms, types):
    """Write what is read of results: terms in the order of the summary, and each cell's place among them."""
    folder.mkdir()
    summary = {"types": [{"term": term, "name": f"name of {term}"} for term in terms]}
    (folder / sink.SUMMARY).write_text(json.dumps(summary))
    np.save(folder / sink.TYPES, np.array(types, dtype=np.uint16))
    return folder


def told(folder):
    return json.loads((folder / sink.SUMMARY).read_text())["renamed"]


def test_cells_are_followed_by_what_they_are_called_whatever_the_number_of_their_type(tmp_path):
    first = results(tmp_path / "first", [T, B], [0, 0, 0, 1, 1, UNKNOWN_TYPE])
    second = results(tmp_path / "second", [B, NK, T], [2, 1, 1, 0, UNKNOWN_TYPE, UNKNOWN_TYPE])
    tell_renamed(first, second)
    found = told(second)
    assert found["cells"] == 3
    assert [(one["before"]["short"], one["now"]["short"], one["cells"]) for one in found["changes"]] == [
        ("T cell", "NK", 2),
        ("B cell", "unknown", 1),
    ]
    assert found["changes"][0]["before"]["name"] == f"name of {T}"


def test_only_the_commonest_changes_are_told_and_all_are_counted(tmp_path):
    terms = [f"CL:{number:07d}" for number in range(COMMONEST + 2)]
    first = results(tmp_path / "first", terms, range(len(terms)))
    second = results(tmp_path / "second", terms, [*range(1, len(terms)), 0])
    tell_renamed(first, second)
    assert (told(second)["cells"], len(told(second)["changes"])) == (len(terms), COMMONEST)


def test_the_first_run_tells_of_no_change_and_the_next_of_its_own(opened, tiny_file):
    client = opened()
    job = done(client, tiny_file)
    assert client.get(job["links"]["summary"]).json()["renamed"] is None
    again = run(client, job)
    assert client.get(again["links"]["summary"]).json()["renamed"] == {"cells": 0, "changes": []}
    without = run(client, again, deny=["B cell"])
    found = client.get(without["links"]["summary"]).json()["renamed"]
    assert found["cells"] == 5
    assert {one["before"]["name"] for one in found["changes"]} == {"B cell"}
    moved = client.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": 0.9}).json()
    assert moved["renamed"] == found, "it is told of the run, not of what is shown since"
