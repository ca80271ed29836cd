from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.strategies import counts, gene_lists

from spoticell.biology.genes import GeneMatch, Vocabulary, align_counts, load_vocabulary, match_genes, take_counts
from spoticell.errors import GeneMatchError

MOUSE = ["Cd3e", "Cd4", "Cd8a", "Ms4a1", "Cd19", "Lyz2", "Nkg7", "Gzma", "Actb", "Gapdh", "mt-Nd1", "H2-Ab1"]


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return load_vocabulary()


def match(names, *, min_genes=1, vocabulary=None) -> GeneMatch:
    return match_genes({"index": names}, vocabulary, min_genes=min_genes)


def found(names, **options) -> list[str]:
    """Symbol of the gene that each name leads to, '' for none."""
    symbols = load_vocabulary().symbols
    return [symbols[target] if target >= 0 else "" for target in match(names, **options).target_v]


def gene_table(path: Path) -> pd.DataFrame:
    adata = anndata.read_h5ad(path, backed="r")
    adata.file.close()
    return adata.var


def test_the_vocabulary_fits_on_the_grid_and_repeats_no_id(vocabulary):
    assert 20_000 < len(vocabulary) < 155 * 155
    assert len(set(vocabulary.ids)) == len(vocabulary)
    assert all(gene_id.startswith("ENSG") and len(gene_id) == 15 for gene_id in vocabulary.ids)


def test_the_vocabulary_is_in_genomic_order(vocabulary):
    order = [*map(str, range(1, 23)), "X", "Y", "MT"]
    seen = [c for c in dict.fromkeys(vocabulary.chromosomes) if c]
    assert seen == order
    at = dict(zip(vocabulary.symbols, range(len(vocabulary)), strict=True))
    assert at["OR4F5"] < at["TP73"] < at["CD3E"] < at["TP53"] < at["SRY"] < at["MT-CO1"]
    assert vocabulary.chromosomes[at["MT-CO1"]] == "MT"


def test_the_vocabulary_is_the_one_that_bundles_were_trained_on(vocabulary):
    assert vocabulary.sha256 == "9f1268b25296ec52d23e92a3a352a44363bf7aa346af55a24329ec81b99c3ebd"


def test_a_symbol_of_two_genes_belongs_to_the_older_id(vocabulary):
    for symbol, gene_id in {
        "HERC3": "ENSG00000138641",
        "MATR3": "ENSG00000015479",
        "PLCXD1": "ENSG00000182378",
    }.items():
        assert vocabulary.ids[vocabulary.by_symbol[symbol]] == gene_id


def test_no_alias_hides_a_symbol_or_an_id(vocabulary):
    assert not vocabulary.aliases.keys() & vocabulary.exact.keys()


def test_a_smaller_vocabulary_uses_the_same_aliases_at_its_own_positions():
    small = Vocabulary(("ENSG00000198851", "ENSG00000156738"), ("CD3E", "MS4A1"), ("11", "11"))
    assert small.aliases["CD20"] == (1,)
    assert match(["CD20", "CD3E", "TP53", "KIAA0101"], vocabulary=small).target_v.tolist() == [1, 0, -1, -1]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("ENSG00000198851.10", "CD3E"),
        ("ensg00000198851", "CD3E"),
        (" CD3E ", "CD3E"),
        ("GRCh38_CD3E", "CD3E"),
        ("GRCh38______CD3E", "CD3E"),
        ("GRCh38-ENSG00000198851.10", "CD3E"),
        ("hg19_CD3E", "CD3E"),
        ("CD3E_ENSG00000198851", "CD3E"),
        ("ENSG00000198851.10_CD3E", "CD3E"),
        ("ENSG00000198851|CD3E", "CD3E"),
        ("ENSG00000182378.13_PAR_Y", "PLCXD1"),
        ("ENSGR0000182378", "PLCXD1"),
        ("HLA.A", "HLA-A"),
        ("HLA-A.1", ""),
        ("NKX2.1", "NKX2-1"),
        ("MT.CO1", "MT-CO1"),
        ("C1ORF159", "C1orf159"),
        ("CD20", "MS4A1"),
        ("KIAA0101", "PCLAF"),
        ("DDX58", "RIGI"),
        ("SEPT7", "SEPTIN7"),
        ("7-Sep", "SEPTIN7"),
        ("X7.Sep", "SEPTIN7"),
        ("7-SEP", "SEPTIN7"),
        ("6-Mar", "MARCHF6"),
        ("1-Mar", ""),
        ("1-Dec", ""),
        ("DEC1", ""),
        ("NKX2-1", "NKX2-1"),
        ("cd3e", ""),
        ("Cd3e", ""),
        ("CD3E-1", ""),
        ("IGHV3-33-2", ""),
        ("MALAT1", ""),
        (b"CD3E", "CD3E"),
    ],
)
@pytest.mark.rows(17, 36)
def test_damage_is_repaired_only_where_the_meaning_is_certain(name, symbol):
    assert found([name, "TP53", "ACTB", "GAPDH"])[0] == symbol


def test_suffixes_against_repeats_are_undone_only_beside_the_bare_name():
    assert found(["MATR3", "MATR3-1", "MATR3.2", "TP53-1"]) == ["MATR3", "MATR3", "MATR3", ""]


@pytest.mark.parametrize(
    "suffix", ["-1", ".1", "_1", ".2", "-dup", "--1", "...2", " (1)", "#2", "_dup1", ".x", "_copy", "-12"]
)
def test_every_gene_twice_is_every_gene_twice(vocabulary, suffix):
    variable = "IGHV1-69"  # IGHV1-69-2 is a gene of its own
    names = [symbol for symbol in dict.fromkeys(vocabulary.symbols) if symbol != variable]
    assert found(names + [name + suffix for name in names]) == names * 2


def test_an_alias_that_ends_like_a_repeat_is_one_only_beside_the_bare_name():
    assert found(["TRAC-1", "CD3E", "TP53"]) == ["NCOR2", "CD3E", "TP53"]
    assert found(["TRAC", "TRAC-1", "MB", "MB-1", "MB-1-1"]) == ["TRAC", "TRAC", "MB", "MB", "MB"]
    assert found(["SEPT7", "SEPT7-1", "SEPT7.2"]) == ["SEPTIN7"] * 3


@pytest.mark.parametrize("name", ["HLA-A", "NKX2-1", "IL1B", "IGHV1-69-2", "MT-CO1", "H2AC1", "CD3E"])
def test_a_symbol_that_ends_like_a_repeat_is_itself(name):
    bare = name.rpartition("-")[0] or name[:-1]
    assert found([bare, name, "TP53"])[1] == name


@pytest.mark.parametrize("name", ["IGHV3-33-2", "SOX2-OT", "INS-IGF2-AS1", "AC012345.1", "CD3E-ADT", "GATA3-AS1"])
def test_a_gene_that_is_named_after_another_is_not_that_one(name):
    assert found([name, "IGHV3-33", "SOX2", "INS", "AC012345", "CD3E", "GATA3"])[0] == ""


def test_dashes_quotes_and_wide_letters_are_read_as_what_they_look_like():
    names = ["HLA\u2011A", "NKX2\u20131", "'CD3E", '"MS4A1"', "\u200bTP53", "\uff23\uff24\uff14"]
    assert found(names) == ["HLA-A", "NKX2-1", "CD3E", "MS4A1", "TP53", "CD4"]


@pytest.mark.rows(36)
def test_a_prefix_is_one_only_at_the_beginning():
    assert found(["ZBTB37-1", "ZBTB37", "TP53"]) == ["ZBTB37", "ZBTB37", "TP53"]


def test_names_all_in_lower_case_are_read_as_human_symbols():
    assert found(["cd3e", "ms4a1", "c1orf159", "cd20", "malat1"]) == ["CD3E", "MS4A1", "C1orf159", "MS4A1", ""]


def test_lower_case_is_left_alone_in_a_list_of_mixed_case():
    assert found(["CD3E", "ms4a1"]) == ["CD3E", ""]


@pytest.mark.rows(35, 38)
def test_numbers_say_how_each_name_was_found():
    result = match(["CD3E", "CD3E", "MS4A1", "CD20", "ENSG00000010610.9", "1-Mar", "nothing", None])
    assert (result.n_found, result.n_unmatched, result.n_repaired) == (3, 3, 1)
    assert (result.n_renamed, result.n_ambiguous, result.n_repeated) == (1, 1, 2)
    assert result.measured_g.sum() == result.n_found
    assert result.describe() == (
        "3 of 20,532 known genes (0%) found among 8 symbols in 'index': 1 repaired, 1 renamed, "
        "1 ambiguous and left out, 2 repeated and summed."
    )


@pytest.mark.rows(37)
def test_the_column_that_leads_to_most_genes_is_used(vocabulary):
    n = 200
    columns = {
        "index": [f"gene{i}" for i in range(n)],
        "gene_ids": vocabulary.ids[:n],
        "symbol": vocabulary.symbols[:100] * 2,
    }
    result = match_genes(columns)
    assert (result.column, result.kind, result.n_found) == ("gene_ids", "Ensembl ids", n)


@pytest.mark.parametrize(
    ("names", "species"),
    [
        (MOUSE * 10, "look like mouse"),
        ([f"ENSMUSG{i:011}" for i in range(99)], "look like mouse"),
        ([f"mm10_{name}" for name in MOUSE * 9], "look like mouse"),
        ([f"ENSDARG{i:011}" for i in range(99)], "look like zebrafish"),
        ([f"ENSXETG{i:011}" for i in range(99)], "look like another species"),
        (["gata1a", "sox9b", "hoxb1b", "si:ch211-1", "zgc:55", "tp53", "actb1", "il2rga"], "look like zebrafish"),
    ],
)
@pytest.mark.rows(39)
def test_other_species_are_refused_by_name(names, species):
    with pytest.raises(GeneMatchError, match=f"{species}.*human"):
        match(names)


@pytest.mark.parametrize("prefixes", [("GRCh38_", "mm10_"), ("hg19-", "mm10---"), ("", "mm10_"), ("", "")])
@pytest.mark.rows(40)
def test_a_mixture_of_human_and_mouse_is_refused(vocabulary, prefixes):
    human = [prefixes[0] + symbol for symbol in vocabulary.symbols[:300]]
    mouse = [prefixes[1] + symbol.capitalize() for symbol in vocabulary.symbols[300:700]]
    with pytest.raises(GeneMatchError, match="human and mouse"):
        match(human + mouse)


def test_a_column_of_orthologues_doesnt_make_human_cells_mouse(vocabulary):
    n = 300
    columns = {"index": vocabulary.symbols[:n], "mouse_orthologue": [f"ENSMUSG{i:011}" for i in range(n)]}
    assert match_genes(columns).n_found > 250
    with pytest.raises(GeneMatchError, match="mouse"):
        match_genes({"index": vocabulary.symbols[:n], "gene_ids": columns["mouse_orthologue"]})


@pytest.mark.parametrize("columns", [{}, {"index": []}])
def test_no_names_at_all_are_refused(columns):
    with pytest.raises(GeneMatchError, match="no gene names"):
        match_genes(columns)


@pytest.mark.rows(41)
def test_too_few_genes_are_refused_with_a_hint(vocabulary):
    with pytest.raises(GeneMatchError, match=r"Only 49 of 20,532 known human genes.*at least 50.*ENSG"):
        match_genes({"index": vocabulary.ids[:49]})
    assert match_genes({"index": vocabulary.ids[:50]}).n_found == 50


@given(names=gene_lists())
@pytest.mark.rows(42)
def test_no_name_breaks_the_match(names):
    try:
        result = match(names)
    except GeneMatchError:
        return
    assert len(result.target_v) == len(names)
    assert set(result.target_v[result.target_v >= 0]) == set(np.flatnonzero(result.measured_g))
    assert result.n_found + result.n_repeated + result.n_unmatched == len(names)


@given(names=gene_lists(), seed=st.integers(0, 999))
def test_the_order_of_names_doesnt_matter(names, seed):
    order = np.random.default_rng(seed).permutation(len(names))
    try:
        straight = match(names).target_v
    except GeneMatchError:
        with pytest.raises(GeneMatchError):
            match([names[i] for i in order])
    else:
        assert match([names[i] for i in order]).target_v.tolist() == straight[order].tolist()


@settings(deadline=None)
@given(counts_nv=counts(), data=st.data())
@pytest.mark.rows(35)
def test_alignment_keeps_every_known_count_and_adds_up_repeats(counts_nv, data):
    names = data.draw(st.lists(st.sampled_from(["CD3E", "MS4A1", "CD20", "TP53", "none"]), min_size=0, max_size=39))
    names = ["CD3E", *names, *["none"] * 40][: counts_nv.shape[1]]
    result = match(names)
    aligned_ng = align_counts(counts_nv, result)
    assert aligned_ng.shape == (counts_nv.shape[0], 20_532)
    assert aligned_ng.dtype == np.float32
    assert aligned_ng.has_canonical_format
    for gene in ("CD3E", "MS4A1", "TP53"):
        columns = [v for v, name in enumerate(found(names)) if name == gene]
        g = load_vocabulary().by_symbol[gene]
        np.testing.assert_array_equal(aligned_ng[:, [g]].toarray()[:, 0], counts_nv[:, columns].sum(axis=1))


@settings(deadline=None)
@given(counts_nv=counts(), data=st.data())
def test_counts_are_taken_as_they_are_aligned_but_in_any_order(counts_nv, data):
    names = data.draw(st.lists(st.sampled_from(["CD3E", "MS4A1", "CD20", "TP53", "none"]), min_size=0, max_size=39))
    names = ["CD3E", *names, *["none"] * 40][: counts_nv.shape[1]]
    result = match(names)
    taken_ng = take_counts(counts_nv, result)
    assert taken_ng.dtype == np.float32
    assert taken_ng.shape == (counts_nv.shape[0], 20_532)
    assert taken_ng.nnz == align_counts(counts_nv, result).nnz
    assert (taken_ng != align_counts(counts_nv, result)).nnz == 0


def test_alignment_takes_unsorted_repeated_and_stored_zero_entries():
    data, cells, genes = [1, 2, 4, 0, 5], [0, 0, 0, 0, 1], [2, 0, 2, 1, 1]
    messy_nv = sparse.csr_array((data, genes, np.searchsorted(cells, [0, 1, 2])), shape=(2, 3), dtype=np.int64)
    aligned_ng = align_counts(messy_nv, match(["MS4A1", "TP53", "CD3E"]))
    expected_nv = align_counts(sparse.csr_array([[2, 0, 5], [0, 5, 0]]), match(["MS4A1", "TP53", "CD3E"]))
    assert (aligned_ng != expected_nv).nnz == 0
    assert aligned_ng.nnz == 3
    assert aligned_ng.has_canonical_format


def test_alignment_refuses_a_matrix_of_another_width():
    with pytest.raises(GeneMatchError, match="The matrix has 3 genes but 2 gene names"):
        align_counts(sparse.csr_array((1, 3)), match(["CD3E", "TP53"]))
    with pytest.raises(GeneMatchError, match="The matrix has 3 genes but 2 gene names"):
        take_counts(sparse.csr_array((1, 3)), match(["CD3E", "TP53"]))


def test_packaged_tables_carry_no_time_stamp():
    folder = Path(__file__).parents[2] / "src" / "spoticell" / "data"
    for path in folder.glob("*.gz"):
        assert path.read_bytes()[4:8] == b"\0\0\0\0", path.name
        assert gzip.decompress(path.read_bytes())


@pytest.mark.real
def test_the_packaged_tables_are_what_the_script_builds(data_folder, tmp_path):
    refs, root = data_folder / "refs", Path(__file__).parents[2]
    command = [sys.executable, root / "scripts" / "tables" / "gene_table.py"]
    command += [refs / "genes_homo_sapiens.csv.gz", refs / "hgnc_aliases.tsv.gz", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("genes.tsv.gz", "aliases.tsv.gz"):
        packaged = root / "src" / "spoticell" / "data" / name
        assert gzip.decompress((tmp_path / name).read_bytes()) == gzip.decompress(packaged.read_bytes()), name


@pytest.mark.real
def test_real_human_sets_are_found_and_the_mouse_is_refused(data_folder):
    for path in sorted(data_folder.glob("*/*.h5ad")):
        names = gene_table(path).index.to_numpy(dtype=object)
        if "mouse" in path.stem:
            with pytest.raises(GeneMatchError, match="mouse"):
                match_genes({"index": names})
        else:
            result = match_genes({"index": names})
            least = 0.5 if len(names) > 25_000 else 0.75
            assert result.n_found > least * len(names), path.stem
            assert result.n_ambiguous < 30, path.stem


@pytest.mark.real
def test_symbols_and_ids_of_a_real_set_lead_to_the_same_genes(data_folder):
    var = gene_table(data_folder / "test" / "tian2019_celllines_mixology.h5ad")
    symbols = match_genes({"index": var.index.to_numpy(dtype=object)}).target_v
    ids = match_genes({"ensembl_id": var["ensembl_id"].to_numpy(dtype=object)}).target_v
    both = (symbols >= 0) & (ids >= 0)
    assert both.sum() > 15_000
    assert (symbols[both] != ids[both]).sum() <= 2


def test_underscores_for_dashes_are_repaired_but_repeats_stay_repeats():
    assert found(["HLA_A", "MT_CO1", "NKX2_1", "CD3E"]) == ["HLA-A", "MT-CO1", "NKX2-1", "CD3E"]
    assert found(["TRAC", "TRAC_1"]) == ["TRAC", "TRAC"]
