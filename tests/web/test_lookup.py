"""What people type into the search box, and what they mean."""

from __future__ import annotations

import numpy as np
import pytest

from spoticell.biology.ontology import load_ontology
from spoticell.biology.vocabulary import load_vocabulary
from spoticell.web.lookup import find_genes, find_types

VOCABULARY = load_vocabulary()
ALL = np.ones(len(VOCABULARY), dtype=bool)
PBMC = (
    *("CL:0000904", "CL:0000815", "CL:0000788", "CL:0000236", "CL:0000939", "CL:0002057"),
    *("CL:0000784", "CL:0000576", "CL:0000233"),
)


def genes(text, *, measured_g=ALL, cells_with=lambda g: 1, most=8):
    found = find_genes(text, VOCABULARY, measured_g=measured_g, cells_with=cells_with, most=most)
    return [VOCABULARY.symbols[g] for g in found]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("CD3", ["CD3D", "CD3E", "CD3G", "CD33"]),
        ("cd8", ["CD8A", "CD8B"]),
        ("CD16", ["FCGR3A", "FCGR3B", "CD160"]),
        ("CD2", ["CD2", "CD2AP", "CD2BP2", "CD22"]),
        ("CD20", ["MS4A1", "CD200"]),
        ("IL2", ["IL2", "IL2RA", "IL2RB", "IL2RG", "IL20"]),
        ("HLA-DR", ["HLA-DRA", "HLA-DRB1", "HLA-DRB5"]),
        ("ENSG00000156738", ["MS4A1"]),
        ("c1orf112", ["FIRRM"]),
    ],
)
def test_what_is_meant_comes_first(text, first):
    assert genes(text)[: len(first)] == first


def test_numbers_are_in_the_order_in_which_people_count():
    found = genes("MS4A", most=20)
    assert found.index("MS4A2") < found.index("MS4A15")


def test_of_an_ambiguous_name_the_gene_of_most_cells_comes_first():
    cells = {"FCGR3A": 3, "FCGR3B": 9}
    assert genes("CD16", cells_with=lambda g: cells.get(VOCABULARY.symbols[g], 0))[:2] == ["FCGR3B", "FCGR3A"]
    assert set(genes("PD1")[:3]) == {"PDCD1", "SNCA", "SPATA2"}


def test_genes_that_no_cell_has_are_behind_the_others():
    assert genes("CD3", cells_with=lambda g: int(VOCABULARY.symbols[g] != "CD3D"), most=3) == ["CD3E", "CD3G", "CD3D"]


def test_genes_that_were_not_measured_are_left_out():
    measured_g = ALL.copy()
    measured_g[VOCABULARY.by_symbol["CD3D"]] = False
    assert genes("CD3", measured_g=measured_g)[0] == "CD3E"
    assert genes("CD19", measured_g=np.zeros_like(ALL)) == []


@pytest.mark.parametrize("text", ["", "  ", "no gene is called so"])
def test_a_text_that_means_nothing_finds_nothing(text):
    assert genes(text) == []
    assert find_types(text, PBMC) == []


@pytest.mark.parametrize(
    ("text", "name", "types"),
    [
        ("NK", "natural killer cell", {"CL:0000939"}),
        ("Treg", "regulatory T cell", {"CL:0000815"}),
        ("B", "B cell", {"CL:0000788", "CL:0000236"}),
        ("b", "B cell", {"CL:0000788", "CL:0000236"}),
        ("T cells", "T cell", {"CL:0000904", "CL:0000815"}),
        ("mono", "monocyte", {"CL:0000576", "CL:0002057"}),
        ("pDC", "plasmacytoid dendritic cell", {"CL:0000784"}),
        ("CL:0000233", "platelet", {"CL:0000233"}),
    ],
)
def test_types_are_found_by_everyday_names_with_their_subtypes(text, name, types):
    ((term, own),) = find_types(text, PBMC)
    assert load_ontology().name(term) == name
    assert {PBMC[t] for t in own} == types


def test_a_type_that_no_cell_has_is_not_offered():
    assert find_types("hepatocyte", PBMC) == []
