import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.training.loss import bce_loss, flat_loss, hierarchical_loss, node_probabilities

LABELS = ["CL:0000084", "CL:0000624", "CL:0000625", "CL:0000236", "CL:0000057"]
NODES, REACH = reach_matrix(LABELS, load_ontology())
REACH_CM = torch.from_numpy(REACH.astype(np.float32))


@given(st.lists(st.floats(-20, 20), min_size=len(LABELS), max_size=len(LABELS)))
def test_a_parent_is_never_less_probable_than_its_child(logits):
    probability = dict(zip(NODES, node_probabilities(torch.tensor([logits]), REACH_CM)[0].tolist(), strict=True))
    for node in NODES:
        for parent in load_ontology().parents(node):
            assert probability[parent] >= probability[node] - 1e-6


def test_a_coarse_label_is_content_with_any_subtype():
    sure_of_cd4 = torch.tensor([[-9.0, 9.0, -9.0, -9.0, -9.0]])
    t_cell, b_cell = (torch.tensor([NODES.index(term)]) for term in ("CL:0000084", "CL:0000236"))
    assert hierarchical_loss(sure_of_cd4, t_cell, REACH_CM).item() < 1e-3
    assert hierarchical_loss(sure_of_cd4, b_cell, REACH_CM).item() > 5


def test_a_certain_wrong_answer_has_a_finite_loss():
    logits = torch.tensor([[500.0, 0, 0, 0, 0]], requires_grad=True)
    loss = hierarchical_loss(logits, torch.tensor([NODES.index("CL:0000057")]), REACH_CM)
    loss.backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("right", [1, 3])
def test_bce_is_least_for_the_right_label(right):
    above_mm = torch.tensor([[float(a in load_ontology().ancestors(node)) for a in NODES] for node in NODES])
    node_n = torch.tensor([NODES.index(LABELS[right])])
    losses = []
    for label in range(len(LABELS)):
        logits = torch.full((1, len(LABELS)), -6.0)
        logits[0, label] = 6.0
        losses.append(bce_loss(logits, node_n, REACH_CM, above_mm=above_mm).item())
    assert int(np.argmin(losses)) == right


@pytest.mark.parametrize("label", LABELS)
def test_flat_is_the_cross_entropy_of_the_label_whatever_lies_below_it(label):
    logits = torch.arange(len(LABELS), dtype=torch.float32)[None]
    loss = flat_loss(logits, torch.tensor([NODES.index(label)]), REACH_CM)
    expected = -torch.log_softmax(logits, dim=1)[0, LABELS.index(label)]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
