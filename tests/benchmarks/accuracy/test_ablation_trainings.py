"""That cells become ranks, and that a network learns what its teachers say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

pytest.importorskip("torch", reason="an ablation trains networks")

import torch
from benchmarks.accuracy.ablation_trainings import Taught, cells_as_ranks, places_of, ranks

from spoticell.training.config import NetworkConfig
from spoticell.training.fast import FastFingerprintNetwork


@given(st.lists(st.lists(st.integers(1, 5), min_size=1, max_size=8), min_size=1, max_size=4))
def test_ranks_are_those_of_scipy_within_each_cell(cells):
    cell_v = np.repeat(np.arange(len(cells)), [len(cell) for cell in cells])
    found = ranks(cell_v, np.concatenate(cells).astype(np.float32))
    expected = np.concatenate([rankdata(cell) / len(cell) for cell in cells])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_network_that_sees_ranks_is_blind_to_what_keeps_their_order():
    torch.manual_seed(0)
    network = FastFingerprintNetwork(NetworkConfig(cell_token=4), np.arange(30), 3).eval()
    counts_ng = torch.tensor(np.random.default_rng(0).permutation(90).reshape(3, 30) * 1.0, dtype=torch.float32)
    measured_ng = torch.ones(3, 30)
    with torch.no_grad():
        with cells_as_ranks():
            plain, bent = (network(values, measured_ng)[1] for values in (counts_ng, counts_ng**2))
            scattered = network(counts_ng.to_sparse(), measured_ng.bool())[1]
        before, after = (network(values, measured_ng)[1] for values in (counts_ng, counts_ng**2))
    torch.testing.assert_close(plain, bent)
    torch.testing.assert_close(plain, scattered)
    assert not torch.allclose(before, after)


def test_the_loss_is_least_where_the_network_says_what_its_teacher_says():
    class Fixed:
        def __init__(self, logits):
            self.logits_nc = torch.tensor([logits])

        def __call__(self, counts_ng, measured_ng):
            return torch.ones(1, 2), self.logits_nc

    class Batch:
        counts_ng = measured_ng = None

    def labelled(network, batch):
        network(batch.counts_ng, batch.measured_ng)
        return torch.tensor(0.0)

    teacher = Fixed([2.0, 0.0])  # of the labels a and b
    lesson = Taught(labelled, [(places_of(("a", "b"), ("a", "b", "c")), teacher)])
    same, other = (lesson(Fixed(logits), Batch()) for logits in ([2.0, 0.0, -9.0], [0.0, 2.0, -9.0]))
    assert same < other
