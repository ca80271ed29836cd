from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology.affixes import PLAIN, find_reading
from spoticell.biology.genes import load_vocabulary, match_genes
from spoticell.biology.spelling import NameColumn
from spoticell.errors import GeneMatchError

GENES = load_vocabulary()
PLACES = [place for place in range(1000, 1420) if not GENES.symbols[place].startswith("ENSG")][:400]
SYMBOLS = [GENES.symbols[place] for place in PLACES]
IDS = [GENES.ids[place] for place in PLACES]
MOUSE = [symbol.capitalize() for symbol in SYMBOLS]


def found(names) -> list[str]:
    """Symbol of the gene that each name leads to, '' for none."""
    match = match_genes({"index": names})
    return [GENES.symbols[target] if target >= 0 else "" for target in match.target_v]


def notes(names) -> tuple[str, ...]:
    return match_genes({"index": names}).notes


@pytest.mark.parametrize(
    "prefix",
    [
        "GRCh38_", "hg19_", "GRCh38______", "hg38-", "GRCh38-2020-A_", "refdata-gex-GRCh38-2020-A_", "GRCh38 ",
        "human:", "gene-", "GEX_", "rna_", "hsa:", "T2T-CHM13v2.0_", "sample 1|", "GEX", "X", "Homo_sapiens.", "b'",
    ],
)  # fmt: skip
def test_a_prefix_that_all_names_share_is_taken_off_and_said(prefix):
    names = [prefix + symbol for symbol in SYMBOLS]
    assert found(names) == SYMBOLS
    assert notes(names) == (f"all 400 names in 'index' carry the prefix {prefix!r}, which was taken off.",)


@pytest.mark.parametrize("suffix", ["_HUMAN", "-GEX", "_1", "-1", ".1", "(protein_coding)", "_RNA", " [human]", "GEX"])
def test_a_suffix_that_all_names_share_is_taken_off_and_said(suffix):
    names = [symbol + suffix for symbol in SYMBOLS]
    assert found(names) == SYMBOLS
    assert notes(names) == (f"all 400 names in 'index' carry the suffix {suffix!r}, which was taken off.",)


def test_a_prefix_and_a_suffix_are_taken_off_together():
    names = [f"GEX_{symbol}-1" for symbol in SYMBOLS]
    assert found(names) == SYMBOLS
    assert "the prefix 'GEX_' and the suffix '-1', which were taken off" in notes(names)[0]


@settings(max_examples=30, deadline=None)
@given(affix=st.from_regex(r"[A-Za-z0-9 ._:|-]{0,12}[_:| .-]", fullmatch=True), in_front=st.booleans())
def test_an_affix_that_nobody_has_thought_of_is_taken_off_or_the_genes_are_refused(affix, in_front):
    names = [affix + symbol if in_front else symbol + affix for symbol in SYMBOLS]
    with contextlib.suppress(GeneMatchError):
        assert found(names) == SYMBOLS


def test_a_few_names_may_lack_the_prefix_and_are_read_as_they_stand():
    names = [f"GEX_{symbol}" for symbol in SYMBOLS[:390]] + SYMBOLS[390:]
    assert found(names) == SYMBOLS
    assert notes(names)[0].startswith("390 of 400 names in 'index' carry the prefix 'GEX_'")


@pytest.mark.parametrize(
    "form",
    [
        "{symbol}|{id}", "{symbol}|{number}", "{symbol}|chr1", "{symbol}__chr6", "{symbol}|{symbol}", "{symbol} ({id})",
        "{symbol};protein_coding", "{id}.5|OTTHUMG1.1|OTTHUMT1.1|{symbol}-201|{symbol}|1234|protein_coding|",
        "b'{symbol}'", "('{symbol}', '{id}')", "'{symbol}'", '"{symbol}"', "gene:{id}", "{symbol}\u00a0",
        "{symbol}/{id}", "{symbol}-{id}", "{id}.12-{symbol}", "{id}.{symbol}",
        "hsa:{symbol}", "hsa:{symbol}|{number}", "{symbol} {number}", "{symbol}-{number}", "{number}.{symbol}",
        "chr1-{number}-99999-{symbol}", "chr1:{number}-99999:{symbol}:+", "sp|P{number}|{symbol}_HUMAN",
        'gene_name "{symbol}"; gene_biotype "x"', "['{symbol}']", "HGNC:{number}|{symbol}", "\ufeff{symbol}",
    ],
)  # fmt: skip
def test_a_symbol_and_something_else_is_read_as_the_symbol(form):
    names = [
        form.format(symbol=symbol, id=gene_id, number=10_000 + place)
        for place, (symbol, gene_id) in enumerate(zip(SYMBOLS, IDS, strict=True))
    ]
    assert found(names) == SYMBOLS


@pytest.mark.parametrize(
    "form", ["{symbol}|{id}", "{id}_{symbol}", "{id}-{symbol}", "{id}|T-201|{symbol}|9|", "('{symbol}', '{id}')"]
)
def test_the_symbol_serves_where_the_id_beside_it_is_not_known(form):
    ids = [f"ENSG09{place:09}" if place % 5 == 0 else gene_id for place, gene_id in enumerate(IDS)]
    names = [form.format(symbol=symbol, id=gene_id) for symbol, gene_id in zip(SYMBOLS, ids, strict=True)]
    assert found(names) == SYMBOLS


def test_another_gene_of_the_same_symbol_is_not_added_to_the_one_that_is_known():
    names = [f"{symbol}_{gene_id}" for symbol, gene_id in zip(SYMBOLS, IDS, strict=True)]
    assert found([*names, f"{SYMBOLS[0]}_ENSG09000000001"]) == [*SYMBOLS, ""]


def test_the_older_symbol_serves_where_the_first_is_not_known():
    names = [f"{'new' if place % 5 == 0 else symbol}|{symbol}" for place, symbol in enumerate(SYMBOLS)]
    assert found(names) == SYMBOLS


def test_a_part_that_names_other_genes_never_serves():
    names = [
        f"{symbol if place % 100 else 'novel'}|{other}"
        for place, (symbol, other) in enumerate(zip(SYMBOLS, SYMBOLS[1:] + SYMBOLS[:1], strict=True))
    ]
    assert found(names) == [symbol if place % 100 else "" for place, symbol in enumerate(SYMBOLS)]


def test_a_biotype_that_is_spelt_like_a_gene_is_no_gene():
    names = [f"{gene_id}|{'TEC' if place % 2 else 'protein_coding'}" for place, gene_id in enumerate(IDS)]
    names[1] = "ENSG09000000001|TEC"
    assert found(names) == [SYMBOLS[0], "", *SYMBOLS[2:]]


@pytest.mark.parametrize("form", ["{}.v2", "new_{}", "{}-intron", "{} copy", "{}-1"])
def test_every_gene_again_under_any_affix_is_that_gene(form):
    names = SYMBOLS + [form.format(symbol) for symbol in SYMBOLS]
    assert found(names) == SYMBOLS * 2
    assert notes(names)[0].startswith("400 of 800 names in 'index' carry the ")


def test_antisense_genes_are_never_their_sense_genes():
    assert found(SYMBOLS + [f"{symbol}-AS1" for symbol in SYMBOLS[::10]]) == SYMBOLS + [""] * 40


def test_transcripts_lead_to_their_gene():
    assert found([f"{symbol}-{200 + k}" for symbol in SYMBOLS for k in (1, 2)]) == [s for s in SYMBOLS for _ in (1, 2)]


def test_antibodies_beside_genes_keep_their_prefix():
    names = [f"GEX_{symbol}" for symbol in SYMBOLS] + [f"ADT_{symbol}" for symbol in SYMBOLS[:150]]
    assert found(names) == SYMBOLS + [""] * 150


def test_antibodies_alone_are_no_genes():
    with pytest.raises(GeneMatchError, match="Only 0 of"):
        match_genes({"index": [f"ADT_{symbol}" for symbol in SYMBOLS]})


@pytest.mark.parametrize(
    "names",
    [
        [f"GEX_{name}" for name in MOUSE],
        [f"{name}_RNA" for name in MOUSE],
        [f"{name}|{place}" for place, name in enumerate(MOUSE)],
        [f"mm10_{name}" for name in SYMBOLS],
        [f"{name}_MOUSE" for name in SYMBOLS],
        [f"mmu:{name}|{place}" for place, name in enumerate(SYMBOLS)],
        [f"refdata-gex-mm10-2020-A_{name}" for name in MOUSE],
    ],
)
def test_another_species_is_refused_whatever_is_around_its_genes(names):
    with pytest.raises(GeneMatchError, match="look like mouse"):
        match_genes({"index": names})


@pytest.mark.parametrize(
    ("human", "mouse"),
    [
        ("GRCh38-2020-A_{}", "mm10-2020-A_{}"), ("hs_{}", "mm_{}"), ("{}_HUMAN", "{}_MOUSE"), ("{}-h", "{}-m"),
        ("9606:{}", "10090:{}"), ("{}", "mm_{}"), ("{}", "{}-m"),
    ],
)  # fmt: skip
def test_two_species_are_told_by_prefixes_that_nobody_knows(human, mouse):
    names = [human.format(name) for name in SYMBOLS[:200]] + [mouse.format(name) for name in MOUSE[200:]]
    with pytest.raises(GeneMatchError, match="human and mouse"):
        match_genes({"index": names})


def test_genes_that_share_a_beginning_keep_it():
    for start in ("HLA-", "IGHV", "TRBV", "KRTAP", "OR", "ZNF", "MT-"):
        names = [symbol for symbol in GENES.symbols if symbol.startswith(start)]
        assert find_reading(names, GENES).takes_off is False, start
        assert NameColumn("index", names, GENES).counts.keys() == {"exact"}


def test_a_few_names_are_never_cut():
    assert find_reading(["GEX_CD3E", "GEX_CD8A"], GENES) == PLAIN


@pytest.mark.parametrize("names", [GENES.symbols, GENES.ids], ids=["symbols", "ids"])
def test_every_name_of_the_vocabulary_is_its_own_gene_alone_and_among_all(names):
    every = [*GENES.symbols, *GENES.ids]
    assert NameColumn("index", every, GENES).counts.keys() == {"exact"}
    for name in names[::5]:
        assert NameColumn("index", [name], GENES).hits[name] == (GENES.exact[name], "exact")


@pytest.mark.parametrize("form", ["GEX_{}", "{}-1", "{}.1", "{}|x", "b'{}'"])
def test_every_symbol_is_its_own_gene_under_any_affix(form):
    distinct = list(dict.fromkeys(GENES.symbols))
    assert found([form.format(symbol) for symbol in distinct]) == distinct


def test_genes_in_a_list_three_times_are_added_up_whatever_follows_their_names():
    names = [symbol + end for end in ("", "-U", "-A") for symbol in (*SYMBOLS, "HLA-A")]
    assert found(names) == [*SYMBOLS, "HLA-A"] * 3
    assert "carry the suffix" in notes(names)[0]
    assert "'-U'" in notes(names)[0]
    assert "'-A'" in notes(names)[0]
