"""The vote of the matches: what they say, how surely, and whether a classifier says the same."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.annotation.evidence import AGREEMENTS, Ballot, Evidence, Rule, agreement
from spoticell.biology.ontology import TOO_GENERAL, load_ontology
from spoticell.index.background import Background

ONTOLOGY = load_ontology()
T_CELL, ALPHA_BETA, CD4, CD8 = "CL:0000084", "CL:0000791", "CL:0000624", "CL:0000625"
B_CELL, FIBROBLAST = "CL:0000236", "CL:0000057"
TERMS = (T_CELL, CD4, CD8, B_CELL, FIBROBLAST, "unknown", "")
GROUPS = pd.DataFrame(
    [(term, study) for study in ("Kang", "Zheng", "Baron") for term in TERMS], columns=["term", "study"]
).assign(dataset="")
BACKGROUND = Background(
    unit="study",
    units=3,
    cells=100,
    nearest=tuple(np.linspace(0.8, 0.99, 99)),
    stranger=tuple(np.linspace(0.0, 0.85, 99)),
)


def group(term: str, study: str = "Kang") -> int:
    return int(np.flatnonzero((GROUPS["term"] == term) & (GROUPS["study"] == study))[0])


def tally(groups, similarity, *, background=None, **rule) -> Evidence:
    group_nk = np.array([groups], dtype=np.int32)
    similarity_nk = np.broadcast_to(np.float32(similarity), group_nk.shape)
    return Ballot(GROUPS, background).tally(group_nk, similarity_nk, Rule(**rule))


def answer(evidence: Evidence) -> list[str]:
    return [(*Ballot(GROUPS).nodes, "unknown")[position] for position in evidence.answer_n]


matches = st.lists(st.tuples(st.integers(-1, len(GROUPS) - 1), st.floats(-1, 1, width=32)), min_size=1, max_size=12)


def test_matches_of_one_type_name_it_and_say_from_how_many_studies():
    studies = ["Kang"] * 3 + ["Zheng"] * 2
    evidence = tally([group(CD8, study) for study in studies], 0.9)
    assert answer(evidence) == [CD8]
    assert (evidence.matches_n[0], evidence.voters_n[0], evidence.studies_n[0]) == (5, 5, 2)
    assert evidence.share_n[0] == 1


def test_subtypes_that_contradict_each_other_agree_on_what_is_above_them():
    assert answer(tally([group(CD4), group(CD8)], 0.9, share=0.6)) != [CD4]
    (term,) = answer(tally([group(CD4), group(CD8)], 0.9, share=0.6))
    assert T_CELL in ONTOLOGY.ancestors(term)
    assert term in ONTOLOGY.ancestors(CD4) & ONTOLOGY.ancestors(CD8)


def test_a_coarse_label_supports_its_own_type_and_not_the_finer_one():
    evidence = tally([group(T_CELL), group(T_CELL), group(CD4)], 0.9)
    assert answer(evidence) == [T_CELL]
    assert evidence.matches_n[0] == 3


def test_lineages_that_have_nothing_in_common_but_being_cells_have_no_answer():
    assert not {answer(tally([group(B_CELL), group(FIBROBLAST)], 0.9, share=0.6))[0]} & TOO_GENERAL


def test_a_nearer_match_weighs_more():
    near, far = [0.95, 0.80, 0.80], [0.80, 0.95, 0.95]
    groups = [group(B_CELL), group(FIBROBLAST), group(FIBROBLAST)]
    assert answer(tally(groups, near)) == [B_CELL]
    assert answer(tally(groups, far)) == [FIBROBLAST]


def test_references_without_a_known_type_have_no_vote_but_can_be_the_nearest():
    evidence = tally([group("unknown"), group(""), group(B_CELL)], [0.99, 0.98, 0.9])
    assert answer(evidence) == [B_CELL]
    assert (evidence.voters_n[0], evidence.matches_n[0]) == (1, 1)
    assert evidence.nearest_n[0] == group("unknown")
    assert evidence.similarity_n[0] == np.float32(0.99)


def test_a_cell_without_matches_is_unknown_and_not_novel():
    evidence = tally([-1, -1], -np.inf, background=BACKGROUND)
    assert answer(evidence) == ["unknown"]
    assert (evidence.share_n[0], evidence.voters_n[0], evidence.studies_n[0], evidence.nearest_n[0]) == (0, 0, 0, -1)
    assert np.isnan([evidence.similarity_n[0], evidence.mean_n[0], evidence.p_n[0]]).all()
    assert not evidence.novel_n[0]


def test_matches_that_chance_could_explain_name_nothing():
    near, far = (tally([group(B_CELL)] * 5, cosine, background=BACKGROUND) for cosine in (0.9, 0.3))
    assert answer(near) == [B_CELL]
    assert answer(far) == ["unknown"]
    assert near.p_n[0] < 0.05 < far.p_n[0]


def test_what_the_p_value_takes_is_missing_from_the_share():
    evidence = tally([group(B_CELL)] * 5, 0.5, background=BACKGROUND, share=0.1)
    assert evidence.share_n[0] == pytest.approx(1 - evidence.p_n[0], abs=1e-5)


def test_a_copy_of_a_reference_matches_as_well_as_can_be():
    evidence = tally([group(B_CELL)], 1.0, background=BACKGROUND)
    assert evidence.p_n[0] == np.float32(1 / (1 + len(BACKGROUND.stranger)))
    assert not evidence.novel_n[0]


def test_a_cell_farther_than_nearly_all_references_is_novel():
    far, near = (tally([group(B_CELL)], cosine, background=BACKGROUND) for cosine in (0.7, 0.9))
    assert far.novel_n[0]
    assert not near.novel_n[0]


def test_without_a_background_nothing_is_novel_and_no_p_value_is_given():
    for background in (None, Background(unit="none", units=1, cells=0, nearest=(), stranger=())):
        evidence = tally([group(B_CELL)], -0.9, background=background)
        assert answer(evidence) == [B_CELL]
        assert np.isnan(evidence.p_n[0])
        assert not evidence.novel_n[0]


def test_an_index_without_any_known_type_answers_nothing():
    evidence = Ballot(GROUPS.assign(term="unknown")).tally(np.array([[0, 1]]), np.float32([[0.9, 0.8]]))
    assert (evidence.answer_n[0], evidence.voters_n[0], evidence.nearest_n[0]) == (-1, 0, 0)


def test_no_cells_are_no_trouble():
    assert len(Ballot(GROUPS).tally(np.zeros((0, 5), dtype=np.int32), np.zeros((0, 5)))) == 0


@settings(deadline=None)
@given(matches, st.randoms(use_true_random=False))
def test_the_order_of_the_matches_does_not_matter(found, rng):
    shuffled = list(found)
    rng.shuffle(shuffled)
    one, other = (
        tally([g for g, _ in order], [c for _, c in order], background=BACKGROUND) for order in (found, shuffled)
    )
    for field in fields(Evidence):
        np.testing.assert_allclose(getattr(one, field.name), getattr(other, field.name), rtol=1e-5, atol=2e-6)


@settings(deadline=None)
@given(matches, st.floats(0.3, 1))
def test_the_share_is_a_part_and_the_counts_fit_each_other(found, share):
    evidence = tally([g for g, _ in found], [c for _, c in found], background=BACKGROUND, share=share)
    assert 0 <= evidence.share_n[0] <= 1
    assert 0 <= evidence.studies_n[0] <= evidence.matches_n[0] <= evidence.voters_n[0] <= len(found)
    assert (evidence.matches_n[0] > 0) == (evidence.answer_n[0] >= 0)
    if evidence.answer_n[0] >= 0:
        assert evidence.share_n[0] >= np.float32(share)


@settings(deadline=None)
@given(matches)
def test_weight_is_kept_on_the_way_up_the_ontology(found):
    ballot = Ballot(GROUPS)
    group_nk, cosine_nk = (np.array([column]) for column in zip(*found, strict=True))
    label_nk = ballot._label_h[group_nk]
    weight_nk = np.where(label_nk >= 0, 1 + cosine_nk.astype(float), 0)
    share_nm = ballot._shares(label_nk, weight_nk, np.zeros(label_nk.shape, dtype=np.float32))
    place = {node: m for m, node in enumerate(ballot.nodes)}
    for node in ballot.nodes:
        for parent in ONTOLOGY.parents(node):
            assert share_nm[0, place[parent]] >= share_nm[0, place[node]]
    roots = [m for node, m in place.items() if not ONTOLOGY.parents(node)]
    voted = weight_nk.sum() > 1e-6
    assert share_nm[0, roots].sum() == pytest.approx(1.0 if voted else share_nm[0, roots].sum(), abs=1e-5)


@settings(deadline=None)
@given(matches, matches)
def test_cells_do_not_influence_each_other(first, second):
    width = max(len(first), len(second))
    padded = [found + [(-1, -1.0)] * (width - len(found)) for found in (first, second)]
    group_nk = np.array([[g for g, _ in found] for found in padded])
    cosine_nk = np.float32([[c for _, c in found] for found in padded])
    ballot = Ballot(GROUPS, BACKGROUND)
    together = ballot.tally(group_nk, cosine_nk)
    alone = Evidence.join([ballot.tally(group_nk[[row]], cosine_nk[[row]]) for row in (0, 1)])
    for field in fields(Evidence):
        np.testing.assert_allclose(getattr(together, field.name), getattr(alone, field.name), rtol=1e-6)


terms = st.sampled_from((T_CELL, ALPHA_BETA, CD4, CD8, B_CELL, "unknown"))


@settings(deadline=None)
@given(st.lists(st.tuples(terms, terms), max_size=10))
def test_agreement_is_mutual(pairs):
    ours, theirs = (np.array([pair[side] for pair in pairs], dtype=object) for side in (0, 1))
    words = agreement(ours, theirs)
    assert words.tolist() == agreement(theirs, ours).tolist()
    assert set(words) <= set(AGREEMENTS)


def test_agreement_tells_finer_from_contradicting():
    ours = np.array([CD4, CD4, CD4, CD4, "unknown"], dtype=object)
    theirs = np.array([CD4, T_CELL, CD8, "unknown", CD4], dtype=object)
    assert agreement(ours, theirs).tolist() == ["agree", "compatible", "conflict", "unknown", "unknown"]
