"""What a peer makes of a sample: with neighbours, with the tissues that it shows, by the vote of groups."""

import numpy as np
import pytest
from scipy import sparse

pytest.importorskip("torch", reason="the rules of peers are tuned with torch")

from benchmarks.lib.studies import Cells
from benchmarks.peers.tuning import Rule
from benchmarks.peers.votes import majority, neighbours_answer, over_clustering, read_with, tissue_answer

from spoticell.biology.neighbours import find_neighbours

T_CELL, B_CELL, HEPATOCYTE, KUPFFER, MESANGIAL = "CL:0000084", "CL:0000236", "CL:0000182", "CL:0000091", "CL:0000650"


@pytest.fixture
def two_crowds():
    place_nd = np.repeat([0, 50], 20)[:, None] + np.random.default_rng(0).normal(size=(40, 1))
    return find_neighbours(np.float32(place_nd), np.arange(40, dtype=np.uint64))


@pytest.mark.parametrize("threshold", [None, 0.5])
def test_a_doubtful_cell_goes_with_its_neighbours(two_crowds, threshold):
    chance_nc = np.repeat(np.float32([[0.9, 0.1], [0.1, 0.9]]), 20, axis=0)
    chance_nc[0] = [0.4, 0.6]
    rule = Rule(threshold=threshold)
    assert rule.answer(chance_nc, [T_CELL, B_CELL])[0][0] == B_CELL
    terms, score_n = neighbours_answer(chance_nc, [T_CELL, B_CELL], rule, two_crowds)
    assert list(terms) == [T_CELL] * 20 + [B_CELL] * 20
    assert (score_n > 0.6).all()


def test_weights_read_together_are_of_one(two_crowds):
    weight_nc = np.random.default_rng(0).dirichlet(np.ones(5), 40).astype(np.float32)
    assert read_with(weight_nc, two_crowds).sum(axis=1) == pytest.approx(np.ones(40), abs=1e-5)


@pytest.mark.parametrize("threshold", [None, 0.3])
def test_types_of_tissues_that_the_sample_does_not_show_are_no_answer(two_crowds, threshold):
    labels = [HEPATOCYTE, KUPFFER, MESANGIAL, T_CELL]
    chance_nc = np.repeat(np.float32([[0.7, 0.2, 0.0, 0.1], [0.0, 0.3, 0.7, 0.0]]), 20, axis=0)
    rule = Rule(threshold=threshold)
    assert set(neighbours_answer(chance_nc, labels, rule, two_crowds)[0][20:]) == {MESANGIAL}
    assert MESANGIAL not in tissue_answer(chance_nc, labels, rule, two_crowds)[0]


def test_each_cell_has_the_commonest_term_of_its_group():
    pytest.importorskip("celltypist", reason="it votes")
    groups = np.array(["0", "0", "0", "1", "1", "1"])
    assert majority([T_CELL, T_CELL, B_CELL, B_CELL, "unknown", B_CELL], groups) == [T_CELL] * 3 + [B_CELL] * 3


def test_cells_of_different_kinds_are_in_different_groups():
    pytest.importorskip("celltypist", reason="it clusters")
    pytest.importorskip("igraph", reason="it clusters by it")
    rng, kind_n = np.random.default_rng(0), np.repeat([0, 1], 60)
    rate_ng = np.where(kind_n[:, None] == np.arange(200) % 2, 6, 0.5)
    counts_ng = sparse.csr_array(rng.poisson(rate_ng).astype(np.float32))
    group_n = over_clustering(Cells("made up", counts_ng, np.ones(200, dtype=bool), np.full(120, T_CELL, dtype=object)))
    assert not set(group_n[kind_n == 0]) & set(group_n[kind_n == 1])
