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

from spoticell.biology.programs import Program, programs_shown
from spoticell.biology.vocabulary import Vocabulary

GENES = ("PPBP", "PF4", "GNG11", "TUBB1", "CAVIN2", "GP9", "ITGA2B", "TREML1", "CLEC1B", "ACRBP", "PTCRA", "CMTM5")
FEW, LEAST = 4, 15.0
"""Of these genes so many are seen in a cell with a platelet, and so many counts of them in 10,000: deep cells have some
of what lysed platelets leave in every droplet."""
PLATELETS = Program("platelets", "with a platelet", GENES, least=LEAST, few=FEW)


def with_platelets(
    counts_ng: sparse.csr_array,
    vocabulary: Vocabulary,
    measured_g: NDArray[np.bool_],
    total_n: NDArray[np.floating],
) -> NDArray[np.bool_]:
    """Say which cells have the genes of platelets, platelets themselves among them.

    Parameters are those of `programs_shown`: on a panel, and without many of these genes, no cell is told.

    Examples
    --------
    >>> symbols = (*GENES, *map(str, range(5000)))
    >>> genes = Vocabulary(symbols, symbols, symbols)
    >>> counts_ng = sparse.csr_array([[*12 * [some], 900, *4999 * [0]] for some in (1.0, 0.0)])
    >>> with_platelets(counts_ng, genes, np.ones(5012, dtype=bool), counts_ng.sum(axis=1)).tolist()
    [True, False]
    """
    return programs_shown(counts_ng, vocabulary, measured_g, total_n, (PLATELETS,))[:, 0]
