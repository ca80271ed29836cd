import pytest

from spoticell.biology.markers import markers_of
from spoticell.biology.ontology import TOO_GENERAL
from spoticell.biology.vocabulary import load_vocabulary

GENES = load_vocabulary()
T, CD4, B, LEUKOCYTE, CELL = "CL:0000084", "CL:0000624", "CL:0000236", "CL:0000738", "CL:0000000"


def known(rows, term, *symbols):
    return markers_of(rows, GENES).known(term, [GENES.by_symbol[symbol] for symbol in symbols])


def test_a_marker_of_the_type_of_one_above_it_and_of_a_subtype_is_known():
    rows = [(CD4, "CD4", "up"), (T, "CD3E", "up"), (LEUKOCYTE, "PTPRC", "up"), (B, "MS4A1", "up")]
    assert known(rows, T, "CD4", "CD3E", "PTPRC", "MS4A1") == [True, True, True, False]
    assert known(rows, CD4, "CD4", "CD3E", "PTPRC", "MS4A1") == [True, True, True, False]


def test_a_marker_of_any_cell_marks_no_type():
    assert CELL in TOO_GENERAL
    assert known([(CELL, "ACTB", "")], T, "ACTB") == [False]


def test_nothing_marks_an_unknown_type():
    assert known([(T, "CD3E", "")], "unknown", "CD3E") == [False]


@pytest.mark.parametrize(("direction", "counts"), [("up", True), ("", True), ("UP", True), ("down", False)])
def test_only_genes_that_a_type_has_more_of_count(direction, counts):
    assert known([(T, "CD3E", direction)], T, "CD3E") == [counts]


def test_types_and_genes_may_be_named_as_people_do():
    rows = [("T cells", "CD3E", ""), ("Tregs", "ENSG00000049768", ""), ("B cell", "CD20", "")]
    assert known(rows, T, "CD3E", "FOXP3") == [True, True]
    assert known(rows, B, "MS4A1") == [True]


def test_what_is_not_understood_is_told_once():
    found = markers_of([("blob", "CD3E", ""), ("blob", "CD4", ""), (T, "nothing", "")], GENES)
    assert found.unread == ("blob", "nothing")
    assert not found.genes_of
