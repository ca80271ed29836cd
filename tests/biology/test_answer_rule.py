import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology.answer_rule import SOMETHING, answers, rule_of
from spoticell.biology.ontology import DOINGS, TOO_GENERAL, load_ontology, reach_matrix
from spoticell.errors import ConfigError

ONTOLOGY = load_ontology()
LEUKOCYTE, LYMPHOCYTE, T_CELL, CD4, CD8 = "CL:0000738", "CL:0000542", "CL:0000084", "CL:0000624", "CL:0000625"
B_CELL, NK, MONOCYTE = "CL:0000236", "CL:0000623", "CL:0000576"
SOME = [
    *(LEUKOCYTE, LYMPHOCYTE, T_CELL, CD4, CD8, B_CELL, NK, MONOCYTE),
    *("CL:0000813", "CL:0000897", "CL:0000909", "CL:0000904", "CL:0000895", "CL:0000815", "CL:0000798"),  # T subtypes
    *("CL:0000786", "CL:0000787", "CL:0000788", "CL:0000235", "CL:0000451", "CL:0000066", "CL:0000057", "CL:0000540"),
    *("CL:0002062", "CL:0002063", "CL:0000182", "CL:0000669", "CL:0000192", "CL:0000115", "CL:0000151", "CL:0000325"),
]
labels = st.lists(st.sampled_from(SOME), min_size=1, max_size=14, unique=True)
seeds = st.integers(0, 2**32 - 1)


def some_cells(terms, seed, n=7, evenness=0.4):
    """Give nodes, and the probabilities that random weights of the labels give them."""
    nodes, reach_cm = reach_matrix(terms, ONTOLOGY)
    weight_nc = np.random.default_rng(seed).dirichlet(np.full(len(terms), evenness), size=n)
    return nodes, (weight_nc @ reach_cm).astype(np.float32)


def below(nodes, term):
    return {node for node in nodes if term in ONTOLOGY.ancestors(node)}


def answer(threshold, **chances):
    """Name the answer of one cell whose nodes have these chances."""
    nodes = tuple(globals()[name] for name in chances)
    answer_n, _ = answers(np.array([list(chances.values())]), nodes, ONTOLOGY, threshold=threshold)
    return None if answer_n[0] < 0 else nodes[answer_n[0]]


@settings(deadline=None)
@given(labels, seeds, st.floats(0, 0.95))
def test_no_answer_is_less_probable_than_a_node_that_excludes_it(terms, seed, threshold):
    nodes, probabilities_nm = some_cells(terms, seed)
    answer_n, score_n = answers(probabilities_nm, nodes, ONTOLOGY, threshold=threshold)
    for n, m in enumerate(answer_n):
        if m < 0:
            assert score_n[n] == 0
            continue
        assert score_n[n] == probabilities_nm[n, m] >= threshold
        assert nodes[m] not in TOO_GENERAL | DOINGS
        apart = [j for j, node in enumerate(nodes) if not below(nodes, node) & below(nodes, nodes[m])]
        assert (probabilities_nm[n, apart] < score_n[n]).all()


@settings(deadline=None)
@given(labels, seeds, st.floats(0, 1), st.floats(0, 1))
def test_a_lower_threshold_makes_answers_finer_or_fewer_cells_unknown_and_nothing_else(terms, seed, one, other):
    nodes, probabilities_nm = some_cells(terms, seed)
    fine_n, _ = answers(probabilities_nm, nodes, ONTOLOGY, threshold=min(one, other))
    coarse_n, _ = answers(probabilities_nm, nodes, ONTOLOGY, threshold=max(one, other))
    for fine, coarse in zip(fine_n, coarse_n, strict=True):
        assert coarse < 0 or nodes[coarse] in ONTOLOGY.ancestors(nodes[fine])


@settings(deadline=None)
@given(labels, seeds, st.permutations(range(7)))
def test_a_cell_is_answered_alike_whatever_cells_stand_beside_it(terms, seed, order):
    nodes, probabilities_nm = some_cells(terms, seed)
    answer_n, _ = answers(probabilities_nm, nodes, ONTOLOGY, threshold=0.2)
    again_n, _ = answers(probabilities_nm[order], nodes, ONTOLOGY, threshold=0.2)
    assert answer_n[order].tolist() == again_n.tolist()


@settings(deadline=None)
@given(labels, seeds)
def test_a_sure_cell_is_answered_with_the_deepest_node_of_its_label(terms, seed):
    label = terms[seed % len(terms)]
    nodes, reach_cm = reach_matrix(terms, ONTOLOGY)
    answer_n, _ = answers(reach_cm[[terms.index(label)]].astype(np.float32), nodes, ONTOLOGY, threshold=0.5)
    usable = [node for node in nodes if node in ONTOLOGY.ancestors(label) and node not in TOO_GENERAL | DOINGS]
    depth = ONTOLOGY.depth(nodes[answer_n[0]]) if answer_n[0] >= 0 else -1
    assert depth == max((ONTOLOGY.depth(node) for node in usable), default=-1)


def test_a_type_that_passes_the_threshold_loses_to_a_likelier_one_that_excludes_it():
    assert answer(0.3, LYMPHOCYTE=0.9, B_CELL=0.35, T_CELL=0.55) == T_CELL
    assert answer(0.3, LEUKOCYTE=1.0, LYMPHOCYTE=0.6, CD4=0.31, CD8=0.29, MONOCYTE=0.4) == LYMPHOCYTE


def test_two_types_that_are_as_likely_give_what_they_share():
    assert answer(0.3, LYMPHOCYTE=0.9, B_CELL=0.45, T_CELL=0.45) == LYMPHOCYTE


def test_of_types_that_can_both_be_the_deeper_one_is_the_answer():
    nodes, reach_cm = reach_matrix(["CL:0000895", "CL:0000813"], ONTOLOGY)  # naive CD4 T cell, memory T cell
    assert nodes[-1] == "CL:0000895"
    answer_n, _ = answers(np.float32([[0.8, 0.2]]) @ reach_cm, nodes, ONTOLOGY, threshold=0.5)
    assert answer_n[0] == len(nodes) - 1


def test_nothing_is_answered_where_all_that_is_sure_says_nothing_or_what_a_cell_does():
    nodes = ("CL:0000000", "CL:0000325", "CL:0000988", "CL:0000542")
    answer_n, _ = answers(np.array([[1.0, 0.9, 0.2, 0.2]]), nodes, ONTOLOGY, threshold=0.5)
    assert answer_n.tolist() == [-1]


def test_nan_and_nothing_are_never_an_answer():
    nodes = ("CL:0000000", LYMPHOCYTE, T_CELL)
    answer_n, score_n = answers(np.array([[1, np.nan, np.nan], [0, 0, 0]]), nodes, ONTOLOGY, threshold=0.0)
    assert answer_n.tolist() == [-1, -1]
    assert score_n.tolist() == [0, 0]


@pytest.mark.parametrize("shape", [(0, 2), (3, 0), (0, 0)])
def test_no_cells_and_no_nodes_are_answered_with_nothing(shape):
    answer_n, score_n = answers(np.zeros(shape, np.float32), (T_CELL, B_CELL)[: shape[1]], ONTOLOGY, threshold=0.5)
    assert answer_n.tolist() == [-1] * shape[0]
    assert (answer_n.dtype, score_n.dtype) == (np.intp, np.float32)


def test_probabilities_of_another_width_are_refused():
    with pytest.raises(ConfigError, match="There are 1 nodes but"):
        answers(np.zeros((2, 3)), (T_CELL,), ONTOLOGY, threshold=0.5)


@settings(deadline=None)
@given(labels, seeds)
def test_the_second_best_excludes_the_answer_and_nothing_else_that_does_is_likelier(terms, seed):
    nodes, probabilities_nm = some_cells(terms, seed)
    answer_n, _ = answers(probabilities_nm, nodes, ONTOLOGY, threshold=0.2)
    other_n, chance_n = rule_of(nodes, ONTOLOGY).second_best(probabilities_nm, answer_n)
    for n, (m, other) in enumerate(zip(answer_n, other_n, strict=True)):
        apart = [
            j
            for j, node in enumerate(nodes)
            if m >= 0 and node not in TOO_GENERAL | DOINGS and not below(nodes, node) & below(nodes, nodes[m])
        ]
        most = max(probabilities_nm[n, apart], default=0)
        if most < 2 * SOMETHING:
            assert other < 0 or chance_n[n] >= SOMETHING
        else:
            assert other in apart
            assert most / 2 <= chance_n[n] == probabilities_nm[n, other] <= most


def test_the_second_best_is_narrowed_down_while_a_subtype_keeps_half():
    nodes = (LEUKOCYTE, LYMPHOCYTE, T_CELL, CD4, CD8, B_CELL)
    rule, chances = rule_of(nodes, ONTOLOGY), np.array([[1, 1, 0.4, 0.25, 0.15, 0.6], [1, 1, 0.4, 0.19, 0.18, 0.6]])
    other_n, chance_n = rule.second_best(chances, np.array([5, 5]))
    assert [nodes[other] for other in other_n] == [CD4, T_CELL]
    assert chance_n.tolist() == pytest.approx([0.25, 0.4])


def test_an_unknown_cell_and_a_sure_one_have_no_second_best():
    nodes = (LYMPHOCYTE, T_CELL, B_CELL)
    chances = np.array([[1, 0.5, 0.5], [1, 0.999, 0.001]])
    other_n, chance_n = rule_of(nodes, ONTOLOGY).second_best(chances, np.array([-1, 1]))
    assert (other_n.tolist(), chance_n.tolist()) == ([-1, -1], [0, 0])


@given(labels, seeds)
@settings(max_examples=40)
def test_alternatives_exclude_each_other_and_begin_with_the_second_best(terms, seed):
    nodes, probabilities_nm = some_cells(terms, seed)
    rule = rule_of(nodes, ONTOLOGY)
    answer_n, _ = rule.answers(probabilities_nm, 0.3)
    second_n, _ = rule.second_best(probabilities_nm, answer_n)
    for probability_m, answer, second in zip(probabilities_nm, answer_n.tolist(), second_n.tolist(), strict=True):
        found = rule.alternatives(probability_m, None if answer < 0 else answer, most=3)
        assert len(found) <= 3
        if answer >= 0:
            assert found[:1] == ([second] if second >= 0 else [])
        all_of_them = found + ([answer] if answer >= 0 else [])
        assert sum(probability_m[m] for m in all_of_them) <= 1 + 1e-5
        for m in all_of_them:
            _, _, apart_m = rule.relations(m)
            assert all(apart_m[other] for other in all_of_them if other != m)


def test_each_node_knows_which_are_above_it_below_it_and_apart_from_it():
    nodes = (LYMPHOCYTE, T_CELL, CD4, B_CELL)
    above_m, below_m, apart_m = rule_of(nodes, ONTOLOGY).relations(1)
    assert [np.array(nodes)[mask].tolist() for mask in (above_m, below_m, apart_m)] == [[LYMPHOCYTE], [CD4], [B_CELL]]
