"""Tables that commands print."""

from __future__ import annotations

import pytest
from tests.conftest import tiny_adata

import spoticell
from spoticell.cli import tables


@pytest.fixture(scope="module")
def annotation(tiny_bundle):
    return spoticell.annotate(tiny_adata(), model=tiny_bundle)


def test_the_summary_has_each_type_by_its_short_name_and_its_name(annotation):
    lines = [" ".join(line.split()) for line in tables.composition(annotation)]
    assert lines[0] == "cells share score type name in the ontology"
    assert "5 16.1% 1.00 CD4 T CD4-positive, alpha-beta T cell" in lines


def test_of_the_summary_only_names_are_cut_that_are_too_long_for_a_terminal(annotation, monkeypatch):
    whole = tables.composition(annotation)
    monkeypatch.setattr(tables, "WIDTH", 45)
    found = tables.composition(annotation)
    changed = [(line, cut) for line, cut in zip(whole, found, strict=True) if line != cut]
    assert changed
    assert [line for line, _ in changed if len(line) <= 45 or "unknown:" in line] == []
    assert [cut for _, cut in changed if len(cut) > 45 or not cut.endswith("...")] == []


def test_types_beyond_the_commonest_are_one_line(annotation, monkeypatch):
    monkeypatch.setattr(tables, "TOP", 2)
    assert len(tables.composition(annotation)) == 5
    assert "other types" in tables.composition(annotation)[3]
