from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from spoticell.biology.ontology import load_ontology
from spoticell.biology.tissues import find_tissue, load_specific, load_tissues, possible_labels, tissue_names
from spoticell.errors import ConfigError
from spoticell.model.bundle import load_bundle

ONTOLOGY = load_ontology()
DOCS = Path(__file__).parents[2] / "docs"


def possible(tissue, *names):
    labels = [ONTOLOGY.resolve_label(name) for name in names]
    return possible_labels(labels, find_tissue(tissue), ONTOLOGY)


def test_every_term_of_the_tables_is_in_the_ontology_under_the_name_that_stands_beside_it():
    text = files("spoticell").joinpath("data", "tissue_types.tsv").read_text(encoding="utf-8")
    lines = [line.split("\t") for line in text.splitlines()[1:]]
    assert [(term, name) for term, name, _ in lines if ONTOLOGY.name(term) != name] == []
    assert len(lines) == len(load_specific())
    assert [term for tissue in load_tissues() for term in tissue.only | tissue.never if term not in ONTOLOGY] == []


def test_types_are_given_to_tissues_that_there_are():
    assert set().union(*load_specific().values()) <= set(tissue_names())


def test_no_two_tissues_share_a_name_and_they_stand_in_alphabetical_order():
    names = [name.lower() for tissue in load_tissues() for name in {tissue.name, tissue.term, *tissue.also}]
    assert len(names) == len(set(names))
    assert tissue_names() == sorted(tissue_names())


@pytest.mark.parametrize("tissue", tissue_names())
def test_each_tissue_leaves_many_types_of_the_shipped_bundle_and_rules_out_many(tissue):
    labels = load_bundle().manifest.labels
    left = sum(possible_labels(labels, find_tissue(tissue), ONTOLOGY))
    assert 50 < left < len(labels) - 50


@pytest.mark.parametrize("tissue", sorted(set(tissue_names()) - {"blood"}))
def test_cells_of_blood_vessels_and_connective_tissue_are_everywhere(tissue):
    everywhere = ["T cell", "macrophage", "mast cell", "endothelial cell", "fibroblast", "epithelial cell", "pericyte"]
    assert all(possible(tissue, *everywhere))


def test_types_of_other_organs_are_out_and_those_of_its_own_are_in():
    assert possible("lung", "pulmonary alveolar type 2 cell", "club cell", "alveolar macrophage") == [True] * 3
    assert possible("lung", "hepatocyte", "neuron", "podocyte", "sperm", "pancreatic A cell") == [False] * 5
    assert possible("blood", "naive B cell", "platelet", "hematopoietic stem cell") == [True] * 3
    assert (
        possible("blood", "macrophage", "mast cell", "microglial cell", "fibroblast", "endothelial cell") == [False] * 5
    )


def test_of_two_lines_one_above_the_other_the_lower_counts():
    # in the ontology a pancreatic D cell is a neuron and an enteroendocrine cell
    assert possible("pancreas", "pancreatic D cell", "neuron", "enteroendocrine cell") == [True, False, False]
    assert possible("intestine", "pancreatic D cell", "neuron", "enteroendocrine cell") == [False, True, True]


@pytest.mark.parametrize(
    ("text", "tissue"),
    [
        ("lung", "lung"),
        (" Lung ", "lung"),
        ("UBERON:0002048", "lung"),
        ("uberon_0002048", "lung"),
        ("PBMC", "blood"),
        ("gut", "intestine"),
        ("bone_marrow", "bone marrow"),
        ("Islet of  Langerhans", "pancreas"),
    ],
)
def test_a_tissue_has_several_names(text, tissue):
    assert find_tissue(text).name == tissue


@pytest.mark.parametrize("text", ["atlantis", "", "CL:0000084"])
def test_an_unknown_tissue_lists_the_known_ones(text):
    with pytest.raises(ConfigError) as error:
        find_tissue(text)
    assert ", ".join(tissue_names()) in str(error.value)


def test_the_tissues_are_in_the_documentation():
    text = " ".join((DOCS / "allowed.md").read_text(encoding="utf-8").split())
    assert ", ".join(tissue_names()) in text
