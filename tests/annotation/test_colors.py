"""The colours of a run: the commonest types are told apart, and a term has one colour on every level."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from tests.biology.color_difference import ciede2000, cielab

from spoticell.annotation.colors import TypeColors, by_weight
from spoticell.api import annotate
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import GREY, colors_of, oklab, term_color
from spoticell.model.bundle import load_bundle

T_CELL, CD4_T, CD8_T, B_CELL = "CL:0000084", "CL:0000624", "CL:0000625", "CL:0000236"
MONOCYTE = "CL:0000576"
COMMONEST = 12


def hue(color: str) -> float:
    _, a, b = oklab(color)
    return float(np.rad2deg(np.arctan2(b, a)) % 360)


@pytest.mark.parametrize("n_types", [12, 37, 200])
def test_the_commonest_types_are_told_apart_however_many_there_are(n_types):
    labels, rng = load_bundle("human-v1").nodes, np.random.default_rng(n_types)
    for _ in range(20):
        types = rng.choice(labels, n_types, replace=False).tolist()
        cells = np.sort(rng.pareto(1, n_types) * 100 + 1)[::-1].astype(int).tolist()
        colors = TypeColors(by_weight(dict(zip(types, cells, strict=True))))
        shown = [cielab(colors.of(term)) for term in types[:COMMONEST]]
        assert min(ciede2000(one, other) for one, other in combinations(shown, 2)) >= 12


def test_a_broad_type_that_few_cells_are_called_has_the_hue_of_its_lineage():
    cells_of = {CD4_T: 500, CD8_T: 300, B_CELL: 200, T_CELL: 1}
    colors = TypeColors(by_weight(cells_of), broad={T_CELL: [CD4_T, CD8_T], B_CELL: [B_CELL]})
    assert 220 < hue(colors.of(T_CELL)) < 290
    assert len({colors.of(term) for term in cells_of}) == 4


def test_on_a_broader_level_answers_keep_their_colours_and_others_have_that_of_their_commonest_answer():
    colors = TypeColors([CD4_T, B_CELL, CD8_T], broad={T_CELL: [CD4_T, CD8_T], B_CELL: [B_CELL]})
    assert colors.of(T_CELL) == colors.of(CD4_T)
    assert colors.level({T_CELL: [CD4_T, CD8_T], B_CELL: [B_CELL]}) == {
        T_CELL: colors.of(CD4_T),
        B_CELL: colors.of(B_CELL),
    }


def test_no_two_terms_of_a_level_are_alike():
    colors = TypeColors([CD4_T, CD8_T])
    level = colors.level({CD4_T: [CD8_T], T_CELL: [CD4_T], B_CELL: [CD4_T], MONOCYTE: []})
    assert level[CD4_T] == colors.of(CD4_T)
    assert len(set(level.values())) == 4


def test_what_is_shown_beside_the_answers_has_another_colour():
    colors = TypeColors([CD4_T], others=[CD8_T, "unknown"])
    assert colors.of(CD4_T) != colors.of(CD8_T)
    assert colors.of("unknown") == GREY
    assert colors.of(B_CELL) == term_color(B_CELL)


def test_the_same_answers_have_the_same_colours_in_any_order_of_cells(tiny_cells, tiny_bundle):
    there, back = tiny_cells.copy(), tiny_cells[::-1].copy()
    annotate(there, model=tiny_bundle, each_cell_alone=True)
    annotate(back, model=tiny_bundle, each_cell_alone=True)
    for name in ("cell_type", "cell_type_short", "level_broad"):
        assert there.uns[f"spoticell_{name}_colors"] == back.uns[f"spoticell_{name}_colors"]
    terms = back.obs["spoticell_cell_type_ontology_term_id"].value_counts()
    expected = colors_of(by_weight({term: cells for term, cells in terms.items() if term in load_ontology()}))
    assert set(expected.values()) == set(back.uns["spoticell_cell_type_colors"]) - {GREY}
