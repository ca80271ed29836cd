from __future__ import annotations

import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.io.formats.orient import gene_share, genes_lie_first

SYMBOLS = [symbol for symbol in load_vocabulary().symbols[1000:1420] if not symbol.startswith("ENSG")][:400]
CELLS = {
    "barcodes": [
        f"AAACATACAA{'ACGT'[k % 4]}{'ACGT'[k // 4 % 4]}{'ACGT'[k // 16 % 4]}{'ACGT'[k // 64]}-1" for k in range(200)
    ],
    "types": [f"{('CD4', 'CD8A', 'NCAM1')[k % 3]}_{k}" for k in range(200)],
    "wells": [f"P1_{'ABCDEFGH'[k % 8]}{1 + k // 8}" for k in range(96)],
    "numbers": [str(k) for k in range(200)],
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("form", ["{}", "GEX_{}", "{}-1", "{}|9"])
def test_genes_are_told_from_cells_whatever_both_are_called(cells, form):
    genes = [form.format(symbol) for symbol in SYMBOLS]
    assert genes_lie_first(genes, cells) is True
    assert genes_lie_first(cells, genes) is False


def test_mouse_genes_under_a_prefix_are_genes_too():
    assert genes_lie_first([f"GEX_{symbol.capitalize()}" for symbol in SYMBOLS], CELLS["barcodes"])


def test_a_gene_that_many_cells_are_named_for_counts_once():
    assert gene_share(["CD4"] * 100) == 0.01
    assert gene_share(CELLS["types"]) < 0.02


def test_two_lists_of_genes_tell_nothing():
    assert genes_lie_first(SYMBOLS, SYMBOLS[::-1]) is None
