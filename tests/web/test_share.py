"""One HTML file of what is looked at: what is in it, what is not, how large it is, and that nothing in it is a page."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tests.conftest import tiny_adata
from tests.web.conftest import checked, done, h5ad, run
from tests.web.test_sample_routes import at, bits

from spoticell.web import columns, sink
from spoticell.web.arrays import CountsWriter
from spoticell.web.inlined import hash_of
from spoticell.web.results import Results
from spoticell.web.share import STEPS, shared_page
from spoticell.web.share_schemas import MOST_SHARED, ShareOrder

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
MEGABYTE = 1_000_000


@dataclass
class Shared:
    """What a shared file holds."""

    page: str
    words: dict[str, Any]
    body: bytes

    def array(self, name: str) -> np.ndarray:
        kind, start, length = self.words["arrays"][name]
        return np.frombuffer(self.body, dtype=f"<{kind}", count=length, offset=start)


def opened(page: str) -> Shared:
    packed = re.search(r'id="data">([A-Za-z0-9+/=]+)</script>', page)
    contents = gzip.decompress(base64.b64decode(packed[1]))
    size = int.from_bytes(contents[:4], "little")
    assert (4 + size) % 8 == 0
    return Shared(page, json.loads(contents[4 : 4 + size]), contents[4 + size :])


@pytest.fixture(scope="module")
def cells():
    cells = tiny_adata(per_type=8)
    cells.obs["condition"] = ["treated", HOSTILE] * (cells.n_obs // 2) + ["treated"]
    cells.obs["depth"] = np.linspace(0, 1, cells.n_obs)
    cells.obsm["X_umap"] = np.random.default_rng(0).normal(size=(cells.n_obs, 2))
    return cells


@pytest.fixture(scope="module")
def job(shared, cells, tmp_path_factory):
    contents = h5ad(cells, tmp_path_factory.mktemp("share") / "cells.h5ad")
    return done(shared, contents, "<b>my & cells.h5ad")


@pytest.fixture
def share(shared, job):
    def ask(**order: Any) -> Shared:
        reply = shared.get(at(job, "share"), params=order)
        assert reply.status_code == 200, reply.text
        return opened(reply.text)

    return ask


@pytest.fixture
def places(shared, job):
    told = shared.get(at(job, "columns")).json()["columns"]
    return {column["name"]: place for place, column in enumerate(told)}


def test_the_file_holds_map_scores_and_types_of_all_cells(shared, job, share):
    held, shown = share(), shared.get(at(job, "map")).content
    n = int.from_bytes(shown[:4], "little")
    floats = np.frombuffer(shown, dtype="<f4", count=3 * n, offset=4).reshape(3, n)
    np.testing.assert_array_equal(held.array("score"), floats[2])
    np.testing.assert_array_equal(held.array("type"), np.frombuffer(shown, dtype="<u2", offset=4 + 12 * n))
    for axis, place_n in zip("xy", floats, strict=False):
        step_n = held.array(axis)
        np.testing.assert_array_equal(step_n > STEPS, np.isnan(place_n))
        known_n = ~np.isnan(place_n)
        np.testing.assert_allclose(step_n[known_n] / STEPS, place_n[known_n], atol=1e-5)
    summary = shared.get(at(job, "summary")).json()
    assert held.words["summary"] == summary | {"samples": None, "differences": None}
    assert held.words["job"]["settings"]["model"] == summary["model"]


def test_what_is_not_asked_for_is_not_in_it(share, cells):
    held = share()
    text = json.dumps(held.words) + held.body.decode("latin-1")
    assert not any(name in text for name in [*cells.obs_names[:5], "condition", "treated"])
    assert set(held.words["arrays"]) == {"x", "y", "score", "type"}
    assert (held.words["cell"], held.words["genes"]) == (None, [])


def test_genes_and_columns_that_are_asked_for_are_in_it(shared, job, share, places):
    held = share(gene=["MS4A1", "ms4a1", "LYZ", "nothing"], column=[places["condition"], places["depth"]])
    assert [gene["symbol"] for gene in held.words["genes"]] == ["MS4A1", "LYZ"]
    assert held.array("gene 0").tobytes() == shared.get(at(job, "genes", "MS4A1")).content
    assert [column["name"] for column in held.words["columns"]["columns"]] == ["condition", "depth"]
    for place, name in enumerate(["condition", "depth"]):
        assert held.array(f"column {place}").tobytes() == shared.get(at(job, "columns", str(places[name]))).content


def test_a_cells_card_goes_in_without_its_name(share, cells):
    cell = share(cell=3).words["cell"]
    assert cell["position"] == 3
    assert cells.obs_names[3] not in json.dumps(cell)
    assert cell["picture"].startswith("data:image/png;base64,")


def test_a_map_of_the_file_takes_the_place_of_ours(shared, job, share):
    held = share(map=0)
    places_2n = np.frombuffer(shared.get(at(job, "maps", "0")).content, dtype="<f4").reshape(2, -1)
    np.testing.assert_allclose(held.array("x") / STEPS, places_2n[0], atol=1e-5)
    assert held.words["map"] == "X_umap"


def test_cells_chosen_one_by_one_go_in_by_a_post(shared, job, share):
    chosen = np.arange(len(share().array("type"))) % 3 == 0
    reply = shared.post(at(job, "share"), json={"cells": bits(chosen), "name": "Selection"})
    held = opened(reply.text)
    np.testing.assert_array_equal(held.array("chosen"), chosen)
    assert held.words["chosen"] == "Selection"
    assert opened(shared.post(at(job, "share"), json={}).text).words["chosen"] is None


def test_names_that_were_given_go_in(shared, tiny_file):
    own = done(shared, tiny_file)
    shared.post(at(own, "curated"), json={"name": "mine", "types": [0]})
    held = opened(shared.get(at(own, "share")).text)
    assert [given["name"] for given in held.words["given"]] == ["mine"]
    np.testing.assert_array_equal(held.array("given") == 1, held.array("type") == 0)


def test_groups_go_in_where_there_are_some(shared, cells, tmp_path):
    own = run(shared, checked(shared, h5ad(cells, tmp_path / "cells.h5ad")), groups="batch")
    assert own["state"] == "done", own["error"]
    held = opened(shared.get(at(own, "share")).text)
    assert held.array("group").tobytes() == shared.get(at(own, "groups")).content


@pytest.mark.parametrize(
    "order", [{"cell": 10_000}, {"column": 90}, {"map": 7}, {"cell": -1}, {"nothing": 1}, {"gene": ["X"] * 70}]
)
def test_what_is_not_there_is_refused_in_a_sentence(shared, job, order):
    reply = shared.get(at(job, "share"), params=order)
    assert (reply.status_code, "error" in reply.json()) == (422, True)


def test_no_text_of_an_upload_is_a_part_of_the_page(share, places):
    view = f"by=column&chosen={HOSTILE}"
    held = share(column=[places["condition"]], view=view, gene=[HOSTILE])
    assert held.words["view"] == view
    assert "alert(" not in held.page
    assert "<b>my" not in held.page
    assert "<title>&lt;b&gt;my &amp; cells.h5ad · Spoticell</title>" in held.page
    assert "[[" not in re.sub(r"<script>.*</script>", "", held.page, flags=re.DOTALL)


def test_the_policy_lets_nothing_run_but_what_the_file_brings(share):
    held = share()
    policy = html.unescape(re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', held.page)[1])
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data: blob:"
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        (own,) = re.findall(rf"<{tag}>(.*?)</{tag}>", held.page, flags=re.DOTALL)
        (of_map,) = re.findall(rf"<{tag}>(.*?)</{tag}>", held.words["frame"], flags=re.DOTALL)
        assert rules[kind] == f"{hash_of(own)} {hash_of(of_map)}"
    assert not re.search(r"\b(?:src|href)=\"(?!data:|#)", held.page.split("<script", 1)[0])


def test_the_file_is_kept_under_the_name_of_the_upload(shared, job):
    reply = shared.get(at(job, "share"))
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="b_my_cells.shared.html"'


@pytest.fixture(scope="module")
def fifty_thousand(tmp_path_factory, tiny_bundle):
    """Results of cells that can hardly be packed: ten columns and all genes are noise."""
    folder, n, rng = tmp_path_factory.mktemp("many"), 50_000, np.random.default_rng(0)
    n_genes = len(tiny_bundle.vocabulary)
    counts_ng = rng.poisson(3, size=(n, n_genes)).astype(np.float32)
    with CountsWriter(folder / sink.COUNTS, n_genes=n_genes) as writer:
        writer.append(sparse.csr_array(counts_ng))
    np.save(folder / sink.TYPES, rng.integers(0, 2, n).astype(np.uint16))
    np.save(folder / sink.NODES, np.arange(2))
    np.save(folder / sink.N_COUNTS, counts_ng.sum(axis=1))
    np.save(folder / sink.MEASURED, np.ones(n_genes, dtype=bool))
    shown = n.to_bytes(4, "little") + rng.random((3, n)).astype("<f4").tobytes()
    (folder / sink.MAP).write_bytes(gzip.compress(shown, compresslevel=1))
    (folder / sink.SUMMARY).write_text("{}")
    (folder / columns.COLUMNS).mkdir()
    for place in range(MOST_SHARED):
        values = rng.normal(size=n).astype("<f4").tobytes()
        (folder / columns.COLUMNS / columns.packed_name(place)).write_bytes(gzip.compress(values, compresslevel=1))
    listed = [{"name": f"column {place}", "kind": "number", "ours": False} for place in range(MOST_SHARED)]
    (folder / columns.LIST).write_text(json.dumps({"columns": listed, "left_out": [], "maps": []}))
    return Results(folder, tiny_bundle)


def test_fifty_thousand_cells_stay_under_eight_megabytes(fifty_thousand):
    job = SimpleNamespace(name="cells.h5ad", state="queued", findings=None, earlier={"settings": {"model": "tiny"}})
    genes = list(fifty_thousand.bundle.vocabulary.symbols)[:60]
    page = shared_page(fifty_thousand, job, ShareOrder(gene=genes, column=list(range(MOST_SHARED))))
    assert len(opened(page.decode()).words["genes"]) == len(genes)
    room = (60 - len(genes)) * 50_000 * 4 / 3
    assert len(page) + room < 8 * MEGABYTE
    assert len(shared_page(fifty_thousand, job, ShareOrder(gene=genes[:2], column=[0, 1]))) < 2 * MEGABYTE
