"""A cell can be asked for by any name."""

import pytest
from tests.conftest import tiny_adata
from tests.web.conftest import done, h5ad

ODD = [
    "a/b",
    "../../x",
    "a?b=c",
    "a#b",
    "a%2Fb",
    "100%",
    "é ü",
    "x" * 1000,
    "\u05d0\u05d1-1",
    "a&cell=0",
    " a",
    "0/1",
    ".",
]


@pytest.fixture(scope="module")
def odd_job(shared, tmp_path_factory):
    cells = tiny_adata()
    cells.obs_names = ODD + cells.obs_names[len(ODD) :].tolist()
    return done(shared, h5ad(cells, tmp_path_factory.mktemp("odd") / "cells.h5ad"))


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_a_cell_of_any_name_is_found_and_has_a_picture(shared, odd_job, name):
    reply = shared.get(f"/api/jobs/{odd_job['id']}/cell", params={"cell": name})
    assert reply.status_code == 200, reply.text
    assert (reply.json()["position"], reply.json()["name"]) == (ODD.index(name), name)
    assert shared.get(reply.json()["picture"]).headers["content-type"] == "image/png"


def test_both_ways_to_ask_give_the_same(shared, odd_job):
    one = shared.get(f"/api/jobs/{odd_job['id']}/cell", params={"cell": "3"})
    assert one.json() == shared.get(f"/api/jobs/{odd_job['id']}/cells/3").json()


def test_the_side_of_the_picture_is_told(shared, odd_job, tiny_bundle):
    assert shared.get(f"/api/jobs/{odd_job['id']}/cells/3").json()["grid"] == tiny_bundle.manifest.grid


@pytest.mark.parametrize(("name", "status"), [("nobody/here", 404), ("", 404), ("x" * 4001, 422)])
def test_a_name_that_no_cell_has_is_told_in_a_sentence(shared, odd_job, name, status):
    reply = shared.get(f"/api/jobs/{odd_job['id']}/cell", params={"cell": name})
    assert reply.status_code == status
    assert reply.json()["error"]
