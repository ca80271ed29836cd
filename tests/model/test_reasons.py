"""What speaks for a type, through the weights and by taking genes out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load, save
from scipy import sparse

import spoticell
from spoticell.io import open_source
from spoticell.io.aligned import read_counts
from spoticell.io.findings import inspect
from spoticell.model.layers import NETWORK, WEIGHTS, read_shape
from spoticell.model.reasons import Occlusion, through_weights
from spoticell.model.runtime import Runtime

DEMO = Path(spoticell.__file__).parent / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
MONOCYTE = "CL:0002396"
SHARES = np.linspace(0, 1, 11)[:-1]


@dataclass
class Asked:
    """Cells of a type, and what was said of them."""

    counts_ng: sparse.csr_array
    measured_g: np.ndarray
    node: int
    runtime: Runtime


@pytest.fixture(scope="module")
def human():
    return spoticell.load_bundle("human-v1")


@pytest.fixture(scope="module")
def asked(human) -> Asked:
    """Twelve monocytes of the demo, and an empty cell."""
    with open_source(DEMO) as source:
        found = inspect(source, human.vocabulary)
        counts_ng = read_counts(source, found)
    runtime, node = Runtime(human, threads=1), human.nodes.index(MONOCYTE)
    said = runtime.predict(counts_ng, found.match.measured_g).probabilities_nm[:, node]
    cells = np.sort(np.argsort(-said, kind="stable")[::10][:12])
    empty = sparse.csr_array((1, counts_ng.shape[1]), dtype=np.float32)
    both = sparse.csr_array(sparse.vstack([counts_ng[cells], empty], format="csr"))
    return Asked(both, found.match.measured_g, node, runtime)


@pytest.fixture(scope="module")
def spoken(human, asked):
    return through_weights(human).of(asked.counts_ng, asked.measured_g, asked.node)


def test_the_contributions_of_a_cell_add_up_to_its_probability_less_that_of_no_counts(spoken):
    total_n = spoken.contribution_ng.sum(axis=1)
    np.testing.assert_allclose(total_n, spoken.probability_n - spoken.without, atol=0.003)
    assert spoken.probability_n.max() > 0.5


def test_the_weights_say_what_the_network_says(spoken, asked):
    said = asked.runtime.predict(asked.counts_ng, asked.measured_g).probabilities_nm[:, asked.node]
    np.testing.assert_allclose(spoken.probability_n, said, atol=0.002)


def test_a_cell_without_counts_has_nothing_to_say(spoken):
    assert spoken.contribution_ng[-1:].nnz == 0
    assert spoken.probability_n[-1] == pytest.approx(spoken.without, abs=1e-6)


def test_counts_stay_as_they_were(human, asked):
    before = asked.counts_ng.copy()
    through_weights(human).of(asked.counts_ng, asked.measured_g, asked.node)
    assert (before != asked.counts_ng).nnz == 0


def test_without_the_genes_that_speak_for_it_the_probability_falls_at_least_twice_as_fast_as_by_chance(spoken, asked):
    rng, areas = np.random.default_rng(0), {"explained": [], "chance": []}
    for n in range(12):
        cell_1g, own = asked.counts_ng[n : n + 1], spoken.contribution_ng[n : n + 1]
        for name, order in (("explained", np.argsort(-own.data)), ("chance", rng.permutation(cell_1g.nnz))):
            rank = np.argsort(order)
            left = [np.where(rank >= share * cell_1g.nnz, cell_1g.data, 0) for share in SHARES]
            rows = sparse.csr_array(
                (np.concatenate(left), np.tile(cell_1g.indices, len(left)), np.arange(len(left) + 1) * cell_1g.nnz),
                shape=(len(left), cell_1g.shape[1]),
            )
            areas[name].append(asked.runtime.predict(rows, asked.measured_g).probabilities_nm[:, asked.node].mean())
    assert np.mean(areas["explained"]) < 0.5 * np.mean(areas["chance"])


def test_taking_a_gene_out_tells_by_how_much_the_probability_falls(tiny_bundle, tiny_cells):
    runtime, node = Runtime(tiny_bundle, threads=1), tiny_bundle.nodes.index("CL:0000236")
    counts_ng, measured_g = sparse.csr_array(tiny_cells.X[:2]), np.ones(len(tiny_bundle.vocabulary), dtype=bool)
    spoken = Occlusion(runtime).of(counts_ng, measured_g, node)
    gene = tiny_bundle.vocabulary.by_symbol["MS4A1"]
    without = counts_ng.toarray()
    without[:, gene] = 0
    rest = runtime.predict(sparse.csr_array(without), measured_g).probabilities_nm[:, node]
    np.testing.assert_allclose(
        spoken.contribution_ng[:, [gene]].toarray()[:, 0], spoken.probability_n - rest, atol=1e-6
    )
    assert spoken.without == pytest.approx(1 / 6, abs=0.01)


def test_many_genes_are_taken_out_in_several_runs(tiny_bundle, tiny_cells, monkeypatch):
    runtime, node = Runtime(tiny_bundle, threads=1), tiny_bundle.nodes.index("CL:0000236")
    counts_ng, measured_g = sparse.csr_array(tiny_cells.X[:1]), np.ones(len(tiny_bundle.vocabulary), dtype=bool)
    at_once = Occlusion(runtime).of(counts_ng, measured_g, node).contribution_ng
    monkeypatch.setattr("spoticell.model.reasons.ROWS", 7)
    in_turn = Occlusion(runtime).of(counts_ng, measured_g, node).contribution_ng
    np.testing.assert_allclose(in_turn.toarray(), at_once.toarray(), atol=1e-6)


def test_a_bundle_without_weights_has_none_to_follow(tiny_bundle):
    assert through_weights(tiny_bundle) is None


def like(human, tensors=None, shape=None, *, is_of_this_ontology=True):
    """Give a bundle that is like another but for its weights, what it tells of them, or its ontology."""
    told = None if shape is None else {NETWORK: json.dumps(shape)}
    contents = save(tensors or load(human.read(WEIGHTS)), metadata=told)
    return SimpleNamespace(
        manifest=SimpleNamespace(files={WEIGHTS: None}, temperature=1.0),
        read=lambda name: contents,
        is_of_this_ontology=is_of_this_ontology,
        label_weights=human.label_weights,
    )


def test_what_reads_more_than_the_summary_of_all_genes_is_not_followed(human):
    weights = load(human.read(WEIGHTS))
    wide = weights["fusion.body.1.weight"]
    assert (
        through_weights(like(human, weights | {"fusion.body.1.weight": np.concatenate([wide, wide], axis=1)})) is None
    )
    assert through_weights(like(human, {"labels.bias": np.zeros(2, dtype=np.float32)})) is None


def test_what_scales_cells_otherwise_is_not_followed(human):
    assert through_weights(like(human, shape={"scaling": "log1p"})) is None


def test_labels_of_another_release_of_the_ontology_are_not_followed(human):
    assert through_weights(like(human, is_of_this_ontology=False)) is None


def test_weights_that_do_not_tell_their_shape_are_of_cells_of_length_one(human):
    assert read_shape(like(human)) == {"cell_length": 1.0, "members": 1}
    assert through_weights(like(human)) is not None
