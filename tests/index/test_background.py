"""What comes by chance: similarities of references with their own study left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.errors import SearchError
from spoticell.index.background import FEWEST, LEVELS, MOST, Background, background_of, parse_background

T_CELL, CD4, B_CELL, FIBROBLAST = "CL:0000084", "CL:0000624", "CL:0000236", "CL:0000057"


def unit(values) -> np.ndarray:
    values = np.asarray(values, dtype=np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def references(*, studies: int, cells: int, types=(T_CELL, B_CELL, FIBROBLAST), spread=0.2, seed=0):
    """Cells around one direction a type, in studies of equal size."""
    rng = np.random.default_rng(seed)
    groups = pd.DataFrame([(term, f"study {s}") for s in range(studies) for term in types], columns=["term", "study"])
    groups = groups.assign(dataset=groups["study"], donor="")
    group_n = np.repeat(np.arange(len(groups), dtype=np.int32), cells)
    fingerprint_nd = np.eye(8)[group_n % len(types)] + rng.normal(scale=spread, size=(len(group_n), 8))
    return unit(fingerprint_nd), groups, group_n


def measured(fingerprint_nd, groups, group_n, *, size=1000, **options) -> Background:
    blocks = range(0, len(fingerprint_nd), size)
    return background_of(lambda: (fingerprint_nd[start : start + size] for start in blocks), groups, group_n, **options)


def by_hand(fingerprint_nd, groups, group_n) -> tuple[np.ndarray, np.ndarray]:
    """Nearest similarity to another study, and to another type of another study."""
    study, term = (groups[name].to_numpy()[group_n] for name in ("study", "term"))
    cosine = fingerprint_nd @ fingerprint_nd.T
    other = study[:, None] != study[None]
    strange = other & (term[:, None] != term[None])
    return np.where(other, cosine, -np.inf).max(axis=1), np.where(strange, cosine, -np.inf).max(axis=1)


def test_the_distributions_are_those_found_by_comparing_all_with_all():
    cells = references(studies=3, cells=40)
    background = measured(*cells)
    nearest, stranger = by_hand(*cells)
    levels = np.arange(1, LEVELS + 1) / (LEVELS + 1) - 1e-9
    assert background.cells == 360
    np.testing.assert_allclose(background.nearest, np.quantile(nearest, levels, method="inverted_cdf"), atol=2e-5)
    np.testing.assert_allclose(background.stranger, np.quantile(stranger, levels, method="inverted_cdf"), atol=2e-5)


@settings(deadline=None)
@given(size=st.integers(1, 400))
def test_how_the_references_are_cut_into_blocks_does_not_matter(size):
    cells = references(studies=2, cells=30)
    one, other = measured(*cells, size=size), measured(*cells)
    np.testing.assert_allclose(one.nearest, other.nearest, atol=2e-5)
    np.testing.assert_allclose(one.stranger, other.stranger, atol=2e-5)


def test_the_same_seed_gives_the_same_sample_and_another_one_nearly_the_same_quantiles():
    cells = references(studies=3, cells=400)
    first, again, other = measured(*cells), measured(*cells), measured(*cells, seed=1)
    assert first == again
    assert first.cells == MOST
    assert first != other
    assert abs(first.nearest[LEVELS // 2] - other.nearest[LEVELS // 2]) < 0.01


def test_the_sample_shrinks_where_there_are_many_references_but_not_below_a_floor(monkeypatch):
    monkeypatch.setattr("spoticell.index.background.WORK", 1.0)
    assert measured(*references(studies=3, cells=400)).cells == FEWEST


def test_a_large_study_does_not_drown_a_small_one():
    fingerprint_nd, groups, group_n = references(studies=2, cells=3000, types=(T_CELL,))
    kept = (group_n == 0) | (np.arange(len(group_n)) % 3000 < 300)
    small_is_far = np.where((group_n == 1)[:, None], unit(np.tile([0, 1, 0, 0, 0, 0, 0, 0], (len(group_n), 1))), 0)
    moved = unit(fingerprint_nd + 5 * small_is_far)
    background = measured(moved[kept], groups, group_n[kept])
    assert background.cells == MOST
    assert np.mean(np.array(background.nearest) < 0.9) > 0.4


def test_a_cousin_is_no_stranger():
    fingerprint_nd, groups, group_n = references(studies=2, cells=20, types=(T_CELL, CD4, FIBROBLAST))
    background = measured(fingerprint_nd, groups, group_n)
    term = groups["term"].to_numpy()[group_n]
    far = (term[:, None] == FIBROBLAST) != (term[None] == FIBROBLAST)
    study = group_n // 3
    cosine = np.where(far & (study[:, None] != study[None]), fingerprint_nd @ fingerprint_nd.T, -np.inf)
    assert background.stranger[-1] == pytest.approx(cosine.max(axis=1).max(), abs=1e-4)


def test_only_types_that_another_study_has_say_how_near_a_match_should_be():
    fingerprint_nd, groups, group_n = references(studies=2, cells=20)
    only_here = groups.assign(term=[*groups["term"][:2], "CL:0000540", *groups["term"][3:]])
    background = measured(fingerprint_nd, only_here, group_n)
    shared = np.isin(group_n, [0, 1, 3, 4])
    nearest, _ = by_hand(fingerprint_nd, only_here, group_n)
    assert background.nearest[0] == pytest.approx(nearest[shared].min(), abs=1e-4)


def test_a_type_with_enough_cells_is_judged_by_its_own_distance():
    near, far = references(studies=2, cells=60, types=(T_CELL,), spread=0.05), references(studies=2, cells=60, seed=3)
    fingerprint_nd = np.concatenate([near[0], -far[0]])
    groups = pd.concat([near[1], far[1].assign(term=B_CELL)], ignore_index=True)
    background = measured(fingerprint_nd, groups, np.concatenate([near[2], far[2] + len(near[1])]))
    assert set(background.nearest_to) == {T_CELL, B_CELL}
    assert background.nearest_to[T_CELL][0] > background.nearest_to[B_CELL][99]
    as_t, as_b, as_any = (background.p_fit([0.95], kind)[0] for kind in ([T_CELL], [B_CELL], None))
    assert as_t < as_any < as_b
    assert background.p_fit([0.95], [FIBROBLAST])[0] == as_any


def test_a_type_with_few_cells_is_judged_by_all():
    assert measured(*references(studies=2, cells=20)).nearest_to == {}


@pytest.mark.parametrize(("column", "unit_name"), [("dataset", "dataset"), ("donor", "donor")])
def test_with_one_study_its_data_sets_or_donors_are_left_out_in_turn(column, unit_name):
    fingerprint_nd, groups, group_n = references(studies=2, cells=20)
    one_study = groups.assign(study="the only one", dataset="the only one", donor="")
    one_study[column] = groups["study"]
    background = measured(fingerprint_nd, one_study, group_n)
    assert background.unit == unit_name
    assert background.nearest == measured(fingerprint_nd, groups, group_n).nearest


def test_data_sets_without_a_study_are_studies_of_their_own():
    fingerprint_nd, groups, group_n = references(studies=3, cells=20)
    unnamed = groups.assign(study=groups["study"].where(groups["study"] == "study 0", ""))
    background = measured(fingerprint_nd, unnamed, group_n)
    assert (background.unit, background.units) == ("study", 3)
    assert background.nearest == measured(fingerprint_nd, groups, group_n).nearest
    nameless = measured(fingerprint_nd, groups.assign(study=""), group_n)
    assert (nameless.unit, nameless.units) == ("dataset", 3)


def test_one_study_with_one_donor_has_no_background_and_gives_no_p_values():
    background = measured(*references(studies=1, cells=20))
    assert (background.unit, background.nearest, background.stranger) == ("none", (), ())
    assert np.isnan(background.p_fit([0.9, 0.1])).all()
    assert np.isnan(background.p_chance([0.9, 0.1])).all()


def test_references_without_any_known_type_have_no_distributions():
    fingerprint_nd, groups, group_n = references(studies=2, cells=20)
    background = measured(fingerprint_nd, groups.assign(term="unknown"), group_n)
    assert (background.cells, background.nearest, background.stranger) == (0, (), ())


def test_a_background_survives_being_written_as_json():
    background = measured(*references(studies=2, cells=20))
    assert Background.model_validate_json(background.model_dump_json()) == background


@settings(deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=1, max_size=50), st.floats(-1, 1), st.floats(-1, 1))
def test_p_values_lie_in_bounds_and_move_with_the_similarity(values, one, two):
    quantiles = tuple(sorted(values))
    background = Background(unit="study", units=2, cells=5, nearest=quantiles, stranger=quantiles)
    low, high = sorted((one, two))
    fit, chance = background.p_fit([low, high]), background.p_chance([low, high])
    assert ((fit > 0) & (fit <= 1) & (chance > 0) & (chance <= 1)).all()
    assert fit[0] <= fit[1]
    assert chance[0] >= chance[1]


@settings(deadline=None)
@given(seed=st.integers(0, 20))
def test_p_values_of_cells_like_the_references_are_uniform(seed):
    fingerprint_nd, groups, group_n = references(studies=5, cells=200, spread=0.4, seed=seed)
    held_out = group_n >= 12
    background = measured(fingerprint_nd[~held_out], groups, group_n[~held_out])
    similarity = (fingerprint_nd[held_out] @ fingerprint_nd[~held_out].T).max(axis=1)
    p_n = background.p_fit(similarity)
    # another study's cells are compared with three studies inside the index and with four from outside
    assert abs(np.mean(p_n <= 0.2) - 0.2) < 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nearest": [0.1, 0.9, 0.5]}, "nearest: quantiles must rise"),
        ({"stranger": [7.0]}, "stranger.0: Input should be less"),
        ({"stranger": [0.5] * 1000}, "stranger: Tuple should have at most 999"),
        ({"more": 1}, "more: Extra inputs"),
        ({"unit": {"b": None}}, "unit: Input should be a valid string"),
    ],
)
def test_a_background_that_can_not_be_is_refused(change, message):
    fields = {"unit": "study", "units": 2, "cells": 3, "nearest": [0.5], "stranger": [0.2]} | change
    with pytest.raises(SearchError, match=f"background of the index blood is damaged: {message}"):
        parse_background(fields, where="blood")
