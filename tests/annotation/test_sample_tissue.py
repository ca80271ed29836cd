import numpy as np
import pytest

from spoticell.annotation.sample_tissue import of_tissues, show_tissues
from spoticell.biology.ontology import load_ontology

ONTOLOGY = load_ontology()


def show(**shares):
    """Show the tissues of a sample with such shares of types; give them, and what the sample can hold."""
    names = [name.replace("_", " ") for name in shares]
    nodes = [ONTOLOGY.resolve_label(name) for name in names]
    found = show_tissues(np.array([list(shares.values())]), np.arange(len(nodes)), nodes, ONTOLOGY)
    return found.shares, [name for name, possible in zip(names, found.possible_m, strict=True) if possible]


HEART = {"fibroblast_of_cardiac_tissue": 0.4, "regular_ventricular_cardiac_myocyte": 0.2}


def test_a_tissue_that_shows_itself_by_several_types_rules_out_those_of_others():
    tissues, possible = show(**HEART, mesangial_cell=0.3, T_cell=0.1)
    assert tissues == {"heart": 0.6}
    assert possible == ["fibroblast of cardiac tissue", "regular ventricular cardiac myocyte", "T cell"]


def test_one_odd_type_shows_no_tissue_but_half_of_the_sample_does():
    assert show(mesangial_cell=0.3, T_cell=0.7) == ({}, ["T cell"])
    assert show(hepatocyte=0.6, T_cell=0.4)[0] == {"liver": 0.6}


def test_blood_shows_no_tissue_and_keeps_the_types_that_it_shares_with_marrow():
    tissues, possible = show(T_cell=0.9, hematopoietic_stem_cell=0.02, alveolar_macrophage=0.03, monocyte=0.05)
    assert tissues == {}
    assert possible == ["T cell", "hematopoietic stem cell", "monocyte"]


def test_a_tissue_of_its_own_rules_out_types_of_marrow_too():
    assert "hematopoietic stem cell" not in show(**HEART, hematopoietic_stem_cell=0.02)[1]


def sample(**cells):
    """Show the tissues of a sample of so many cells of each type, which the network is sure of."""
    nodes = [ONTOLOGY.resolve_label(name.replace("_", " ")) for name in cells]
    weight_nc = np.repeat(np.eye(len(nodes)), list(cells.values()), axis=0)
    return show_tissues(weight_nc, np.arange(len(nodes)), nodes, ONTOLOGY)


HEART_CELLS = {"fibroblast_of_cardiac_tissue": 200, "regular_ventricular_cardiac_myocyte": 100, "T_cell": 100}


def test_a_mixture_shows_the_tissues_that_it_is_made_of_the_largest_first():
    found = sample(**HEART_CELLS, pancreatic_acinar_cell=10, VIP_GABAergic_interneuron=20, intrahepatic_cholangiocyte=5)
    assert list(found.shares) == ["heart", "brain", "pancreas"]
    assert found.looks() == (
        "The cells look like those of heart (69% are of its own types) and brain (5% are of its own types) and "
        "pancreas (3% are of its own types)"
    )
    assert found.chances == {}


def test_a_file_of_several_organs_may_hold_more_than_show_themselves():
    found = sample(**HEART_CELLS, pancreatic_acinar_cell=10, mesangial_cell=2)
    assert found.possible_m.all()
    assert found.describe().endswith("pancreas (2% are of its own types), so types of all tissues were possible.")
    alone = sample(**HEART_CELLS, mesangial_cell=2)
    assert not alone.possible_m[-1]


def test_few_cells_of_a_type_show_no_further_tissue():
    assert list(sample(**HEART_CELLS, VIP_GABAergic_interneuron=4).shares) == ["heart"]
    assert list(
        sample(fibroblast_of_cardiac_tissue=30, regular_ventricular_cardiac_myocyte=20, hepatocyte=4).shares
    ) == ["heart"]


def test_cells_that_may_be_anything_show_no_further_tissue():
    nodes = [ONTOLOGY.resolve_label(name.replace("_", " ")) for name in ("hepatocyte", "T cell", *HEART)]
    weight_nc = np.repeat([[0.45, 0.3, 0, 0.25], [0, 0, 0.5, 0.5]], [50, 150], axis=0)
    assert list(show_tissues(weight_nc, np.arange(4), nodes, ONTOLOGY).shares) == ["heart"]


@pytest.mark.parametrize(
    "form", ["mesangial_cell", "Kupffer_cell", "pulmonary_capillary_endothelial_cell", "enteroglial_cell"]
)
def test_an_organs_form_of_what_all_organs_have_shows_no_further_tissue(form):
    found = sample(**HEART_CELLS, **{form: 100})
    assert list(found.shares) == ["heart"]
    assert not found.possible_m[-1]


def test_dividing_cells_that_look_like_germ_cells_show_no_testis():
    assert list(sample(**HEART_CELLS, spermatogonium=100).shares) == ["heart"]


def test_forms_of_types_that_a_shown_tissue_has_show_no_further_one():
    brain = {"VIP_GABAergic_interneuron": 200, "astrocyte_of_the_cerebral_cortex": 100, "neuron": 20}
    assert list(sample(**brain, rod_bipolar_cell=50).shares) == ["brain"]
    assert list(sample(**brain, hepatocyte=50).shares) == ["brain", "liver"]


def test_a_type_of_one_tissue_says_more_than_one_of_several():
    shares = {"glutamatergic_neuron": 0.5, "GABAergic_neuron": 0.2, "astrocyte_of_the_cerebral_cortex": 0.2}
    assert list(show(**shares, retinal_cell=0.1)[0]) == ["brain"]


@pytest.mark.parametrize("cells", [0, 1])
def test_no_cells_show_no_tissue(cells):
    nodes = [ONTOLOGY.resolve_label(name) for name in ("hepatocyte", "T cell")]
    found = show_tissues(np.zeros((cells, 2)), np.arange(2), nodes, ONTOLOGY)
    assert found.shares == {}
    assert bool(found.chances) == (cells > 0)
    assert found.possible_m.tolist() == [False, True]


def test_what_was_found_is_said_in_a_sentence():
    nodes = [ONTOLOGY.resolve_label(name) for name in ("hepatocyte", "Kupffer cell", "T cell")]
    found = show_tissues(np.array([[0.5, 0.2, 0.3]]), np.arange(3), nodes, ONTOLOGY)
    assert "look like those of liver (probability 0.99, 70% are of its own types)" in found.describe()
    none = show_tissues(np.array([[0.1, 0, 0.8]]), np.arange(3), nodes, ONTOLOGY)
    assert "show no tissue" in none.describe()


def test_cells_of_blood_are_called_that_where_no_tissue_shows_itself():
    nodes = [ONTOLOGY.resolve_label(name) for name in ("T cell", "monocyte", "hepatocyte", "fibroblast")]
    blood = show_tissues(np.array([[0.6, 0.35, 0.05, 0]]), np.arange(4), nodes, ONTOLOGY)
    assert blood.describe().startswith(
        "The cells look like blood (probability 0.97), or blood cells of another tissue, so"
    )
    assert not show_tissues(np.array([[0.5, 0.3, 0, 0.2]]), np.arange(4), nodes, ONTOLOGY).blood
    assert not show_tissues(np.array([[0.1, 0.1, 0.8, 0]]), np.arange(4), nodes, ONTOLOGY).blood


@pytest.mark.parametrize("weight_c", [[0.5, 0.2, 0.3, 0, 0], [0, 0, 0.9, 0.1, 0]])
def test_what_is_written_of_the_tissues_gives_the_same_types_again(weight_c):
    names = ("hepatocyte", "Kupffer cell", "T cell", "hematopoietic stem cell", "mesangial cell")
    nodes = [ONTOLOGY.resolve_label(name) for name in names]
    found = show_tissues(np.array([weight_c]), np.arange(5), nodes, ONTOLOGY)
    again = of_tissues(found.shares, nodes, ONTOLOGY, blood=found.blood, chances=found.chances)
    assert again.possible_m.tolist() == found.possible_m.tolist()
    assert again.describe() == found.describe()
