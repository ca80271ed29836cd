"""Why cells are called what they are called, as the API is asked for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.web.conftest import serving, settled, small

import spoticell
from spoticell.web import demo, explaining

DEMO = Path(demo.__file__).parent / "demo_cells" / demo.NAME
UNKNOWN = 65535


@pytest.fixture(scope="module")
def human(tmp_path_factory):
    """A server with the packaged model, whose weights can be followed."""
    with serving(small(tmp_path_factory.mktemp("why"), "human-v1")) as client:
        yield client


@pytest.fixture(scope="module")
def job(human):
    """The demo, named with groups."""
    made = settled(human, human.post("/api/jobs/demo").json())
    human.post(f"/api/jobs/{made['id']}/run", json={"groups": "auto"})
    done = settled(human, human.get(f"/api/jobs/{made['id']}").json())
    assert done["state"] == "done"
    return done


@pytest.fixture(scope="module")
def summary(human, job):
    return human.get(job["links"]["summary"]).json()


@pytest.fixture(scope="module")
def type_n(human, job):
    contents = human.get(job["links"]["map"]).content
    n = int(np.frombuffer(contents[:4], dtype="<u4")[0])
    return np.frombuffer(contents[4 + 12 * n :], dtype="<u2")


@pytest.fixture
def ask(human, job):
    return lambda **what: human.get(f"/api/jobs/{job['id']}/why", params=what)


def test_a_cell_is_told_why_it_is_called_so(ask, type_n, summary):
    monocytes = next(kind for kind in summary["types"] if kind["term"] == "CL:0002396")
    cell = int(np.flatnonzero(type_n == monocytes["index"])[0])
    told = ask(cell=cell).json()
    assert (told["term"], told["asked_about"], told["cells"], told["asked"]) == ("CL:0002396", "answer", 1, 1)
    assert "FCGR3A" in [gene["symbol"] for gene in told["speak_for"][:3]]
    assert all(gene["contribution"] > 0 for gene in told["speak_for"])
    assert all(gene["contribution"] < 0 for gene in told["against"])
    assert sum(told["contributions"]) == pytest.approx(told["probability"] - told["without"], abs=0.1)
    side = spoticell.load_bundle("human-v1").manifest.grid
    first = told["speak_for"][0]
    assert (
        told["contributions"][told["pixels"].index(first["pixel"][0] * side + first["pixel"][1])]
        == first["contribution"]
    )


def test_the_page_says_what_python_says(ask, summary):
    kind = summary["types"][0]
    told = ask(type=kind["index"]).json()
    with pytest.warns(spoticell.errors.SpoticellWarning):
        found = spoticell.explain(DEMO, cell_type=kind["term"], on_progress=False)
    one = found.explained[0]
    genes = [found.bundle.vocabulary.symbols[g] for g in one.genes(explaining.NAMED)[0]]
    assert one.cells == told["cells"] > told["asked"] == one.asked
    assert [gene["symbol"] for gene in told["speak_for"]] == genes


def test_types_together_are_asked_about_what_they_are_together(ask, summary):
    level = next(group for group in summary["levels"][0]["groups"] if len(group["types"]) > 1)
    told = ask(type=level["types"], term=level["term"]).json()
    assert (told["term"], told["cells"]) == (level["term"], level["cells"])
    assert ask(type=level["types"]).status_code == 422


def test_another_type_can_be_asked_about(ask, summary):
    told = ask(cell=0, term="CL:0000236").json()
    assert (told["type"], told["asked_about"]) == ("B cell", "other")
    assert ask(cell=0, term="CL:9999999").status_code == 404
    assert ask(group=0, term="CL:0000236").json()["asked_about"] == "other"


def test_a_group_is_told_why_it_is_called_so(ask, summary):
    told = ask(group=0).json()
    assert told["term"] == summary["groups"][0]["term"]
    assert told["cells"] == summary["groups"][0]["cells"]
    assert told["changed"] <= told["asked"] <= 50


def test_what_is_worked_out_once_is_kept(ask, monkeypatch):
    first = ask(group=1).json()
    monkeypatch.setattr(explaining, "explain_cells", None)
    assert ask(group=1).json() == first


def test_an_unknown_cell_is_asked_about_what_it_is_likeliest_to_be(human, ask, job, type_n):
    link = f"/api/jobs/{job['id']}/threshold"
    told = human.put(link, json={"threshold": 0.99})
    assert told.status_code == 200, told.text
    try:
        contents = human.get(job["links"]["map"]).content
        now_n = np.frombuffer(contents[4 + 12 * len(type_n) :], dtype="<u2")
        cell = int(np.flatnonzero((now_n == UNKNOWN) & (type_n != UNKNOWN))[0])
        answer = ask(cell=cell).json()
        assert answer["asked_about"] == "second"
        assert answer["term"].startswith("CL:")
    finally:
        human.put(link, json={"threshold": 0.3})


@pytest.mark.parametrize(
    "what",
    [{}, {"cell": 0, "group": 0}, {"type": 0, "cell": 0}, {"group": 60000}],
    ids=["nothing", "cell and group", "type and cell", "no such group"],
)
def test_a_question_that_can_not_be_understood_is_refused(ask, what):
    assert ask(**what).status_code == 422


@pytest.mark.parametrize("what", [{"cell": "nobody"}, {"type": 60000}], ids=["cell", "type"])
def test_what_is_not_there_can_not_be_asked(ask, what):
    assert ask(**what).status_code == 404


def test_of_a_model_without_weights_each_gene_is_taken_out_in_turn(shared, done_job, tiny_markers):
    told = shared.get(f"/api/jobs/{done_job['id']}/why", params={"type": 0})
    assert told.status_code == 200, told.text
    why = told.json()
    assert why["method"] == "occlusion"
    assert 1 <= why["asked"] <= 5
    assert {voice["symbol"] for voice in why["speak_for"][:3]} <= tiny_markers


def test_a_cell_without_counts_is_like_no_type(shared, done_job):
    told = shared.get(f"/api/jobs/{done_job['id']}/why", params={"cell": 30})
    assert told.status_code == 404
    assert "like no type" in told.json()["error"]
