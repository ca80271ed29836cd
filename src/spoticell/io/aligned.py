"""The cells of a source, or some of them, as counts of the vocabulary's genes.

Axes: ``n`` cells of the source, ``k`` cells that are kept, ``g`` genes of the vocabulary, ``v`` genes of the view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.counts import recover
from spoticell.biology.genes import Vocabulary, align_counts, take_counts
from spoticell.io import BLOCK, CellBlock, CellSource
from spoticell.io.findings import Findings
from spoticell.progress import Progress


def kept_counts(
    source: CellSource,
    findings: Findings,
    keep_n: NDArray[np.bool_],
    *,
    size: int = BLOCK,
    on_progress: Progress | None = None,
) -> Iterator[tuple[int, NDArray[np.int64], sparse.csr_array]]:
    """Stream the counts of some cells of a source.

    Parameters
    ----------
    source
        Where the cells are.
    findings
        Which matrix of it to use, and how.
    keep_n
        Which of the source's cells to give.
    size
        Rows of the source to read at once.
    on_progress
        Called with the source's cells that were looked at and all of them.

    Yields
    ------
    Rows of the source used up so far, where the cells stand in the source, and their counts, ``(k, g)``; nothing for
    rows of which none is kept.
    """
    for block in source.blocks(findings.matrix, size=size):
        stop = block.start + len(block)
        kept_k = np.flatnonzero(keep_n[block.start : stop])
        if len(kept_k):
            yield stop, kept_k + block.start, _aligned(sparse.csr_array(block.values_nv[kept_k]), findings)
        if on_progress is not None:
            on_progress(stop, source.n_cells)


class AlignedSource(CellSource):
    """Some cells of another source, aligned while they stream.

    Its genes are those of the vocabulary that the source measures, in the vocabulary's order: what is
    missing was not measured, what is zero was not seen.

    Parameters
    ----------
    source
        Where the cells are; closed by whoever opened it.
    findings
        Which matrix of it to use, and how.
    vocabulary
        The genes that ``findings`` speaks of.
    keep_n
        Which of the source's cells to give.
    obs
        The table about them, a row for each cell kept.
    on_progress
        Called while streaming, with the source's cells that were looked at and all of them.
    """

    matrices = ("X",)

    def __init__(
        self,
        source: CellSource,
        findings: Findings,
        vocabulary: Vocabulary,
        *,
        keep_n: NDArray[np.bool_],
        obs: pd.DataFrame,
        on_progress: Progress | None = None,
    ) -> None:
        self.name, self.format = source.name, source.format
        self.n_cells, self.cell_names = len(obs), obs.index
        self._source, self._findings, self._vocabulary = source, findings, vocabulary
        self._keep_n, self._obs, self._on_progress = keep_n, obs, on_progress
        self._position_v = np.flatnonzero(findings.match.measured_g)

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Ensembl ids, and symbols as ``feature_name``."""
        ids, symbols = (np.array(words, dtype=object) for words in (self._vocabulary.ids, self._vocabulary.symbols))
        return {"index": ids[self._position_v], "feature_name": symbols[self._position_v]}

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream the kept cells, at most ``size`` of them at once."""
        start = 0
        counts = kept_counts(self._source, self._findings, self._keep_n, size=size, on_progress=self._on_progress)
        for _, _, counts_kg in counts:
            yield CellBlock(start, counts_kg[:, self._position_v])
            start += counts_kg.shape[0]

    def obs(self) -> pd.DataFrame:
        """Give the table about the kept cells."""
        return self._obs


def read_counts(source: CellSource, findings: Findings) -> sparse.csr_array:
    """Give all counts of a source at once, ``(n, g)``, in the order of the genes it was matched to."""
    blocks = [_aligned(cells.values_nv, findings) for cells in source.blocks(findings.matrix)]
    return sparse.csr_array(sparse.vstack(blocks, format="csr"))


def aligned_sample(findings: Findings) -> sparse.csr_array:
    """Give the counts of the cells that were kept while a source was looked at, ``(n, g)``."""
    return _aligned(findings.sample_nv, findings)


def taken(values_nv: sparse.csr_array, findings: Findings) -> sparse.csr_array:
    """Give the counts of some cells of a source, ``(n, g)``, the genes of a cell in any order, which is quicker."""
    return take_counts(_recovered(values_nv, findings), findings.match)


def _aligned(values_nv: sparse.csr_array, findings: Findings) -> sparse.csr_array:
    return align_counts(_recovered(values_nv, findings), findings.match)


def _recovered(values_nv: sparse.csr_array, findings: Findings) -> sparse.csr_array:
    return recover(findings.match.kept(values_nv), findings.verdict)
