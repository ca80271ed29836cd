"""A view of a source of cells: some of its cells, as counts of the vocabulary's genes.

Axes: ``n`` cells of the source, ``k`` cells that are kept, ``v`` genes of the view.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.corpus.progress import Progress
from spoticell.counts import recover
from spoticell.findings import Findings
from spoticell.genes import Vocabulary, align_counts
from spoticell.io import BLOCK, CellBlock, CellSource


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
        start, verdict, match = 0, self._findings.verdict, self._findings.match
        for block in self._source.blocks(self._findings.matrix, size=size):
            kept_k = np.flatnonzero(self._keep_n[block.start : block.start + len(block)])
            counts_kg = align_counts(recover(block.values_nv, verdict), match)[kept_k]
            yield CellBlock(start, counts_kg[:, self._position_v])
            start += len(kept_k)
            if self._on_progress is not None:
                self._on_progress(block.start + len(block), self._source.n_cells)

    def obs(self) -> pd.DataFrame:
        """Give the table about the kept cells."""
        return self._obs
