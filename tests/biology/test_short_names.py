"""Short names: one for each type that the model can answer, each alone."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from spoticell.biology.everyday import read_name
from spoticell.biology.ontology import load_ontology
from spoticell.biology.short_names import has_short_name, short_name, term_of_short
from spoticell.model.bundle import load_bundle

ONTOLOGY = load_ontology()
NODES = load_bundle("human-v1").nodes
LONGEST = 16


def table() -> list[dict[str, str]]:
    text = files("spoticell").joinpath("data", "short_names.tsv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines(), delimiter="\t"))


def test_all_that_the_model_can_answer_has_a_short_name() -> None:
    assert [ONTOLOGY.name(node) for node in NODES if not has_short_name(node)] == []


def test_short_names_are_short_and_plain() -> None:
    shorts = [short_name(node) for node in NODES]
    assert [short for short in shorts if not 2 <= len(short) <= LONGEST or not short.isascii()] == []
    assert [short for short in shorts if short != " ".join(short.split())] == []


def test_no_two_terms_of_the_ontology_have_names_that_are_alike() -> None:
    taken: dict[str, list[str]] = {}
    for term in ONTOLOGY:
        taken.setdefault(short_name(term).lower(), []).append(term)
    assert {short: terms for short, terms in taken.items() if len(terms) > 1} == {}


def test_a_short_name_is_read_as_its_type() -> None:
    assert {short_name(node): read_name(short_name(node)) for node in NODES} == {
        short_name(node): node for node in NODES
    }


def test_the_table_is_in_the_words_of_the_ontology_sorted_and_has_no_term_twice() -> None:
    rows = table()
    assert {row["cell_type_ontology_term_id"]: row["cell_type"] for row in rows} == {
        row["cell_type_ontology_term_id"]: ONTOLOGY.name(row["cell_type_ontology_term_id"]) for row in rows
    }
    terms = [row["cell_type_ontology_term_id"] for row in rows]
    assert terms == sorted(set(terms))


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("central memory CD4-positive, alpha-beta T cell", "CD4 Tcm"),
        ("CD14-low, CD16-positive monocyte", "CD16 mono"),
        ("pulmonary alveolar type 2 cell", "AT2"),
        ("Kupffer cell", "Kupffer"),
        ("natural killer cell", "NK"),
        ("CD141-positive myeloid dendritic cell", "cDC1"),
        ("regulatory T cell", "Treg"),
        ("naive B cell", "B naive"),
        ("plasma cell", "Plasma"),
        ("oligodendrocyte precursor cell", "OPC"),
        ("epithelial cell of proximal tubule", "Prox. tubule"),
    ],
)
def test_common_types_are_called_as_in_papers(name: str, short: str) -> None:
    assert short_name(ONTOLOGY.resolve_label(name)) == short


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("stem cell memory CD4-positive, alpha-beta T cell", "stem cell memory CD4+ T cell"),
        ("immature natural killer cell", "immature NK cell"),
        ("double-positive, alpha-beta thymocyte", "double-positive thymocyte"),
        ("pro-B cell", "Pro-B"),
    ],
)
def test_other_terms_lose_what_people_leave_out(name: str, short: str) -> None:
    term = ONTOLOGY.resolve_label(name)
    assert short_name(term) == short


def test_where_two_terms_would_lose_what_tells_them_apart_they_keep_their_names() -> None:
    human = "activated CD4-positive, alpha-beta T cell, human"
    assert short_name(ONTOLOGY.resolve_label(human)) == human


def test_what_is_no_term_is_left_as_it_is() -> None:
    assert [short_name(text) for text in ("unknown", "", "CL:9999999")] == ["unknown", "", "CL:9999999"]


@pytest.mark.parametrize("text", ["CD4 TCM", "cd4 tcm", "CD4_Tcm", "CD4 Tcm cells", " CD4 Tcm "])
def test_a_short_name_is_known_in_any_case_and_number(text: str) -> None:
    assert term_of_short(text) == "CL:0000904"


def test_signs_are_not_overlooked() -> None:
    assert term_of_short("CD14+CD16- mono") != term_of_short("CD14+CD16+ mono")
    assert term_of_short("blood") is None
