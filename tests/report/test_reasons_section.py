"""The report tells which genes speak for the commonest types."""

from __future__ import annotations

from pathlib import Path

import pytest

import spoticell
from spoticell.report.page import render
from spoticell.report.sections.reasons import NAMED, SHOWN, reasons
from spoticell.web import demo

DEMO = Path(demo.__file__).parent / "demo_cells" / demo.NAME
TITLE = "Genes that speak for the types"


@pytest.fixture(scope="module")
def named():
    with pytest.warns(spoticell.errors.SpoticellWarning):
        return spoticell.annotate(DEMO, tissue="blood", on_progress=False)


@pytest.fixture(scope="module")
def told(named):
    return reasons(named.examples, named)


def test_the_commonest_types_have_ten_genes_each(told, named):
    assert [one.cell_type for one in told] == named.summary()["cell_type"].tolist()[:SHOWN]
    assert {len(one.genes) for one in told} == {NAMED}
    assert "FCGR3A" in next(one for one in told if one.term == "CL:0002396").genes


def test_the_page_names_them(told, named):
    page = render(named, examples=named.examples, command="spoticell")
    assert TITLE in page
    assert ", ".join(told[0].genes) in page


def test_a_model_without_weights_has_no_such_section(tiny_bundle, tiny_cells):
    named = spoticell.annotate(tiny_cells, model=tiny_bundle, on_progress=False)
    assert reasons(named.examples, named) is None
    assert TITLE not in render(named, examples=named.examples, command="spoticell")


def test_without_a_clear_cell_there_is_nobody_to_ask(named):
    assert reasons((), named) is None
