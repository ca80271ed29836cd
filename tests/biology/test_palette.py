"""Colours: the same for a type everywhere, and apart for types that are met together."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest

from spoticell.biology.ontology import BROAD, load_ontology
from spoticell.biology.palette import GREY, LINEAGES, ink_on, oklch, score_color, term_color

BLOOD = [f"CL:{n:07}" for n in (860, 875, 895, 897, 900, 236, 625, 84, 623, 451, 233, 232)]
BREAST = [f"CL:{n:07}" for n in (57, 115, 235, 236, 84, 576, 451, 66, 623)]
BRAIN = [f"CL:{n:07}" for n in (540, 127, 128, 129, 2453)]

TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
GOLD = ("#4087de", "#e87f25", "#2dc2f5")

SEEN_BY = {
    "most people": np.eye(3),
    # Machado 2009, linear RGB
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
}


def lab(color: str, eye: str = "most people") -> np.ndarray:
    encoded = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return TO_LAB @ np.cbrt(np.clip(TO_LMS @ np.clip(SEEN_BY[eye] @ linear, 0, 1), 0, None))


def test_a_colour_never_changes():
    t_cell, b_cell, naive_cd4 = map(term_color, ("CL:0000084", "CL:0000236", "CL:0000895"))
    assert (t_cell, b_cell, naive_cd4) == GOLD


def test_what_is_no_term_is_grey():
    assert {term_color(text) for text in ("unknown", "", "CL:9999999", "<script>")} == {GREY}


def test_every_broad_type_has_a_hue_of_its_own():
    assert set(LINEAGES) == set(BROAD)
    assert len({term_color(term) for term in BROAD}) == len(BROAD)


def test_every_term_of_the_ontology_has_a_colour_that_is_seen_on_white_and_on_black():
    colors = {term_color(term) for term in load_ontology().terms}
    assert all(re.fullmatch(r"#[0-9a-f]{6}", color) for color in colors)
    lightness = np.array([lab(color)[0] for color in colors])
    assert lightness.min() > 0.44
    assert lightness.max() < 0.86


def test_a_subtype_keeps_the_hue_of_its_lineage():
    for term, broad in (("CL:0000860", "CL:0000576"), ("CL:0000788", "CL:0000236"), ("CL:0000895", "CL:0000084")):
        hues = [np.rad2deg(np.arctan2(*lab(term_color(one))[[2, 1]])) for one in (term, broad)]
        assert abs((hues[0] - hues[1] + 180) % 360 - 180) < 36


@pytest.mark.parametrize("types", [BLOOD, BREAST, BRAIN])
@pytest.mark.parametrize(("eye", "apart"), [("most people", 0.05), ("deuteranopes", 0.03)])
def test_types_that_are_met_together_are_told_apart(types, eye, apart):
    near = {
        (one, other): np.linalg.norm(lab(term_color(one), eye) - lab(term_color(other), eye))
        for one, other in combinations(types, 2)
    }
    assert {pair: distance for pair, distance in near.items() if distance < apart} == {}


def test_scores_get_darker_as_they_rise():
    lightness = [lab(score_color(score))[0] for score in np.linspace(0, 1, 11)]
    assert lightness == sorted(lightness, reverse=True)


def test_letters_on_a_colour_can_be_read():
    for term in BROAD:
        background, ink = (lab(color)[0] for color in (term_color(term), ink_on(term_color(term))))
        assert abs(background - ink) > 0.35


def test_a_colour_that_no_screen_can_show_becomes_paler():
    assert lab(oklch(145, 0.7, 0.4))[0] == pytest.approx(0.7, abs=0.02)
