"""Genes that a table of known markers tells: of types, groups and selections."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.web.conftest import checked, run, serving, small
from tests.web.test_groups import shallow_file  # noqa: F401 - a fixture

from spoticell.errors import ConfigError
from spoticell.web.app import create_app

B_CELL = "CL:0000236"
ASKED = {"groups": "cell_type_ontology_term_id"}


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "markers.tsv"
    path.write_text("cell_type\tgene\nB cells\tMS4A1\nT cells\tMS4A2\n")
    return path


@pytest.fixture(scope="module")
def served(tmp_path_factory, tiny_bundle_folder, table):
    """A server with the table, and a job on it that was asked for groups."""
    settings = small(tmp_path_factory.mktemp("marked"), tiny_bundle_folder)
    with serving(replace(settings, markers=table)) as client:
        yield client


@pytest.fixture(scope="module")
def job(served, shallow_file):  # noqa: F811
    job = run(served, checked(served, shallow_file), **ASKED)
    assert job["state"] == "done", job["error"]
    return job


@pytest.fixture(scope="module")
def summary(served, job):
    return served.get(job["links"]["summary"]).json()


def known(client, job, chosen) -> dict[str, str]:
    """Give the genes of a set of cells that are known markers, with the type that they mark."""
    genes = client.post(f"/api/jobs/{job['id']}/apart", json=chosen).json()["genes"]
    return {gene["symbol"]: gene["known"] for gene in genes if gene["known"]}


def number_of(summary, term) -> int:
    return next(kind["index"] for kind in summary["types"] if kind["term"] == term)


def test_known_markers_of_a_type_are_told(served, job, summary):
    assert known(served, job, {"types": [number_of(summary, B_CELL)]}) == {"MS4A1": "B cell"}
    others = [kind["index"] for kind in summary["types"] if kind["term"] != B_CELL]
    assert known(served, job, {"types": others}) == {}


def test_known_markers_of_a_group_are_those_of_its_type(served, job, summary):
    place = [group["term"] for group in summary["groups"]].index(B_CELL)
    assert known(served, job, {"group": place}) == {"MS4A1": "B cell"}
    assert [gene["symbol"] for gene in summary["groups"][place]["genes"] if gene["known"]] == ["MS4A1"]


def test_known_markers_of_a_selection_are_those_of_its_commonest_type(served, job, summary):
    body = served.get(job["links"]["map"]).content
    n = summary["cells"]
    member_n = np.frombuffer(body[4 + 12 * n :], "<u2") == number_of(summary, B_CELL)
    member_n[np.flatnonzero(~member_n)[0]] = True
    bits = base64.b64encode(np.packbits(member_n, bitorder="little")).decode()
    assert known(served, job, {"cells": bits}) == {"MS4A1": "B cell"}


def test_no_gene_is_marked_where_there_is_no_table(shared, done_job):
    assert known(shared, done_job, {"types": [0, 1, 2]}) == {}


def test_the_table_goes_to_runs_with_groups_and_is_named_without_its_folder(served, job, shallow_file, table):  # noqa: F811
    words = served.get(job["links"]["commands"]).json()["shell"]
    assert f"--markers {table.name}" in words
    assert str(table.parent) not in words
    alone = run(served, checked(served, shallow_file))
    assert "--markers" not in served.get(alone["links"]["commands"]).json()["shell"]


def test_groups_keep_their_markers_at_another_threshold(served, job, summary):
    moved = served.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": 0.3}).json()
    served.put(f"/api/jobs/{job['id']}/threshold", json={"threshold": summary["threshold"]})
    of_b = next(group for group in moved["groups"] if group["term"] == B_CELL)
    assert [gene["symbol"] for gene in of_b["genes"] if gene["known"]] == ["MS4A1"]


def test_a_table_that_cannot_be_used_is_said_before_the_server_starts(settings, tmp_path):
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ConfigError, match=r"bad\.csv has no column 'gene'"):
        create_app(replace(settings, markers=tmp_path / "bad.csv"))
