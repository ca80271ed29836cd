"""Platelets that stick to other cells: genes of theirs in a cell that is something else.

They are told by their own genes: whole platelets are rare where blood was separated, so doublets can't be made of them.
The list is short and written by hand, of genes that leukocytes lack (Raghavachari et al. 2007,
https://doi.org/10.1161/CIRCULATIONAHA.106.655324, and common knowledge of platelets).
Axes: ``n`` cells, ``g`` the bundle's genes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.programs import MOST_MISSING, PER, WHOLE
from spoticell.biology.vocabulary import Vocabulary

GENES = ("PPBP", "PF4", "GNG11", "TUBB1", "CAVIN2", "GP9", "ITGA2B", "TREML1", "CLEC1B", "ACRBP", "PTCRA", "CMTM5")
FEW, LEAST = 4, 15.0
"""Of these genes so many are seen in a cell with a platelet, and so many counts of them in 10,000: deep cells have some
of what lysed platelets leave in every droplet."""


def with_platelets(
    counts_ng: sparse.csr_array,
    vocabulary: Vocabulary,
    measured_g: NDArray[np.bool_],
    total_n: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Say which cells have the genes of platelets, platelets themselves among them.

    Parameters
    ----------
    counts_ng
        Counts.
    vocabulary
        The genes.
    measured_g
        Which of them were measured: on a panel, and without many of these genes, no cell is told.
    total_n
        Counts of each cell in all genes.

    Examples
    --------
    >>> symbols = (*GENES, *map(str, range(5000)))
    >>> genes = Vocabulary(symbols, symbols, symbols)
    >>> counts_ng = sparse.csr_array([[*12 * [some], 900, *4999 * [0]] for some in (1.0, 0.0)])
    >>> with_platelets(counts_ng, genes, np.ones(5012, dtype=bool), counts_ng.sum(axis=1)).tolist()
    [True, False]
    """
    place = vocabulary.by_symbol
    known = [place[gene] for gene in GENES if gene in place and measured_g[place[gene]]]
    if measured_g.sum() < WHOLE or len(known) < (1 - MOST_MISSING) * len(GENES):
        return np.zeros(counts_ng.shape[0], dtype=np.bool_)
    own_nk = counts_ng[:, known]
    share_n = own_nk.sum(axis=1) / np.maximum(total_n, 1e-9)
    return np.asarray(((own_nk > 0).sum(axis=1) >= FEW) & (PER * share_n >= LEAST), dtype=np.bool_)
