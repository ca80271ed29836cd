"""Colours: the same for the same answers everywhere, and apart for types that are met together."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from tests.biology.color_difference import ciede2000, cielab, contrast

import spoticell
from spoticell.biology.ontology import BROAD, load_ontology
from spoticell.biology.palette import (
    GREY,
    LINEAGES,
    SLOTS,
    colors_of,
    ink_on,
    oklab,
    oklch,
    score_color,
    seen_without_green,
    term_color,
)
from spoticell.biology.short_names import term_of_short
from spoticell.model.bundle import load_bundle

GOLD = ["#066cd1", "#32a640", "#00758f"]

FILES = {
    "blood": "CD4 Tcm, CD14 mono, CD8 Tem, B naive, NK, CD4 naive, CD16 mono, CD8 naive, B memory, cDC2, Platelet,"
    "Treg, gd T, MAIT, pDC, Plasma, Megakaryocyte, CD4 CTL, HSPC, CD56bright NK",
    "two conditions of blood": "CD4 T, CD14 mono, CD4 Tm, CD8 Tem, B cell, NK, CD16 mono, DC, CD8 T, Megakaryocyte,"
    "pDC, T cell, Monocyte, Treg",
    "T cells": "CD4 naive, CD4 Tcm, CD4 Tm, CD8 naive, CD8 Tem, CD8 Tcm, Treg, CD8 TEMRA, gd T, MAIT, Tfh, Th17, NKT",
    "pancreas": "Beta cell, Alpha cell, Panc. ductal, Panc. acinar, Delta cell, Panc. stellate, Pancreatic PP,"
    "Endothelial, Macrophage, Mast, Epsilon cell, Schwann, T cell",
    "brain": "L2/3 IT neuron, Oligodendrocyte, Astrocyte, PVALB IN, SST IN, VIP IN, Microglia, OPC, L4 IT neuron,"
    "L6b neuron, LAMP5 IN, Endothelial, VLMC, CT neuron",
    "lung": "AT2, Alveolar mac, AT1, CD4 T, CD8 T, NK, Fibroblast, Lung cap. EC, Basal, Club, Goblet, Multiciliated,"
    "Mast, Plasma, B cell, Smooth muscle, Lymphatic EC, CD14 mono",
}
COMMONEST = 12
CARD = re.compile(r"--card: light-dark\((#\w{6}), (#\w{6})\)")


def terms_of(file: str) -> list[str]:
    return [term_of_short(short.strip()) for short in FILES[file].split(",")]


def difference(one: str, other: str) -> float:
    return ciede2000(cielab(one), cielab(other))


def lab(color: str) -> np.ndarray:
    return np.array(oklab(color))


def hue(color: str) -> float:
    return float(np.rad2deg(np.arctan2(*lab(color)[[2, 1]])))


def nearest_pair(terms: list[str]) -> float:
    colors = colors_of(terms)
    return min(difference(colors[one], colors[other]) for one, other in combinations(terms, 2))


def test_any_two_slots_can_be_told_apart():
    assert len(set(SLOTS)) == len(SLOTS) >= 30
    assert min(difference(one, other) for one, other in combinations(SLOTS, 2)) >= 12


def test_every_slot_is_seen_on_white_and_on_the_dark_ground_of_the_page():
    style = Path(spoticell.__file__).parent / "web" / "static" / "css" / "base.css"
    light, dark = CARD.search(style.read_text()).groups()
    assert min(contrast(slot, ground) for slot in SLOTS for ground in (light, dark)) >= 3


@pytest.mark.parametrize("file", FILES)
def test_the_commonest_types_of_a_file_are_told_apart(file):
    assert nearest_pair(terms_of(file)[:COMMONEST]) >= 12


def test_so_are_any_types_that_the_model_can_answer():
    nodes, rng = load_bundle("human-v1").nodes, np.random.default_rng(0)
    for _ in range(100):
        some = rng.choice(nodes, COMMONEST, replace=False).tolist()
        assert nearest_pair(some) >= 12
    many = rng.choice(nodes, len(SLOTS), replace=False).tolist()
    assert set(colors_of(many).values()) == set(SLOTS)


@pytest.mark.parametrize("file", FILES)
def test_readers_who_see_no_green_tell_the_commonest_types_apart(file):
    seen = [np.array(seen_without_green(color)) for color in colors_of(terms_of(file)[:6]).values()]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) > 0.03


def test_red_and_green_are_alike_without_green():
    red, green = "#b3503c", "#7c7a2f"
    apart = np.linalg.norm(np.subtract(seen_without_green(red), seen_without_green(green)))
    assert apart < np.linalg.norm(lab(red) - lab(green)) / 2


def test_colours_follow_from_the_types_and_their_order_alone():
    blood = terms_of("blood")
    assert colors_of(blood) == colors_of(iter([*blood, blood[0]]))
    few = colors_of(blood[:5])
    assert {term: colors_of(blood)[term] for term in few} == few
    assert [few[term] for term in blood[:3]] == GOLD


def test_what_has_a_colour_keeps_it_and_others_take_another():
    t_cell, b_cell = "CL:0000084", "CL:0000236"
    held = {t_cell: term_color(b_cell), "CL:0000540": term_color("CL:0000540")}
    colors = colors_of([b_cell, t_cell], held=held)
    assert colors[t_cell] == held[t_cell] != colors[b_cell]
    assert set(colors) == {t_cell, b_cell}


def test_where_there_are_more_types_than_colours_they_are_used_again():
    terms = load_ontology().terms[: 2 * len(SLOTS) + 1]
    colors = list(colors_of(terms).values())
    assert max(colors.count(slot) for slot in SLOTS) == 3


def test_what_is_no_term_is_grey():
    assert {term_color(text) for text in ("unknown", "", "CL:9999999", "<script>")} == {GREY}


def test_every_broad_type_has_a_hue_of_its_own():
    assert set(LINEAGES) == set(BROAD)
    assert set(map(term_color, BROAD)) <= set(SLOTS)


def test_every_term_of_the_ontology_has_a_colour():
    assert {term_color(term) for term in load_ontology().terms} <= set(SLOTS)


def test_a_subtype_keeps_the_hue_of_its_lineage():
    for term, broad in (("CL:0000860", "CL:0000576"), ("CL:0000788", "CL:0000236"), ("CL:0000895", "CL:0000084")):
        assert abs((hue(term_color(term)) - hue(term_color(broad)) + 180) % 360 - 180) < 40


def test_the_types_of_a_lineage_are_neighbours_in_hue_as_far_as_others_leave_room():
    colors = colors_of(terms_of("blood")[:COMMONEST])
    blue = [color for term, color in colors.items() if load_ontology().broad(term) == "CL:0000084"]
    assert len(blue) == 5
    assert all(180 < hue(color) % 360 < 310 for color in blue)


def test_scores_get_darker_as_they_rise():
    lightness = [lab(score_color(score))[0] for score in np.linspace(0, 1, 11)]
    assert lightness == sorted(lightness, reverse=True)


def test_letters_on_a_colour_can_be_read():
    for term in BROAD:
        background, ink = (lab(color)[0] for color in (term_color(term), ink_on(term_color(term))))
        assert abs(background - ink) > 0.35


def test_a_colour_that_no_screen_can_show_becomes_paler():
    assert lab(oklch(145, 0.7, 0.4))[0] == pytest.approx(0.7, abs=0.02)
