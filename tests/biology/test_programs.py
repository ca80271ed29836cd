"""Which cells show a programme that a cell of any type can switch on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.programs import PROGRAMS, WHOLE, programs_shown
from spoticell.biology.vocabulary import Vocabulary, load_vocabulary

INTERFERON, HEAT = PROGRAMS


def vocabulary(genes=(*INTERFERON.genes, *HEAT.genes)):
    names = (*genes, *map(str, range(WHOLE)))
    return Vocabulary(names, names, names)


def shown(cells, genes=None, *, measured=None):
    """Give the programmes of cells that are given as their counts by gene, with 9,000 other counts each."""
    known = genes or vocabulary()
    counts_ng = np.zeros((len(cells), len(known)))
    for n, cell in enumerate(cells):
        for gene, count in ({"0": 9000} | cell).items():
            counts_ng[n, known.by_symbol[gene]] = count
    measured_g = np.ones(len(known), dtype=bool) if measured is None else measured(known)
    shown_np = programs_shown(sparse.csr_array(counts_ng), known, measured_g, counts_ng.sum(axis=1))
    return [[program.name for program, is_on in zip(PROGRAMS, row, strict=True) if is_on] for row in shown_np]


def test_a_cell_with_many_counts_of_several_genes_shows_the_programme():
    stimulated, stressed = dict.fromkeys(INTERFERON.genes, 10), dict.fromkeys(HEAT.genes, 40)
    assert shown([{}, stimulated, stressed, stimulated | stressed]) == [
        [],
        ["interferon"],
        ["heat shock"],
        ["interferon", "heat shock"],
    ]


def test_one_gene_alone_is_no_programme():
    assert shown([{"IFI6": 900}, dict.fromkeys(("IFI6", "MX1", "IFIT1"), 300)]) == [[], []]


def test_a_few_counts_of_many_genes_are_no_programme():
    assert shown([dict.fromkeys(INTERFERON.genes, 1)]) == [[]]


def test_a_panel_and_lacking_genes_show_nothing():
    stimulated = dict.fromkeys(INTERFERON.genes, 10)

    def few(known):
        return np.arange(len(known)) < 500

    def without(known):
        lost = {known.by_symbol[gene] for gene in INTERFERON.genes[:9]}
        return np.array([g not in lost for g in range(len(known))])

    assert shown([stimulated]) == [["interferon"]]
    assert shown([stimulated], measured=few) == [[]]
    assert shown([stimulated], measured=without) == [[]]


def test_a_cell_without_counts_shows_nothing():
    known = vocabulary()
    nothing = sparse.csr_array((1, len(known)))
    assert not programs_shown(nothing, known, np.ones(len(known), dtype=bool), np.zeros(1)).any()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_all_genes_of_the_lists_are_known(program):
    assert set(program.genes) <= load_vocabulary().by_symbol.keys()
    assert len(set(program.genes)) == len(program.genes) > 2 * program.few
