"""Real cells through the server."""

from __future__ import annotations

import dataclasses

import pytest
from tests.web.conftest import checked, done, serving, small

import spoticell

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def client(data_folder, tmp_path_factory, tiny_bundle_folder):
    settings = small(tmp_path_factory.mktemp("real"), tiny_bundle_folder)
    limits = dataclasses.replace(settings.limits, file_bytes=50_000_000, cells=10_000)
    with serving(dataclasses.replace(settings, bundles=("human-v1",), limits=limits)) as client:
        yield client


def test_the_page_gives_the_answers_of_the_command_line(client, data_folder, tmp_path):
    path = data_folder / "test" / "mimitou2019_eccite_pbmc_citefuse.h5ad"
    job = done(client, path.read_bytes(), path.name)
    spoticell.annotate(path, tmp_path / "types.csv")
    ours = client.get(job["links"]["types.csv"]).text.splitlines()
    theirs = (tmp_path / "types.csv").read_text().splitlines()
    assert [line.split(",")[:3] for line in ours] == [line.split(",")[:3] for line in theirs]


def test_mouse_cells_are_refused_in_words(client, data_folder):
    job = checked(client, (data_folder / "trap" / "marques2016_mouse_oligo_scx.h5ad").read_bytes(), "mine.h5ad")
    assert job["state"] == "failed"
    assert "mouse" in job["error"]
