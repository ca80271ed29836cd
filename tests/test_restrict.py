from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.errors import ConfigError
from spoticell.ontology import load_ontology, reach_matrix
from spoticell.restrict import LEAST, Restriction, labels_within

ONTOLOGY = load_ontology()
LYMPHOCYTE, T, CD4, B, NEURON = "CL:0000542", "CL:0000084", "CL:0000624", "CL:0000236", "CL:0000540"
LABELS = [T, LYMPHOCYTE, NEURON, B, CD4]
NODES, REACH = reach_matrix(LABELS, ONTOLOGY)


def restricted(weight_nc, allowed):
    """Restrict cells with some weight on each of LABELS to some of these."""
    restriction = Restriction(LABELS, NODES, ONTOLOGY, np.array([label in allowed for label in LABELS]))
    out_nm = restriction(np.float32(weight_nc) @ REACH.astype(np.float32))
    return {node: out_nm[:, m].tolist() for m, node in enumerate(NODES)}


@st.composite
def cells(draw):
    """Labels from all over the ontology, their nodes in any order, and the weights of some cells on the labels."""
    labels = draw(st.lists(st.sampled_from(ONTOLOGY.terms), min_size=2, max_size=25, unique=True))
    nodes, reach_cm = reach_matrix(labels, ONTOLOGY)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weight_nc = rng.dirichlet(np.full(len(labels), draw(st.sampled_from((0.05, 1, 20)))), size=5).astype(np.float32)
    order = rng.permutation(len(nodes))
    allowed_c = rng.random(len(labels)) < draw(st.sampled_from((0.2, 0.7)))
    allowed_c[rng.integers(len(labels))] = True
    return labels, tuple(nodes[m] for m in order), weight_nc, reach_cm[:, order], allowed_c


def test_weight_that_is_left_is_made_one_and_summed_up_the_ontology():
    out = restricted([[0.1, 0.2, 0.4, 0.2, 0.1]], {T, CD4, B})
    expected = {NEURON: 0, B: 0.5, CD4: 0.25, T: 0.5, LYMPHOCYTE: 1, "CL:0000000": 1}
    assert {node: out[node][0] for node in expected} == pytest.approx(expected, abs=1e-6)


def test_what_a_coarse_label_has_for_itself_is_lost_where_only_a_finer_one_is_allowed():
    out = restricted([[0.6, 0, 0.2, 0, 0.2]], {CD4})
    assert out[CD4] == out[T] == pytest.approx([1])
    assert out[NEURON] == [0]


@pytest.mark.parametrize(("on_t", "expected"), [(LEAST - 0.01, 0), (LEAST + 0.01, 1)])
def test_a_neuron_among_t_cells_stays_what_it_is_not(on_t, expected):
    out = restricted([[on_t, 0, 1 - on_t, 0, 0]], {T, CD4})
    assert out[T] == out["CL:0000000"] == pytest.approx([expected])


def test_a_cell_without_any_probability_keeps_none():
    assert set(map(tuple, restricted(np.zeros((2, 5)), {T}).values())) == {(0.0, 0.0)}


@given(cells())
def test_probabilities_stay_probabilities_and_parents_above_children(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    out_nm = Restriction(labels, nodes, ONTOLOGY, allowed_c)(weight_nc @ reach_cm.astype(np.float32))
    assert out_nm.dtype == np.float32
    assert out_nm.min() >= 0
    assert out_nm.max() <= 1
    place = {node: m for m, node in enumerate(nodes)}
    for node in nodes:
        for parent in ONTOLOGY.parents(node):
            assert (out_nm[:, place[parent]] >= out_nm[:, place[node]] - 1e-6).all()


@given(cells())
def test_each_cell_has_all_of_its_weight_or_none_and_none_on_what_is_out(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    out_nm = Restriction(labels, nodes, ONTOLOGY, allowed_c)(weight_nc @ reach_cm.astype(np.float32))
    left_n = weight_nc[:, allowed_c].sum(axis=1)
    root_n = out_nm[:, nodes.index("CL:0000000")]
    clear_n = np.abs(left_n - LEAST) > 1e-4
    np.testing.assert_allclose(root_n[clear_n], (left_n >= LEAST)[clear_n], atol=1e-5)
    out_m = ~reach_cm[allowed_c].any(axis=0)
    assert not out_nm[:, out_m].any()


@given(cells())
def test_weights_of_allowed_labels_keep_their_proportions(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    out_nm = Restriction(labels, nodes, ONTOLOGY, allowed_c)(weight_nc @ reach_cm.astype(np.float32))
    left_nc = np.where(allowed_c, weight_nc, 0)
    kept_n = left_nc.sum(axis=1) > LEAST + 1e-4
    expected_nm = (left_nc / np.maximum(left_nc.sum(axis=1, keepdims=True), LEAST)) @ reach_cm
    np.testing.assert_allclose(out_nm[kept_n], expected_nm[kept_n], atol=5e-5)


@given(cells())
def test_allowing_every_label_changes_nothing(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    probabilities_nm = weight_nc @ reach_cm.astype(np.float32)
    out_nm = Restriction(labels, nodes, ONTOLOGY, np.ones_like(allowed_c))(probabilities_nm)
    np.testing.assert_allclose(out_nm, probabilities_nm, atol=1e-5)


terms = st.lists(st.sampled_from(ONTOLOGY.terms), min_size=1, max_size=6, unique=True)


@given(terms, terms, terms)
def test_the_order_of_lists_does_not_matter(labels, allow, deny):
    within_c = labels_within(labels, ONTOLOGY, allow=allow, deny=deny)
    assert (labels_within(labels, ONTOLOGY, allow=allow[::-1], deny=deny[::-1]) == within_c).all()


@given(terms, terms)
def test_nothing_said_allows_all_the_root_allows_all_and_denying_an_allowed_term_takes_it_away(labels, some):
    assert labels_within(labels, ONTOLOGY).all()
    assert labels_within(labels, ONTOLOGY, allow=["CL:0000000"]).all()
    assert not labels_within(labels, ONTOLOGY, allow=some, deny=some).any()
    allowed_c, denied_c = labels_within(labels, ONTOLOGY, allow=some), labels_within(labels, ONTOLOGY, deny=some)
    assert (allowed_c == ~denied_c).all()


def test_no_label_at_all_and_other_nodes_are_refused():
    with pytest.raises(ConfigError, match="none of the labels"):
        Restriction(LABELS, NODES, ONTOLOGY, np.zeros(len(LABELS), dtype=bool))
    with pytest.raises(ConfigError, match="nodes"):
        Restriction(LABELS, NODES[:-1], ONTOLOGY, np.ones(len(LABELS), dtype=bool))
