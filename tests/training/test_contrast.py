import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.training.contrast import contrast_loss, kinship, likeness

NODES, _ = reach_matrix(["CL:0000624", "CL:0000625", "CL:0000236", "CL:0000057"], load_ontology())
ABOVE_MM = torch.tensor([[float(a in load_ontology().ancestors(node)) for a in NODES] for node in NODES])
CD4, CD8, B_CELL, FIBROBLAST = (NODES.index(term) for term in ("CL:0000624", "CL:0000625", "CL:0000236", "CL:0000057"))


def unit(rows: list[list[float]] | np.ndarray) -> torch.Tensor:
    return torch.nn.functional.normalize(torch.as_tensor(np.asarray(rows), dtype=torch.float32), dim=1)


def test_a_cousin_is_nearer_kin_than_a_stranger():
    kin = kinship(ABOVE_MM)[CD4]
    assert kin[CD4] == 1
    assert kin[CD8] > kin[B_CELL] > kin[FIBROBLAST] > 0


def test_likeness_lies_on_other_data_sets_before_the_own_one():
    kin = torch.ones(3, 3)
    like = likeness(kin, torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]))
    assert like[0, 2] > like[0, 1] > 0


def test_the_same_cell_seen_twice_counts_in_full():
    kin = torch.ones(3, 3)
    like = likeness(kin, torch.tensor([0, 0, 2]), torch.tensor([0, 0, 1]))
    assert like[0, 1] == like[0, 2]


@settings(deadline=None)
@given(st.integers(2, 9), st.integers(0, 1000))
def test_likeness_is_shared_out_whole_and_none_stays_with_the_cell(n, seed):
    rng = np.random.default_rng(seed)
    node = torch.from_numpy(rng.integers(0, len(NODES), n))
    like = likeness(kinship(ABOVE_MM)[node][:, node], torch.arange(n), torch.from_numpy(rng.integers(0, 2, n)))
    torch.testing.assert_close(like.sum(1), torch.ones(n))
    assert (like.diagonal() == 0).all()


def test_the_contrast_is_least_where_kinds_lie_together():
    like = torch.tensor([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0.0]])
    apart = unit([[1, 0], [1, 0], [0, 1], [0, 1]])
    mixed = unit([[1, 0], [0, 1], [1, 0], [0, 1]])
    assert contrast_loss(apart, like, temperature=0.1).sum() < contrast_loss(mixed, like, temperature=0.1).sum()


def test_the_contrast_moves_a_cell_towards_its_kind():
    like = torch.tensor([[0, 1, 0], [1, 0, 0], [0.5, 0.5, 0]])
    raw = torch.tensor([[1.0, 0.2], [0.2, 1.0], [1.0, -0.5]], requires_grad=True)
    fingerprint = torch.nn.functional.normalize(raw, dim=1)
    before = (fingerprint[0] @ fingerprint[1]).item()
    contrast_loss(fingerprint, like, temperature=0.5)[0].backward()
    moved = torch.nn.functional.normalize(raw - 0.1 * raw.grad, dim=1)
    assert (moved[0] @ moved[1]).item() > before


@pytest.mark.parametrize("same", [True, False])
def test_fingerprints_that_are_all_alike_give_finite_losses(same):
    fingerprint = torch.ones(4, 3) / 3**0.5 if same else torch.eye(4)[:, :3].clone()
    fingerprint.requires_grad_()
    like = likeness(torch.ones(4, 4), torch.arange(4), torch.zeros(4, dtype=torch.long))
    loss = contrast_loss(fingerprint, like, temperature=0.05).mean()
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(fingerprint.grad).all()
