"""Cells as pictures: levels of pixels, and which genes are named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spoticell.report.picture import (
    LEVELS,
    NO_GENE,
    SEEN,
    UNMEASURED,
    UNSEEN,
    level_colors,
    level_picture,
    most_its_own,
    strongest,
)

COUNTS = hnp.arrays(np.float32, 9, elements=st.floats(0, 1e7, width=32))


@given(COUNTS, st.permutations(range(16)), hnp.arrays(np.bool_, 9))
def test_every_pixel_says_what_is_known_of_its_gene(counts_g, pixels, measured_g):
    pixel_g = np.array(pixels[:9])
    counts_g = np.where(measured_g, counts_g, 0).astype(np.float32)
    levels = level_picture(counts_g, pixel_g, measured_g=measured_g, grid=4).ravel()
    assert (levels[np.setdiff1d(np.arange(16), pixel_g)] == NO_GENE).all()
    assert (levels[pixel_g[~measured_g]] == UNMEASURED).all()
    assert (levels[pixel_g[measured_g & (counts_g == 0)]] == UNSEEN).all()
    assert (levels[pixel_g[counts_g > 0]] >= SEEN).all()
    assert levels.max() < LEVELS == len(level_colors())


@given(COUNTS)
def test_more_counts_never_shine_less(counts_g):
    levels = level_picture(counts_g, np.arange(9), grid=3).ravel()
    assert (np.diff(levels[np.argsort(counts_g)].astype(int)) >= 0).all()


@pytest.mark.parametrize("odd", [np.nan, -3.0])
def test_what_is_no_count_is_dark(odd):
    assert level_picture(np.float32([odd, 1]), np.array([0, 1]), grid=2).ravel()[0] == UNSEEN


def test_one_gene_does_not_put_out_the_others():
    counts_g = np.ones(1000, dtype=np.float32)
    counts_g[0] = 1e6
    assert (level_picture(counts_g, np.arange(1000), grid=40).ravel()[:1000] == LEVELS - 1).all()


def test_the_faintest_gene_stands_out_from_the_dark():
    brightness = [sum(int(color[i : i + 2], 16) for i in (1, 3, 5)) for color in level_colors()]
    assert brightness[SEEN] > 2 * brightness[UNSEEN] > 2 * brightness[UNMEASURED]


def test_a_gene_that_all_cells_have_does_not_stand_out():
    others_og = np.float32([[100, 0, 3, 1], [120, 1, 0, 2], [90, 0, 0, 1]])
    assert most_its_own(np.float32([110, 8, 0, 1]), others_og, 1).tolist() == [1]


@given(COUNTS, st.integers(0, 12))
def test_only_genes_with_counts_are_named_and_no_more_than_asked_for(counts_g, k):
    for genes in (strongest(counts_g, k), most_its_own(counts_g, counts_g[None] * 2 + 1, k)):
        assert len(genes) <= k
        assert (counts_g[genes] > 0).all()


def test_without_other_cells_the_strongest_genes_are_named():
    assert most_its_own(np.float32([1, 5, 3]), np.empty((0, 3), np.float32), 2).tolist() == [1, 2]
