import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.biology.relatives import Relatives

ONTOLOGY = load_ontology()
PERICYTE, MESANGIAL, BRAIN_PERICYTE, ENDOTHELIAL = "CL:0000669", "CL:0000650", "CL:2000043", "CL:0000115"
TUFT, COLON_TUFT, T_CELL, CD4 = "CL:0002204", "CL:0009041", "CL:0000084", "CL:0000624"
NEURON, ROD, KIDNEY = "CL:0000540", "CL:0000604", "CL:1000497"
SOME = [PERICYTE, MESANGIAL, BRAIN_PERICYTE, ENDOTHELIAL, COLON_TUFT, T_CELL, CD4, NEURON, ROD]
labels = st.lists(st.sampled_from(SOME), min_size=2, max_size=9, unique=True)


def related(weight_of, *, without):
    """Give the chance of each node of a cell with some weights, where some terms can't be."""
    terms = list(weight_of)
    nodes, reach_cm = reach_matrix(terms, ONTOLOGY)
    possible_m = np.array([not ONTOLOGY.ancestors(node) & set(without) for node in nodes])
    relatives = Relatives(LabelWeights(terms, nodes, ONTOLOGY), nodes, ONTOLOGY, possible_m)
    found_m = relatives(np.array([list(weight_of.values())], dtype=np.float32) @ reach_cm)[0]
    return {node: round(float(chance), 3) for node, chance in zip(nodes, found_m, strict=True)}


def test_the_weight_of_a_type_that_cannot_be_goes_to_the_narrowest_term_above_it():
    found = related({MESANGIAL: 0.7, ENDOTHELIAL: 0.3}, without=[MESANGIAL])
    assert (found[MESANGIAL], found[PERICYTE], found[ENDOTHELIAL]) == (0, 0.7, 0.3)


def test_the_narrowest_term_is_that_with_fewest_terms_below_not_the_deepest():
    found = related({COLON_TUFT: 0.8, T_CELL: 0.2}, without=["CL:0002563"])  # intestinal epithelial cell
    assert found[TUFT] == 0.8


def test_relatives_with_weight_of_their_own_share_a_part_as_large_as_it():
    found = related({MESANGIAL: 0.6, BRAIN_PERICYTE: 0.2, ENDOTHELIAL: 0.2}, without=[KIDNEY, MESANGIAL])
    assert found[PERICYTE] == 0.8
    assert found[BRAIN_PERICYTE] == round(0.2 * (1 + 0.6 / 0.8), 3)


def test_a_type_without_relatives_leaves_a_cell_without_a_type():
    found = related({NEURON: 0.9, CD4: 0.1}, without=[NEURON])
    assert (found[NEURON], found[CD4], found["CL:0000000"]) == (0, 0.1, 1)


@settings(deadline=None)
@given(labels, st.data(), st.integers(0, 2**32 - 1))
def test_nothing_is_lost_nothing_impossible_is_left_and_parents_stay_above_children(terms, data, seed):
    without = data.draw(st.lists(st.sampled_from(terms), max_size=len(terms)))
    weight_c = np.random.default_rng(seed).dirichlet(np.full(len(terms), 0.5))
    found = related(dict(zip(terms, weight_c, strict=True)), without=without)
    assert abs(found["CL:0000000"] - 1) < 0.002
    for node, chance in found.items():
        # a term that can't be keeps what possible types below it have
        possible = [
            term for term in terms if node in ONTOLOGY.ancestors(term) and not ONTOLOGY.ancestors(term) & set(without)
        ]
        assert possible or chance == 0 or not ONTOLOGY.ancestors(node) & set(without)
        assert all(found[above] >= chance - 0.002 for above in ONTOLOGY.ancestors(node))
