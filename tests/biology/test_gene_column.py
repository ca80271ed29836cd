from __future__ import annotations

import pytest

from spoticell.biology.genes import load_vocabulary, match_genes
from spoticell.errors import GeneMatchError

GENES = load_vocabulary()
SYMBOLS, IDS = list(GENES.symbols[1000:1400]), list(GENES.ids[1000:1400])
TOLD = [gene_id if place % 10 else f"XLOC_{place:06}" for place, gene_id in enumerate(IDS)]
LOCI = [f"chr1:{place}000-{place}900" for place in range(400)]
PLACES = list(range(1000, 1400))


@pytest.mark.parametrize(
    ("column", "names"),
    [
        ("symbol", SYMBOLS[1:] + SYMBOLS[:1]),
        ("gene_name", sorted(SYMBOLS)),
        ("nearest_gene", list(GENES.symbols[3000:3400])),
        ("x", SYMBOLS[:200] + SYMBOLS[399:199:-1]),
    ],
    ids=["shifted", "sorted", "others", "half turned"],
)
def test_the_index_wins_over_a_column_that_names_other_genes(column, names):
    match = match_genes({"index": TOLD, column: names})
    assert match.column == "index"
    assert f"the columns 'index' and {column!r} name different genes in" in match.notes[0]
    assert match.notes[0].endswith("'index' is used.")


def test_a_column_that_agrees_with_the_index_and_names_more_genes_is_used():
    match = match_genes({"index": TOLD, "symbol": SYMBOLS, "sorted": sorted(SYMBOLS)})
    assert (match.column, match.n_found) == ("symbol", 400)
    assert len(match.notes) == 1


def test_a_few_symbols_that_another_gene_took_over_make_no_difference():
    match = match_genes({"index": TOLD, "symbol": [*SYMBOLS[1:10], SYMBOLS[0], *SYMBOLS[10:]]})
    assert (match.column, match.notes) == ("symbol", ())


def test_an_index_that_hits_genes_by_chance_doesnt_win():
    index = [SYMBOLS[-place] if place % 7 == 0 else str(place) for place in range(400)]
    assert match_genes({"index": index, "gene_name": SYMBOLS}).column == "gene_name"


def test_without_an_index_the_column_of_the_genes_goes_before_others():
    columns = {"index": [str(place) for place in range(400)], "sorted": sorted(SYMBOLS), "gene_ids": TOLD}
    assert match_genes(columns).column == "gene_ids"


@pytest.mark.parametrize("peaks", [LOCI, [f"chr1-{k}-{k}9" for k in range(400)], [f"peak_{k}" for k in range(400)]])
@pytest.mark.parametrize("column", ["nearest_gene", "gene"])
def test_peaks_are_refused_whatever_genes_lie_near(peaks, column):
    near = SYMBOLS[::2] * 2 if column == "gene" else SYMBOLS
    with pytest.raises(GeneMatchError, match="The rows are peaks"):
        match_genes({"index": peaks, column: near})
    with pytest.raises(GeneMatchError, match="The rows are peaks"):
        match_genes({"index": peaks})


def test_places_of_genes_before_their_symbols_are_no_peaks():
    assert match_genes({"index": LOCI, "symbol": SYMBOLS}).target_v.tolist() == PLACES


def test_a_column_that_is_named_by_the_user_is_used_whatever_it_is_called():
    assert match_genes({"nearest_gene": SYMBOLS}).target_v.tolist() == PLACES


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ([str(place) for place in range(400)], r"numbers\. If they are NCBI \(Entrez\) ids, map them"),
        ([f"ENST{place:011}.2" for place in range(400)], r"transcripts\. Add up"),
        ([f"NM_{place:06}" for place in range(400)], "transcripts"),
        ([f"HGNC:{place}" for place in range(400)], "HGNC ids"),
        ([f"ENSP{place:011}" for place in range(400)], "proteins"),
        ([f"{place}_s_at" for place in range(400)], "probes"),
        ([f"AAACCTGAG{'ACGT'[k % 4]}{'ACGT'[k // 4 % 4]}{'ACGT'[k // 16 % 4]}-1" for k in range(64)], "barcodes"),
        ([f"ADT_{symbol}" for symbol in SYMBOLS], "antibodies"),
        (["no such gene"], "Give Ensembl ids such as"),
    ],
)
def test_names_of_something_else_are_refused_by_what_they_are(names, what):
    with pytest.raises(GeneMatchError, match=what):
        match_genes({"index": names})
