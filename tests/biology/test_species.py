from __future__ import annotations

import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.biology.species import affix_species, species_of

GENES = load_vocabulary()


@pytest.mark.parametrize(
    ("affix", "species"),
    [
        ("GRCh38-2020-A_", "human"), ("_HUMAN", "human"), ("GRCh38_and_mm10_", "human"), ("mm10___", "mouse"),
        ("refdata-gex-mm10-2020-A_", "mouse"), ("_MOUSE", "mouse"), ("rn6_", "rat"), ("Sus_scrofa_", "pig"),
        ("danRer11-", "zebrafish"), ("GEX_", None), ("sample1_", None), ("", None),
    ],
)  # fmt: skip
def test_a_prefix_or_suffix_may_speak_of_a_species(affix, species):
    assert affix_species(affix) == species


def test_genes_whose_symbols_begin_like_a_species_are_human():
    names = ["PIG-A", "DOG-1", "MUSK", "mou\u017fe_x", *GENES.symbols[:200]]
    assert species_of(names, names, [], GENES, n_found=200) == "human"


def test_a_few_genes_of_a_virus_or_another_species_among_human_ones_make_no_difference():
    names = [*GENES.symbols[:900], *(f"mm10_{symbol.capitalize()}" for symbol in GENES.symbols[900:909])]
    assert species_of(names, names, [], GENES, n_found=900) == "human"
