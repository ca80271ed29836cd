from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.corpus.recipe.parts import Keep, Source
from spoticell.corpus.sources.source import CellTable
from spoticell.corpus.sources.table import tabulate
from spoticell.corpus.survey import digest, grouped, judged, type_counts

B, T = "CL:0000236", "CL:0000084"


def table(rows: list[tuple[str, str]], name: str = "mine") -> CellTable:
    return tabulate(pd.DataFrame(rows, columns=["cell_type", "donor_id"]), Source(), name=name)


def test_rules_look_at_all_sources_together() -> None:
    first, second = table([("T cell", "a"), ("B cell", "a")], "one"), table([("T cell", "b")], "two")
    kept = judged([first, second], Keep(cells_per_type=2))
    assert [one.keep_n.tolist() for one in kept] == [[True, False], [True]]
    assert kept[0].left_out == {"type with fewer than 2 cells": 1}


def test_unknown_donors_count_for_none() -> None:
    (kept,) = judged(
        [table([("T cell", "a"), ("T cell", "unknown"), ("B cell", "a"), ("B cell", "b")])], Keep(donors_per_type=2)
    )
    assert type_counts([kept]) == {B: 2}
    assert kept.left_out == {"type with fewer than 2 donors": 2}


def test_types_near_the_root_can_be_left_out() -> None:
    (kept,) = judged([table([("T cell", "a"), ("leukocyte", "a")])], Keep(terms_above=7))
    assert type_counts([kept]) == {T: 1}


CELLS = st.lists(st.tuples(st.sampled_from(["T cell", "B cell", "clump"]), st.sampled_from(["a", "b", "unknown"])))


@given(CELLS, CELLS, st.integers(0, 5), st.integers(0, 3))
def test_what_is_kept_obeys_the_rules_and_everything_else_has_a_reason(
    first: list, second: list, cells: int, donors: int
) -> None:
    before = [table(first, "one"), table(second, "two")]
    kept = judged(before, Keep(cells_per_type=cells, donors_per_type=donors))
    for one in kept:
        assert int(one.keep_n.sum()) + sum(one.left_out.values()) == len(one)
    counts = type_counts(before)
    for term in type_counts(kept):
        known = {
            donor
            for one in before
            for label, donor in zip(one.cells["cell_type_ontology_term_id"], one.cells["donor_id"], strict=True)
            if label == term and donor != "unknown"
        }
        assert counts[term] >= cells
        assert len(known) >= donors
    assert type_counts(judged(kept, Keep())) == type_counts(kept)


def test_alike_cells_of_several_tables_are_counted_together() -> None:
    one = table([("T cell", "a"), ("B cell", "a"), ("B cell", "b")])
    groups = grouped([one.cells, one.cells])
    assert groups["n_cells"].tolist() == [4, 2]
    assert groups["donor_id"].tolist() == ["mine:a", "mine:b"]


@pytest.mark.parametrize(
    "other", [[("T cell", "a"), ("T cell", "c")], [("T cell", "a"), ("B cell", "b")], [("T cell", "a")]]
)
def test_a_digest_tells_tables_apart(other: list) -> None:
    rows = [("T cell", "a"), ("T cell", "b")]
    assert digest(table(rows)) == digest(table(rows))
    assert digest(table(rows)) != digest(table(other))
    assert digest(table(rows)) != digest(judged([table(rows)], Keep(cells_per_type=9))[0])
