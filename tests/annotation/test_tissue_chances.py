import numpy as np
import pytest

from spoticell.annotation.tissue_chances import tissue_chances
from spoticell.biology.ontology import load_ontology

ONTOLOGY = load_ontology()
HEART = {"fibroblast_of_cardiac_tissue": 0.3, "regular_ventricular_cardiac_myocyte": 0.2}


def chances(**shares):
    """Give the chances of a sample with such shares of types."""
    nodes = [ONTOLOGY.resolve_label(name.replace("_", " ")) for name in shares]
    return tissue_chances(np.array(list(shares.values())), nodes)


def test_types_that_one_tissue_alone_has_make_it_sure():
    found = chances(**HEART, T_cell=0.5)
    assert list(found) == ["heart"]
    assert found["heart"] > 0.95


def test_types_of_another_tissue_make_it_less_sure():
    sure, less = (chances(**HEART, mesangial_cell=share)["heart"] for share in (0.02, 0.4))
    assert less < sure


def test_blood_cells_alone_are_blood_most_likely_but_not_surely():
    found = chances(T_cell=0.6, monocyte=0.4)
    assert 0.9 < found["blood"] < 0.99


def test_cells_that_blood_lacks_speak_against_it():
    assert chances(T_cell=0.4, fibroblast=0.6).get("blood", 0) < chances(T_cell=0.6, monocyte=0.4)["blood"]


def test_a_type_of_two_tissues_leaves_open_which():
    found = chances(cholangiocyte=1)
    assert found["liver"] == pytest.approx(found["pancreas"])
    assert sum(found.values()) == pytest.approx(1, abs=0.2)


def test_rare_types_say_nothing():
    assert chances(T_cell=0.9, hepatocyte=0.005, monocyte=0.095) == chances(T_cell=0.9, hepatocyte=0, monocyte=0.095)
