"""A visitor's own table of known markers: kept with a job, and used by its runs."""

from __future__ import annotations

import gzip

import pytest
from tests.web.conftest import checked, run
from tests.web.test_groups import shallow_file  # noqa: F401 - a fixture
from tests.web.test_marked import B_CELL, known, number_of

from spoticell.web import own_markers

TABLE = "cell_type\tgene\nB cells\tMS4A1\nblob\tMS4A1\n"


def keep(client, job, text=TABLE, name="my markers.tsv", *, packed=False):
    contents = gzip.compress(text.encode()) if packed else text.encode()
    return client.put(f"/api/jobs/{job['id']}/markers", params={"name": name}, content=contents)


@pytest.fixture(scope="module")
def ready(shared, shallow_file):  # noqa: F811
    return checked(shared, shallow_file)


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_understood_of_a_table_is_told_at_once(shared, ready, packed):
    told = keep(shared, ready, packed=packed).json()
    assert (told["name"], told["types"], told["genes"], told["unread"]) == ("my_markers.tsv", 1, 1, 1)


def test_the_table_of_a_run_marks_its_groups_and_types_and_stays(shared, shallow_file):  # noqa: F811
    job = checked(shared, shallow_file)
    table = {name: value for name, value in keep(shared, job).json().items() if name in {"id", "name"}}
    job = run(shared, job, groups="cell_type_ontology_term_id", markers=table)
    summary = shared.get(job["links"]["summary"]).json()
    of_b = next(group for group in summary["groups"] if group["term"] == B_CELL)
    assert [gene["symbol"] for gene in of_b["genes"] if gene["known"]] == ["MS4A1"]
    assert job["settings"]["markers"] == table
    assert "--markers my_markers.tsv" in shared.get(job["links"]["commands"]).json()["shell"]
    keep(shared, job, "cell_type,gene\nT cell,MS4A1\n", "other.csv")
    assert known(shared, job, {"types": [number_of(summary, B_CELL)]}) == {"MS4A1": "B cell"}
    moved = shared.put(f"/api/jobs/{job['id']}/tissue", json={"tissue": "blood"}).json()
    of_b = next(group for group in moved["groups"] if group["term"] == B_CELL)
    assert [gene["symbol"] for gene in of_b["genes"] if gene["known"]] == ["MS4A1"]


def test_a_table_that_is_not_used_makes_room_for_the_next(shared, ready):
    first = keep(shared, ready).json()
    keep(shared, ready, "cell_type,gene\nT cell,MS4A1\n", "other.csv")
    order = {"markers": {"id": first["id"], "name": first["name"]}}
    refused = shared.post(f"/api/jobs/{ready['id']}/run", json=order)
    assert (refused.status_code, "no longer there" in refused.json()["error"]) == (422, True)


@pytest.mark.parametrize(
    ("contents", "status", "words"),
    [
        (b"a,b\n1,2\n", 422, "has no column 'gene'"),
        (b"\x89PNG\xff\xfe\x00", 422, "is no text"),
        (b"\x1f\x8bno gzip at all", 422, "is no text"),
        (gzip.compress(b"cell_type,gene\n" + b"x" * 5_000_000), 413, "may have 4 MB"),
        (b"x" * 300_000, 413, "too long"),
    ],
    ids=["columns", "bytes", "gzip", "bomb", "long"],
)
def test_what_is_no_table_is_refused_in_a_sentence(shared, ready, contents, status, words):
    refused = shared.put(f"/api/jobs/{ready['id']}/markers", content=contents)
    assert (refused.status_code, words in refused.json()["error"]) == (status, True), refused.json()


@pytest.mark.parametrize("name", ["../../x.tsv", "markers", "a/b\\c.csv.gz", "..", "\n"])
def test_a_name_leads_nowhere_else(name):
    plain = own_markers.plain_name(name)
    assert plain
    assert not set(plain) & set("/\\\n")
    assert not plain.startswith(".")
