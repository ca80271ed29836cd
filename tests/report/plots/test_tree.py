"""The branches of the ontology that hold cells."""

from __future__ import annotations

import pytest

from spoticell.errors import ConfigError
from spoticell.report import plots as pl


def rows(ax) -> list[tuple[str, str]]:
    texts = [text.get_text() for text in ax.texts]
    return list(zip(texts[::2], texts[1::2], strict=True))


def test_a_branch_holds_the_cells_of_all_types_below_it(cells):
    found = dict(rows(pl.type_tree(cells)))
    assert found["T cell"] == "32.3%"
    assert found["CD4 T"] == found["CD8 T"] == found["B cell"] == "16.1%"
    assert rows(pl.type_tree(cells))[-1] == ("unknown", "3.2%")


def test_bars_are_as_long_as_shares_and_deep_where_cells_have_just_this_answer():
    ax = pl.type_tree(["T cell", "CD4 T", "CD4 T", "B cell"])
    widths = [bar.get_width() for bar in ax.patches]
    whole, own = widths[::2], widths[1::2]
    assert whole == pytest.approx([3 * own[0], 2 * own[0], own[0]])
    assert own == pytest.approx([own[0], 2 * own[0], own[0]])


def test_types_where_nothing_parts_are_passed_over():
    assert [name for name, _ in rows(pl.type_tree(["naive B cell"]))] == ["B cell", "B naive"]
    assert [name for name, _ in rows(pl.type_tree(["naive B cell", "memory B cell"]))] == [
        "B cell",
        "B memory",
        "B naive",
    ]
    assert [name for name, _ in rows(pl.type_tree(["CD4 Tcm", "CD4 Tcm", "B cell"]))] == ["T cell", "CD4 Tcm", "B cell"]
    names = [name for name, _ in rows(pl.type_tree(["T cell", "CD4 Tcm", "CD8 Tem"]))]
    assert names == ["T cell", "CD4 Tcm", "CD8 Tem"]


def test_thin_branches_are_left_out_but_counted_above():
    types = ["CD4 T"] * 998 + ["CD8 T"] * 2
    assert "CD8 T" not in dict(rows(pl.type_tree(types)))
    assert dict(rows(pl.type_tree(types)))["T cell"] == "100.0%"
    assert dict(rows(pl.type_tree(types, least=0)))["CD8 T"] == "0.2%"
    assert dict(rows(pl.type_tree(["CD4 T"] * 2999 + ["CD8 T"], least=0)))["CD8 T"] == "<0.1%"


def test_a_tree_without_branches_is_refused():
    with pytest.raises(ConfigError, match="no branch to draw"):
        pl.type_tree(["B cell", "T cell"], least=0.6)
    with pytest.raises(ConfigError, match="no branch to draw"):
        pl.type_tree([])
