import numpy as np
import pytest

from spoticell.biology.features import GENE, feature_kinds
from spoticell.biology.vocabulary import load_vocabulary


def kinds(column, *words):
    """Kinds of twenty genes of the first word and a feature of each other one."""
    values = np.array([words[0]] * 20 + list(words[1:]), dtype=object)
    found = feature_kinds({"index": np.array([f"gene {i}" for i in range(len(values))], dtype=object), column: values})
    return None if found is None else (set(found[:20]), found[20:].tolist())


@pytest.mark.parametrize(
    ("column", "gene", "word", "kind"),
    [
        ("feature_types", "Gene Expression", "Antibody Capture", "Antibody Capture"),
        ("Feature.Type", "gene expression", "antibody capture", "Antibody Capture"),
        ("feature_type", "Gene_Expression", "CRISPR_Guide_Capture", "CRISPR Guide Capture"),
        ("feature_types-1", "Gene Expression", "new kind", "new kind"),
        ("modality", "rna", "prot", "Antibody Capture"),
        ("modality", "RNA", "ATAC", "Peaks"),
        ("Modality", "GEX", "HTO", "Multiplexing Capture"),
        ("type", "gex", "adt", "Antibody Capture"),
        ("kind", "gene", "CITE-seq", "Antibody Capture"),
        ("kind", "gene", "protein", "Antibody Capture"),
        ("2", "Gene Expression", "Peaks", "Peaks"),
        ("3", "Gene Expression", "Custom", "Custom"),
        ("feature_types", "Gene Expression", "Negative Control Probe", "Control"),
        ("feature_types", "Gene Expression", "something new", "something new"),
        ("feature_types", "", "Antibody Capture", "Antibody Capture"),
        ("feature_type", "protein_coding", "Antibody Capture", "Antibody Capture"),
    ],
)
def test_kinds_are_told_by_the_many_names_that_people_use(column, gene, word, kind):
    assert kinds(column, gene, word) == ({GENE}, [kind])


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("feature_type", ["protein_coding", "lncRNA", "IG_V_gene"]),
        ("feature_type", ["gene"]),
        ("feature_types", ["Gene Expression", "Gene Expression"]),
        ("feature_biotype", ["gene", "spike-in"]),
        ("type", ["protein", "RNA", "RNA"]),
        ("type", ["protein_coding", "RNA"]),
        ("type", ["transcript", "exon"]),
        ("genome", ["GRCh38", ""]),
        ("chromosome", ["1", "MT"]),
    ],
)
def test_a_column_about_something_else_is_not_taken_for_one_of_kinds(column, words):
    assert kinds(column, *words) is None


def test_missing_words_are_genes():
    values = np.array(["Gene Expression", "Antibody Capture", float("nan"), None], dtype=object)
    assert feature_kinds({"feature_types": values}).tolist() == [GENE, "Antibody Capture", GENE, GENE]


def test_the_column_that_names_a_kind_wins_over_one_that_names_genes_only():
    columns = {
        "feature_types": np.array(["Gene Expression"] * 3, dtype=object),
        "modality": np.array(["rna", "rna", "adt"], dtype=object),
    }
    assert feature_kinds(columns).tolist() == [GENE, GENE, "Antibody Capture"]


def test_features_that_are_all_antibodies_are_no_genes():
    assert set(feature_kinds({"modality": np.array(["adt", "adt"], dtype=object)})) == {"Antibody Capture"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("adt_CD4", "Antibody Capture"),
        ("AB_CD4", "Antibody Capture"),
        ("CD4_prot", "Antibody Capture"),
        ("CD4-TotalSeqB", "Antibody Capture"),
        ("CD4_TotalC", "Antibody Capture"),
        ("anti-human_CD4", "Antibody Capture"),
        ("CD4:SK3|CD4|AHS0032|pAbO", "Antibody Capture"),
        ("CD4|Antibody Capture", "Antibody Capture"),
        ("SampleTag01_hs|stAbO", "Multiplexing Capture"),
        ("HTO-1", "Multiplexing Capture"),
        ("CMO301", "Multiplexing Capture"),
        ("C0251_Hashtag_1", "Multiplexing Capture"),
        ("GATA1_guide_1", "CRISPR Guide Capture"),
        ("sgRNA_GATA1", "CRISPR Guide Capture"),
    ],
)
def test_names_may_tell_by_themselves(name, kind):
    names = np.array(["CD3E", "ABCB1", "HLA-A", "NKX2-1", "PROTO1", name], dtype=object)
    assert feature_kinds({"index": names}).tolist() == [GENE] * 5 + [kind]


def test_no_gene_of_the_vocabulary_is_marked():
    vocabulary = load_vocabulary()
    assert feature_kinds({"index": np.array([*vocabulary.symbols, *vocabulary.ids], dtype=object)}) is None


def test_names_that_are_mostly_marked_are_a_habit_and_tell_nothing():
    assert feature_kinds({"index": np.array(["prot_CD3E", "prot_CD4", "CD8A"], dtype=object)}) is None
