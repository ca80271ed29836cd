from __future__ import annotations

import csv
import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.biology.ontology import BROAD, DOINGS, TOO_GENERAL, load_ontology, reach_matrix
from spoticell.errors import ConfigError

ONTOLOGY = load_ontology()
BROAD_NAMES = """
    T cell, plasma cell, B cell, natural killer cell, innate lymphoid cell, monocyte, microglial cell, macrophage,
    dendritic cell, neutrophil, granulocyte, mast cell, megakaryocyte, platelet, erythroid lineage cell,
    hematopoietic precursor cell, leukocyte, endothelial cell, smooth muscle cell, pericyte, cardiac muscle cell,
    fibroblast, cell of skeletal muscle, adipocyte, connective tissue cell, mesenchymal cell, hepatocyte, melanocyte,
    trophoblast cell, germ line cell, astrocyte, oligodendrocyte, oligodendrocyte precursor cell, Schwann cell,
    neural progenitor cell, endocrine cell, neuron, epithelial cell, glial cell
"""


def term(name: str) -> str:
    found = ONTOLOGY.resolve_label(name)
    assert found is not None, name
    return found


labels = st.lists(st.sampled_from(ONTOLOGY.terms), min_size=1, max_size=12, unique=True)


def test_the_ontology_has_one_root_and_no_obsolete_terms():
    assert [t for t in ONTOLOGY if not ONTOLOGY.parents(t)] == ["CL:0000000"]
    assert not [t for t in ONTOLOGY if ONTOLOGY.name(t).startswith("obsolete")]
    assert len(ONTOLOGY) == len(ONTOLOGY.terms) > 3_000


def test_ancestors_are_those_of_the_reference_parser():
    parser = pytest.importorskip("cellxgene_ontology_guide.ontology_parser").OntologyParser()
    for t in ONTOLOGY:
        above = parser.get_term_ancestors(t, include_self=True)
        assert ONTOLOGY.ancestors(t) == {a for a in above if a.startswith("CL:")}
        assert ONTOLOGY.name(t) == parser.get_term_label(t)


@given(st.sampled_from(ONTOLOGY.terms))
def test_a_parent_is_an_ancestor_and_less_deep(t):
    assert t in ONTOLOGY.ancestors(t)
    for parent in ONTOLOGY.parents(t):
        assert ONTOLOGY.ancestors(parent) < ONTOLOGY.ancestors(t)
        assert ONTOLOGY.depth(parent) < ONTOLOGY.depth(t)


@pytest.mark.parametrize("unknown", ["CL:0000003", "CL:9999999", "T cell", ""])
def test_terms_that_are_none_are_refused(unknown):
    assert unknown not in ONTOLOGY
    with pytest.raises(ConfigError, match="is no term of the Cell Ontology"):
        ONTOLOGY.ancestors(unknown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CL:0000084", "CL:0000084"),
        ("cl:0000084", "CL:0000084"),
        ("CL_0000084", "CL:0000084"),
        ("  T CELL ", "CL:0000084"),
        ("T-lymphocyte", "CL:0000084"),
        ("nerve cell", "CL:0000540"),
        ("CL:0000003", "CL:0000000"),
        ("native cell", "CL:0000000"),
        ("CL:9999999", None),
        ("doublet", None),
        ("", None),
    ],
)
def test_labels_are_resolved_by_id_name_or_synonym(text, expected):
    assert ONTOLOGY.resolve_label(text) == expected


def test_every_name_resolves_to_its_own_term():
    names = [ONTOLOGY.name(t).lower() for t in ONTOLOGY]
    assert len(set(names)) == len(names)
    assert all(ONTOLOGY.resolve_label(ONTOLOGY.name(t)) == t for t in ONTOLOGY)


def test_broad_terms_are_the_ones_meant():
    assert [ONTOLOGY.name(t) for t in BROAD] == [name.strip() for name in BROAD_NAMES.split(",")]
    assert not TOO_GENERAL & set(BROAD)


@pytest.mark.parametrize(
    ("name", "broad"),
    [
        ("CD8-positive, alpha-beta memory T cell", "T cell"),
        ("plasmablast", "B cell"),
        ("IgG plasma cell", "plasma cell"),
        ("classical monocyte", "monocyte"),
        ("Kupffer cell", "macrophage"),
        ("microglial cell", "microglial cell"),
        ("plasmacytoid dendritic cell", "dendritic cell"),
        ("basophil", "granulocyte"),
        ("lymphocyte", "leukocyte"),
        ("hematopoietic stem cell", "hematopoietic precursor cell"),
        ("enucleated reticulocyte", "erythroid lineage cell"),
        ("pancreatic D cell", "endocrine cell"),
        ("type B pancreatic cell", "endocrine cell"),
        ("pancreatic acinar cell", "epithelial cell"),
        ("keratinocyte", "epithelial cell"),
        ("hepatocyte", "hepatocyte"),
        ("hepatic stellate cell", "fibroblast"),
        ("myofibroblast cell", "connective tissue cell"),
        ("glomerular mesangial cell", "pericyte"),
        ("GABAergic interneuron", "neuron"),
        ("Mueller cell", "glial cell"),
        ("spermatogonium", "germ line cell"),
    ],
)
def test_a_type_rolls_up_to_the_nearest_broad_one(name, broad):
    assert ONTOLOGY.name(ONTOLOGY.broad(term(name))) == broad


@given(st.sampled_from(ONTOLOGY.terms))
def test_a_broad_type_is_at_or_above_and_none_is_nearer(t):
    broad = ONTOLOGY.broad(t)
    if broad == "unknown":
        assert not ONTOLOGY.ancestors(t) & set(BROAD)
    else:
        between = {b for b in BROAD if b in ONTOLOGY.ancestors(t) and broad in ONTOLOGY.ancestors(b)}
        assert between == {broad}


@pytest.mark.parametrize(
    ("term", "level"),
    [
        ("CL:0000113", "CL:0000113"),  # mononuclear phagocyte: monocyte, macrophage or dendritic cell
        ("CL:0000542", "CL:0000542"),  # lymphocyte
        ("CL:0000763", "CL:0000763"),  # myeloid cell, which no broad type is above of
        ("CL:0008034", "CL:0008034"),  # mural cell: above pericytes alone, and below no broad type
        ("CL:0001067", "CL:0001065"),  # group 1 ILC: above NK cells alone, so it can be called by what it is below of
        ("CL:0000624", "CL:0000084"),
        ("CL:0000738", "CL:0000738"),
        ("CL:0000000", "unknown"),
        ("no term", "unknown"),
    ],
)
def test_among_broad_types_a_broader_answer_stays_what_it_is(term, level):
    assert load_ontology().broad_level(term) == level


def test_what_is_no_term_has_no_broad_type():
    assert [ONTOLOGY.broad(t) for t in ("unknown", "CL:0000000", "")] == ["unknown"] * 3


@given(labels)
def test_nodes_are_the_labels_and_all_above_with_ancestors_first(terms):
    nodes, reach_cm = reach_matrix(terms, ONTOLOGY)
    assert set(nodes) == set().union(*map(ONTOLOGY.ancestors, terms))
    for m, node in enumerate(nodes):
        assert ONTOLOGY.ancestors(node) <= set(nodes[: m + 1])
        assert reach_cm[:, m].tolist() == [node in ONTOLOGY.ancestors(label) for label in terms]


@given(labels, st.randoms(use_true_random=False))
def test_the_order_of_labels_changes_rows_only(terms, random):
    nodes, reach_cm = reach_matrix(terms, ONTOLOGY)
    order = list(range(len(terms)))
    random.shuffle(order)
    shuffled_nodes, shuffled_cm = reach_matrix([terms[c] for c in order], ONTOLOGY)
    assert shuffled_nodes == nodes
    np.testing.assert_array_equal(shuffled_cm, reach_cm[order])


def test_labels_that_repeat_or_are_unknown_are_refused():
    with pytest.raises(ConfigError, match="1 labels occur twice"):
        reach_matrix(["CL:0000084", "CL:0000084"], ONTOLOGY)
    with pytest.raises(ConfigError, match="'CL:1' is no term"):
        reach_matrix(["CL:1"], ONTOLOGY)


def test_no_labels_give_no_nodes():
    nodes, reach_cm = reach_matrix([], ONTOLOGY)
    assert nodes == ()
    assert reach_cm.shape == (0, 0)


@pytest.mark.real
def test_the_packaged_tables_are_what_the_script_builds(data_folder, tmp_path):
    pytest.importorskip("zstandard")
    root = Path(__file__).parents[2]
    source = data_folder / "refs" / f"CL-ontology-v{ONTOLOGY.version}.json.zst"
    command = [sys.executable, root / "scripts" / "tables" / "ontology_table.py", source, tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("cell_ontology.json.gz", "definitions.json.gz"):
        packaged = root / "src" / "spoticell" / "data" / name
        assert gzip.decompress((tmp_path / name).read_bytes()) == gzip.decompress(packaged.read_bytes())


@pytest.mark.real
def test_terms_of_real_labels_are_all_known(data_folder):
    for table in (data_folder / "labels.tsv", data_folder / "profiles" / "labels.tsv"):
        with table.open(encoding="utf-8", newline="") as lines:
            terms = {value for row in csv.DictReader(lines, delimiter="\t") for value in row.values() if value}
        assert not [t for t in terms if t.startswith("CL:") and t not in ONTOLOGY]


def test_what_cells_do_are_terms_that_there_are():
    assert all(term in ONTOLOGY for term in DOINGS)
