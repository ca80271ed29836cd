"""The peers of the benchmark: that each learns, how settings are chosen, what the table says."""

from functools import partial
from typing import ClassVar

import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.genes import load_vocabulary
from spoticell.training.data.labelled import LabelledCells

pytest.importorskip("torch", reason="the peers are trained with torch")

from benchmarks.lib.studies import Cells
from benchmarks.peers.compare import combinations, digest, entries, missing
from benchmarks.peers.comparison import report, table
from benchmarks.peers.methods import BoostedTrees, CellTypist, Neighbours, RefusedError, at_most
from benchmarks.peers.networks import WIDE, Network
from benchmarks.peers.tuning import HELD_OUT, Choice, Rule, choose_rule, tune

T_CELL, CD4, CD8, B_CELL = "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000236"
MARKERS = {CD4: 100, CD8: 200, B_CELL: 300}
"""Each label's own genes begin at this one."""
QUICK = {"epochs": 1, "cells_per_epoch": 10240, "learning_rate": 1e-2}
PEERS = {
    "neighbours": partial(Neighbours, components=5, neighbours=3),
    "boosted trees": partial(BoostedTrees, components=5, leaves=3, rounds=5),
    "CellTypist": CellTypist,
    "flat linear": partial(Network, hierarchical=False, **QUICK),
    "hierarchical linear": partial(Network, **QUICK),
    "perceptron": partial(Network, hidden=(8,), scaling="sqrt", **QUICK),
}
NEEDS = {"boosted trees": "lightgbm", "CellTypist": "celltypist"}


def made_up(each: int, *, seed: int, dataset: str = "made up") -> LabelledCells:
    """Cells of three labels with ten genes of their own among a hundred that all have."""
    rng, n_genes = np.random.default_rng(seed), len(load_vocabulary())
    label_n = np.repeat(np.array(list(MARKERS), dtype=object), each)
    counts_ng = np.zeros((len(label_n), n_genes), dtype=np.float32)
    counts_ng[:, :100] = rng.poisson(1, (len(label_n), 100))
    for cell, label in enumerate(label_n):
        counts_ng[cell, MARKERS[label] : MARKERS[label] + 10] = 1 + rng.poisson(5, 10)
    return LabelledCells(
        counts_ng=sparse.csr_array(counts_ng),
        label_n=label_n,
        dataset_n=np.zeros(len(label_n), dtype=np.intp),
        donor_n=np.full(len(label_n), "", dtype=object),
        datasets=(dataset,),
        measured_sg=np.ones((1, n_genes), dtype=np.bool_),
    )


def as_set(cells: LabelledCells) -> Cells:
    return Cells(cells.datasets[0], cells.counts_ng, cells.measured_sg[0], cells.label_n)


@pytest.fixture(params=PEERS)
def make(request):
    """How a peer is made; skipped where its package is absent."""
    if needed := NEEDS.get(request.param):
        pytest.importorskip(needed, reason=f"the peer needs the package {needed}", exc_type=ImportError)
    return PEERS[request.param]


def test_a_peer_names_new_cells_of_the_labels_that_it_learned(make):
    peer, new = make().fit(made_up(20, seed=0), seed=0), made_up(10, seed=1)
    chance_nc = peer.probabilities(new.counts_ng, new.measured_sg[0])
    assert chance_nc.sum(axis=1) == pytest.approx(1, abs=1e-4)
    assert (np.array(peer.labels)[chance_nc.argmax(axis=1)] == new.label_n).mean() > 0.9


@pytest.mark.slow
def test_a_peer_is_the_same_for_the_same_seed(make):
    cells = made_up(10, seed=0)
    first, second = (make().fit(cells, seed=3).probabilities(cells.counts_ng, cells.measured_sg[0]) for _ in "ab")
    assert first == pytest.approx(second)


def test_the_wide_perceptron_has_about_as_many_parameters_as_spoticell():
    network = Network(hidden=WIDE, epochs=0).fit(made_up(2, seed=0), seed=0)
    assert 1.9e6 < sum(parameter.numel() for parameter in network.layers.parameters()) < 2.3e6


def test_no_label_has_more_cells_than_asked_for():
    cells = made_up(20, seed=0)
    few = at_most(cells.take(np.arange(25)), 7, seed=0)
    assert dict(zip(*np.unique(few.label_n.astype(str), return_counts=True), strict=True)) == {CD4: 7, CD8: 5}


def test_the_rule_with_a_threshold_answers_an_unsure_cell_with_what_its_labels_share():
    chance_nc = np.array([[0.5, 0.4, 0.1], [0.9, 0.1, 0.0]])
    terms, score_n = Rule(threshold=0.7).answer(chance_nc, [CD4, CD8, B_CELL])
    assert "CL:0000791" in terms[0] or terms[0] not in (CD4, CD8, B_CELL)
    assert terms[1] == CD4
    assert score_n == pytest.approx([0.9, 0.9])


def test_the_rule_without_one_answers_with_the_most_probable_label_and_its_nodes_probability():
    terms, score_n = Rule().answer(np.array([[0.2, 0.5, 0.3]]), [T_CELL, CD4, B_CELL])
    assert terms == [CD4]
    assert score_n == pytest.approx([0.5])


def test_a_temperature_makes_sure_cells_less_sure_and_keeps_the_answer():
    terms, score_n = Rule(temperature=3.0).answer(np.array([[0.98, 0.01, 0.01]]), [CD4, CD8, B_CELL])
    assert terms == [CD4]
    assert score_n[0] < 0.9


class Oracle:
    """A peer that is right, or calls every cell a B cell; it keeps the cells that it was shown."""

    shown: ClassVar[list] = []

    def __init__(self, *, right: bool) -> None:
        self.right = right

    def fit(self, cells, *, seed):
        Oracle.shown.append(cells)
        self.labels = [CD4, CD8, B_CELL]
        return self

    def probabilities(self, counts_ng, measured_g):
        if counts_ng.shape[0] < 3:
            raise RefusedError
        marked_nc = np.stack([counts_ng[:, MARKERS[label] : MARKERS[label] + 10].sum(axis=1) for label in self.labels])
        return (marked_nc.T > 0).astype(float) if self.right else np.tile([0.1, 0.1, 0.8], (counts_ng.shape[0], 1))


def test_the_setting_that_is_best_on_the_held_out_set_is_chosen_and_never_sees_it():
    held_out, others = made_up(12, seed=1, dataset=HELD_OUT[0]), made_up(12, seed=2)
    both = LabelledCells(
        sparse.csr_array(sparse.vstack([held_out.counts_ng, others.counts_ng])),
        np.concatenate([held_out.label_n, others.label_n]),
        np.repeat([0, 1], 36),
        np.concatenate([held_out.donor_n, others.donor_n]),
        (HELD_OUT[0], "made up"),
        np.concatenate([held_out.measured_sg, others.measured_sg]),
    )
    Oracle.shown.clear()
    choice = tune(Oracle, combinations(right=(False, True)), both, [as_set(held_out)])
    assert choice.settings == {"right": True}
    assert [row["macro_f1"] for row in choice.tried] == [pytest.approx(1 / 6, abs=1e-3), 1.0]
    assert all(len(cells) == 36 and set(cells.dataset_n) == {1} for cells in Oracle.shown)
    assert Choice.from_json(choice.as_json()) == choice


def test_held_out_sets_that_a_peer_refuses_dont_count():
    cells = as_set(made_up(12, seed=1))
    _, macro_f1 = choose_rule(Oracle(right=True).fit(None, seed=0), [cells, cells.take(np.arange(2))])
    assert macro_f1 == 1.0


def test_the_table_gives_means_over_seeds_and_over_the_sets_that_all_answer():
    row = {"macro_f1": 0.5, "hierarchical_f1": 0.8, "ece": 0.1, "coverage": 1.0}
    better = row | {"macro_f1": 0.7}
    lines = table({"ours": [{"a": row, "b": row}, {"a": better, "b": row}], "theirs": [{"a": row}]}, ["a", "b"])
    assert lines[0].count("|") == lines[2].count("|")
    assert "| ours | 0.600 ± 0.141 / 0.800 ± 0.000 | 0.500 ± 0.000" in lines[2]
    assert "**0.550 ± 0.071 / 0.800 ± 0.000**" in lines[2]
    assert lines[3] == "| theirs | 0.500 / 0.800 | refuses | - | 0.500 / 0.800 | 0.100 | 1.000 |"


def test_the_report_says_what_was_chosen():
    row = {"macro_f1": 0.5, "hierarchical_f1": 0.8, "ece": 0.1, "coverage": 1.0}
    choice = Choice({"leaves": 7}, Rule(1.5, 0.4), [{"macro_f1": 0.61}, {"macro_f1": 0.62}])
    peer = {"choice": choice.as_json(), "seconds": 3.0, "runs": [{"a": row}]}
    lines = report({"train": {"cells": 9, "labels": 2, "peers": {"trees": peer}}}, {}, ["a"])
    assert "| trees | leaves 7 (best of 2) | threshold 0.4 | 1.50 | 0.620 | 3 |" in lines
    assert not any("Spoticell was trained on" in line for line in lines)


def test_peers_that_were_trained_on_other_cells_are_not_taken(tmp_path):
    (tmp_path / "a.h5ad").write_bytes(b"cells")
    results = {"cells": {"files": digest(tmp_path), "peers": {"trees": {}}}}
    assert list(missing(results, {"cells": tmp_path}, {"trees": None})) == []
    (tmp_path / "b.h5ad").write_bytes(b"more cells")
    with pytest.raises(SystemExit, match="other cells"):
        list(missing(results, {"cells": tmp_path}, {"trees": None}))


def test_every_peer_can_be_made_with_each_of_its_settings(tmp_path):
    for entry in entries(tmp_path).values():
        assert all(entry.make(**settings) for settings in entry.grid)
