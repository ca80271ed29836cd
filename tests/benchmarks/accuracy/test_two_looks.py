"""What the tables of the two looks say, and what is kept between runs."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("torch", reason="the peers are networks, most of them")

from benchmarks.accuracy.gene_panels import OURS
from benchmarks.accuracy.looks_table import ALONE, TISSUE, TOGETHER, VOTE, report
from benchmarks.accuracy.two_looks import Bench, Kept, Learner, Seen, missing, over_draws
from benchmarks.lib.studies import Cells
from benchmarks.peers.methods import RefusedError
from benchmarks.peers.tuning import Choice, Rule

SETS = {"all": ["kang", "boldog"], "1000": ["kang"]}


def figures(macro, hierarchical=0.9):
    return {"macro_f1": macro, "hierarchical_f1": hierarchical, "foreign": 0.01}


def runs(whole, fewer):
    return {
        "all": [{"kang": figures(whole), "boldog": figures(whole)}],
        "1000": [{"kang": figures(fewer, 0.45)}],
    }


def test_the_table_says_what_spoticell_gains_and_how_far_it_is_ahead_of_the_best_peer():
    ours = {ALONE: runs(0.7, 0.4), TISSUE: runs(0.75, 0.5)}
    ours[TISSUE]["all"][0]["boldog"] = figures(0.68)
    lines = report(
        {OURS: ours, "a peer": {ALONE: runs(0.5, 0.1), TOGETHER: runs(0.7, 0.3), VOTE: runs(0.6, 0.2)}}, SETS
    )
    assert "| Spoticell, **with the sample** | 0.750 / 0.900 | 0.715 / 0.900 | 0.500 / 0.450 | 1.0% |" in lines
    gain = "with the sample against each cell alone +0.050 / +0.000"
    own = "against the best peer on its own (a peer, majority vote) +0.150 / +0.000"
    ours = "against the best peer with what Spoticell does (a peer, same neighbours) +0.050 / +0.000"
    assert f"* whole, 1 of the first seven: {gain}; {own}; {ours}." in lines
    assert "* Whole sets that lose more than 0.005 of either with the sample: boldog -0.020 / +0.000." in lines
    assert "| a peer, majority vote | 33.3% / 50.0% |" in lines


def test_a_peer_that_refuses_sets_has_a_table_of_those_that_it_takes():
    ours = {ALONE: runs(0.7, 0.4), TISSUE: runs(0.75, 0.5)}
    choosy = {ALONE: {"all": [{"kang": figures(0.9)}]}}
    lines = report({OURS: ours, "choosy": choosy}, SETS)
    place = lines.index("## choosy")
    assert "| choosy, each cell alone | 0.900 / 0.900 | 1.0% |" in lines[place:]
    assert not any(line.startswith("| choosy") for line in lines[:place])
    assert any(line.startswith("| boldog | ") and line.endswith("| refuses |") for line in lines)


def test_what_is_kept_is_made_once(tmp_path):
    kept, made = Kept(tmp_path), []

    def make():
        made.append(1)
        return {"numbers": np.arange(3)}

    found = [kept.get("a peer's words", "a set", make)["numbers"].tolist() for _ in range(2)]
    assert found == [[0, 1, 2]] * 2
    assert len(made) == 1


def test_draws_count_alike_and_words_are_left_out():
    assert over_draws([{"macro_f1": 0.2, "per_type": {}}, {"macro_f1": 0.4, "per_type": {}}]) == {
        "macro_f1": pytest.approx(0.3)
    }


class Choosy:
    def probabilities(self, counts_ng, measured_g):
        raise RefusedError("too few genes")


def test_sets_that_a_peer_refuses_have_no_figures(tmp_path):
    counts_ng = sparse.csr_array(np.ones((2, 3), dtype=np.float32))
    cells = Cells("kang", counts_ng, np.ones(3, dtype=bool), np.array(["CL:0000084", "unknown"], dtype=object))
    learner = Learner(None, Choice({}, Rule(), []), None)
    learner.peer = Choosy()
    bench = Bench([Seen(cells, "all", 0)], None, Kept(tmp_path), [])
    assert bench.score(bench.peer("choosy", learner)) == {}


def test_only_labelled_cells_are_scored():
    counts_ng = sparse.csr_array(np.ones((3, 3), dtype=np.float32))
    cells = Cells("kang", counts_ng, np.ones(3, dtype=bool), np.array(["a", "unknown", "b"], dtype=object))
    asked = []

    def judge(name, truth, given, scores):
        asked.append((name, truth, given, scores.tolist()))
        return {"macro_f1": 1.0, "per_type": {}}

    bench = Bench([Seen(cells, "all", 0)], judge, None, [])
    found = bench.score(lambda _: {ALONE: (["x", "y", "z"], np.array([0.1, 0.2, 0.3]))})
    assert asked == [("kang", ["a", "b"], ["x", "z"], [0.1, 0.3])]
    assert found == {ALONE: {"all": {"kang": {"macro_f1": 1.0}}}}


def test_rows_that_are_known_are_not_measured_again():
    rows = {OURS: {ALONE: {}, TISSUE: {}, VOTE: {}}}
    assert list(missing(rows, None, SimpleNamespace(cells=None))) == []


def test_only_ways_of_ours_that_are_not_known_are_measured():
    asked = []
    bench = SimpleNamespace(
        runtimes=["a bundle"],
        spoticell=lambda runtime, ways: asked.append((runtime, ways)),
        score=lambda _: {ALONE: runs(0.7, 0.4), TISSUE: runs(0.8, 0.5)},
    )
    rows = {OURS: {VOTE: {"all": ["as it was"]}}}
    (found,) = missing(rows, bench, SimpleNamespace(cells=None))
    assert asked == [("a bundle", [ALONE, TISSUE])]
    assert found[OURS][VOTE] == {"all": ["as it was"]}
    assert found[OURS][TISSUE]["1000"] == [runs(0.8, 0.5)["1000"]]
