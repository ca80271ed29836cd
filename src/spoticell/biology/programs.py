"""Programmes that a cell of any type can switch on: genes that rise together, and hide what the cell is.

The lists are short, written by hand, and leave out genes that some types always have (ISG15, LY6E, HSPB1).
Interferon: targets that rose in Kang et al. 2018 (https://doi.org/10.1038/nbt.4042) and are known as such (Schoggins et
al. 2011, https://doi.org/10.1038/nature09907).  Heat shock: inducible chaperones and their helpers, which also rise
when tissue is digested warm (van den Brink et al. 2017, https://doi.org/10.1038/nmeth.4437).  The early
genes of that paper (FOS, JUN) aren't looked for: plain blood has as much of them.
Axes: ``n`` cells, ``g`` the bundle's genes, ``p`` programmes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.vocabulary import Vocabulary

PER = 10_000
"""Counts of a cell in which those of a programme are told."""
MOST_MISSING = 0.4
"""Share of a programme's genes that may be missing: with fewer genes measured it isn't looked for."""
WHOLE = 5000
"""Known genes from which a share of the counts can be compared with that of other samples; a panel favours its own."""


@dataclass(frozen=True)
class Program:
    """Genes that rise together."""

    name: str
    state: str
    """What a cell that shows it is in."""
    genes: tuple[str, ...]
    least: float
    """Counts of these genes in 10,000 of a cell from which the cell shows the programme strongly."""
    few: int
    """Of its genes so many must be seen in the cell: one alone may be high for reasons of its own."""


PROGRAMS = (
    Program(
        "interferon",
        "interferon response",
        (
            *("IFI6", "IFIT1", "IFIT2", "IFIT3", "MX1", "OAS1", "OAS2", "OAS3", "OASL", "IFI44", "IFI44L", "RSAD2"),
            *("HERC5", "CMPK2", "EPSTI1", "XAF1", "USP18"),
        ),
        least=80,
        few=4,
    ),
    Program(
        "heat shock",
        "heat shock",
        ("HSPA1A", "HSPA1B", "HSPA6", "HSPH1", "DNAJB1", "DNAJA4", "BAG3", "SERPINH1", "HSPE1", "HSPD1"),
        least=200,
        few=4,
    ),
)
"""In 35 sets of plain samples 3 % of the cells of a type at most show interferon, of Kang's cells 1 % without and 93 %
with interferon beta; heat shock up to a fifth of a type where tissue was digested, next to none in blood."""


def programs_shown(
    counts_ng: sparse.csr_array,
    vocabulary: Vocabulary,
    measured_g: NDArray[np.bool_],
    total_n: NDArray[np.floating],
    programs: Sequence[Program] = PROGRAMS,
) -> NDArray[np.bool_]:
    """Say which cells show which programmes strongly, ``(n, p)``.

    Parameters
    ----------
    counts_ng
        Counts.
    vocabulary
        The genes.
    measured_g
        Which of them were measured: on a panel, and without many of its genes, no cell shows a programme.
    total_n
        Counts of each cell in all genes.
    programs
        What is looked for; no gene is of two of them.

    Examples
    --------
    >>> symbols = (*PROGRAMS[0].genes, *map(str, range(5000)))
    >>> genes = Vocabulary(symbols, symbols, symbols)
    >>> counts_ng = sparse.csr_array([[*17 * [some], 900, *4999 * [0]] for some in (1.0, 0.0)])
    >>> programs_shown(counts_ng, genes, np.ones(5017, dtype=bool), counts_ng.sum(axis=1)).tolist()
    [[True, False], [False, False]]
    """
    shown_np = np.zeros((counts_ng.shape[0], len(programs)), dtype=np.bool_)
    if measured_g.sum() < WHOLE:
        return shown_np
    place = vocabulary.by_symbol
    of_gene_g = np.zeros(counts_ng.shape[1], dtype=np.int8)
    for number, program in enumerate(programs, start=1):
        known = [place[gene] for gene in program.genes if gene in place and measured_g[place[gene]]]
        if len(known) >= (1 - MOST_MISSING) * len(program.genes):
            of_gene_g[known] = number
    # one look at each value, where a choice of columns would take many
    hit_h = np.flatnonzero((of_gene_g > 0).take(counts_ng.indices))
    number_h = of_gene_g.take(counts_ng.indices[hit_h])
    cell_h = np.searchsorted(counts_ng.indptr, hit_h, side="right") - 1
    for p, program in enumerate(programs):
        own_h = number_h == p + 1
        sum_n, seen_n = (
            np.bincount(cell_h[own_h], weights=weights, minlength=len(shown_np))
            for weights in (counts_ng.data[hit_h[own_h]], None)
        )
        shown_np[:, p] = (PER * sum_n / np.maximum(total_n, 1e-9) >= program.least) & (seen_n >= program.few)
    return shown_np
