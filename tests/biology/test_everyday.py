from __future__ import annotations

import csv
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.biology.everyday import closest_names, everyday_names, meanings_of, read_name
from spoticell.biology.ontology import load_ontology

ONTOLOGY = load_ontology()
MEANT = {
    "T cell": "T|T cells|T-cells|t cell|T_cells|T.cells|Tcells|TCell|CD3+ T|T lymphocytes|0: T cells|T cells_1",
    "B cell": "B|B-cell|B cells|Bcells|CD19+ B|1_B cells|B lymphocytes",
    "natural killer cell": "NK|NK cells|NKCell|Natural Killer Cells|CD56+ NK|cluster 5: NK|natural killer (NK) cells",
    "mature NK T cell": "NKT|NK T|iNKT",
    "CD4-positive, alpha-beta T cell": "CD4|CD4 T|CD4+ T cells|CD4 T-cells|T CD4+|CD4..T.cells",
    "CD8-positive, alpha-beta T cell": "CD8|CD8+ T cell|CD8T|cd8 t cells",
    "naive thymus-derived CD4-positive, alpha-beta T cell": "Naive CD4 T|CD4 Naive|naïve CD4+ T cells",
    "CD8-positive, alpha-beta memory T cell": "Memory CD8 T|CD8+ memory T cells",
    "effector memory CD8-positive, alpha-beta T cell": "CD8 TEM|CD8+ Tem|CD8 effector memory T cells",
    "regulatory T cell": "Treg|Tregs|T reg|CD4+ Treg|Regulatory T|Regulatory T cells (Treg)|CD4+/CD25 T Reg",
    "gamma-delta T cell": "gdT|γδ T|gamma-delta T cells|gamma delta T",
    "T-helper 17 cell": "Th17|Th17 cells|TH-17",
    "classical monocyte": "CD14 Mono|CD14+ Mono|CD14+ Monocytes|Classical Monocytes",
    "CD14-low, CD16-positive monocyte": "CD16 Mono|FCGR3A+ Mono|CD16+ Monocytes",
    "non-classical monocyte": "Non-classical monocytes|nonclassical monocytes|ncMono",
    "CD141-positive myeloid dendritic cell": "cDC1|DC1|cDC1s",
    "CD1c-positive myeloid dendritic cell": "cDC2|DC2",
    "dendritic cell": "DC|DCs|Dendritic",
    "plasma cell": "Plasma|Plasma cells|Plasma B cells",
    "CD16-negative, CD56-bright natural killer cell, human": "CD56bright NK|NK_CD56bright|NK CD56 bright",
    "erythrocyte": "RBC|RBCs|Red blood cells",
    "hematopoietic stem cell": "HSC|HSCs|Haematopoietic stem cells",
    "group 2 innate lymphoid cell": "ILC2|ILC2s|ILC-2",
    "pulmonary alveolar type 2 cell": "AT2|AT-2|ATII|AT II cells|Type II pneumocytes|alveolar type 2",
    "smooth muscle cell": "SMC|SMCs|Smooth muscle|smooth-muscle cells",
    "endothelial cell of lymphatic vessel": "Lymphatic EC|Lymphatic endothelial cells|Endothelial - lymphatic",
    "type B pancreatic cell": "beta|Beta cells|β cells",
    "Mueller cell": "Müller glia|Muller glia",
    "oligodendrocyte precursor cell": "OPC|OPCs|Oligodendrocyte progenitor cells",
    "microglial cell": "Microglia|Micro",
    "cycling T cell": "Proliferating T cells|cycling T",
    "muscle cell": "Muscle cells",
}

ASKED = (
    "T cells|NK|NK cells|DC|HSC|CD8+ T cell|CD4+ T cells|Microglia|Tregs|Treg|monocytes|Mono|B cells|plasma|pDC|cDC1|"
    "cDC2|Macrophages|Fibroblasts|Endothelial|Epithelial|AT1|AT2|Hepatocytes|Kupffer|Astrocytes|Oligodendrocytes|OPC|"
    "Neurons|Beta cells|Alpha cells"
)


@pytest.mark.parametrize("name", MEANT)
def test_a_type_is_known_by_its_everyday_names(name: str) -> None:
    read = {text: read_name(text) for text in MEANT[name].split("|")}
    assert {text: term and ONTOLOGY.name(term) for text, term in read.items()} == dict.fromkeys(read, name)


def test_all_words_of_a_demanding_biologist_are_understood() -> None:
    assert {word: read_name(word) for word in ASKED.split("|") if read_name(word) is None} == {}


@pytest.mark.parametrize("text", ["PC", "IC", "Endo", "EC", "SC", "KC", "Stellate", "Cap", "Excitatory neurons"])
def test_a_name_that_people_use_for_several_types_names_none_and_all_are_told(text: str) -> None:
    assert read_name(text) is None
    assert closest_names(text) == [ONTOLOGY.name(term) for term in meanings_of(text)][:3]


@pytest.mark.parametrize("text", ["T/NK", "NK/T cells", "T and NK", "T + NK", "B/Plasma", "Mono/Mac", "Pericyte & SMC"])
def test_two_types_at_once_are_none(text: str) -> None:
    assert read_name(text) is None


@pytest.mark.parametrize("text", ["", "12", "Cluster 3", "C41", "g5", "A", "D", "b", "t", "T cell?", "my cluster", "?"])
def test_numbers_of_clusters_single_letters_and_doubts_name_nothing(text: str) -> None:
    assert read_name(text) is None


@pytest.mark.parametrize("text", ["blood", "Kidney", "muscle", "secretory", "progenitors"])
def test_organs_and_doings_are_no_types(text: str) -> None:
    assert read_name(text) is None


def test_a_sign_behind_a_marker_is_kept_apart_from_its_absence() -> None:
    assert read_name("CD16- NK") == read_name("CD56bright NK") != read_name("CD16+ NK")


@given(st.sampled_from(ONTOLOGY.terms), st.sampled_from([str, str.upper, lambda name: name.replace(" ", "_") + "s"]))
def test_no_name_of_the_ontology_is_taken_for_another(term: str, written) -> None:
    assert read_name(written(ONTOLOGY.name(term))) in {term, None}
    assert read_name(ONTOLOGY.name(term)) == read_name(term) == term


@given(st.text(max_size=30))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = read_name(text)
    assert found is None or found in ONTOLOGY


def test_the_table_of_short_names_is_in_the_words_of_the_ontology_and_has_no_line_twice() -> None:
    text = files("spoticell").joinpath("data", "type_names.tsv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines(), delimiter="\t"))
    assert {row["cell_type_ontology_term_id"]: row["cell_type"] for row in rows} == {
        row["cell_type_ontology_term_id"]: ONTOLOGY.name(row["cell_type_ontology_term_id"]) for row in rows
    }
    pairs = [(row["name"], row["cell_type"]) for row in rows]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("hepatocite", "hepatocyte"),
        ("CD8 GZMK T cells", "CD8-positive, alpha-beta T cell"),
        ("killer", "natural killer"),
    ],
)
def test_what_is_not_understood_has_the_closest_names(text: str, near: str) -> None:
    assert near in " ".join(closest_names(text))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("B Activated", "B cell"),
        ("T activated", "T cell"),
        ("NK_odd", "natural killer cell"),
        ("Mono-xyz", "monocyte"),
        ("T CD8 GZMK", "CD8-positive, alpha-beta T cell"),
    ],
)
def test_a_word_for_a_lineage_leads_to_the_lineage_and_to_no_other(text: str, first: str) -> None:
    near = closest_names(text)
    assert read_name(text) is None
    assert near[0] == first
    (lineage,) = {"B cell", "T cell", "natural killer cell", "monocyte"} & set(near)
    term = ONTOLOGY.resolve_label(lineage)
    assert all(term in ONTOLOGY.ancestors(ONTOLOGY.resolve_label(name)) for name in near)


def test_two_words_for_lineages_lead_to_both() -> None:
    assert closest_names("Mono DC odd")[:2] == ["monocyte", "dendritic cell"]


@pytest.mark.parametrize(("text", "near"), [("Kuppfer", "Kupffer cell"), ("Treggs", "regulatory T cell")])
def test_a_short_name_that_is_spelled_badly_leads_to_its_type(text: str, near: str) -> None:
    assert closest_names(text)[0] == near


def test_types_that_are_met_often_are_offered_before_rare_ones() -> None:
    near = closest_names("killer")
    assert near.index("natural killer cell") < near.index("pro-NK cell")


def test_a_type_has_the_names_by_which_people_look_for_it() -> None:
    assert {"Treg", "regulatory T-cell"} <= set(everyday_names("CL:0000815"))


def test_short_texts_are_near_nothing_that_is_only_spelled_alike() -> None:
    assert closest_names("NKx") == []
