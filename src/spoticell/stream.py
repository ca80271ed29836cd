"""Running a bundle over a source: cells in, answers out, block by block, so that nothing held grows with a matrix.

Which matrix is read, and what its values are, was found by ``findings``; what becomes of the
blocks is up to ``annotation`` and ``files``.
Axes: ``n`` cells, ``g`` the bundle's genes, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.allowed import Allowed
from spoticell.bundle import Bundle
from spoticell.counts import recover
from spoticell.deciding import decide
from spoticell.errors import ConfigError
from spoticell.findings import Findings
from spoticell.genes import align_counts
from spoticell.io.source import BLOCK, CellSource
from spoticell.runtime import Runtime


@dataclass(frozen=True)
class AnnotatedBlock:
    """Answers for some consecutive cells, with what they came from."""

    start: int
    """Position of the block's first cell in the source."""
    counts_ng: sparse.csr_array
    """Counts in the order of the bundle's genes."""
    answer_n: NDArray[np.intp]
    """Position in the bundle's nodes; -1 is unknown."""
    score_n: NDArray[np.float32]
    """Chance that the answer is right; 0 for unknown."""
    doubted_n: NDArray[np.bool_]
    """Which cells are unknown because their answer would have been too doubtful."""
    fingerprint_nd: NDArray[np.float32]
    probabilities_nm: NDArray[np.float32]
    """Chance of each node."""
    n_counts_n: NDArray[np.float32]
    """Counts of the cell in the bundle's genes."""
    n_genes_n: NDArray[np.int32]
    """The bundle's genes that have a count in the cell."""

    def __len__(self) -> int:
        return len(self.answer_n)

    @property
    def barred_n(self) -> NDArray[np.bool_]:
        """Which cells have counts but next to no probability for any type that an answer may be."""
        barred_n: NDArray[np.bool_] = (self.n_counts_n > 0) & ~self.probabilities_nm.any(axis=1)
        return barred_n


def read_counts(source: CellSource, findings: Findings) -> sparse.csr_array:
    """Give all counts of a source at once, ``(n, g)``, in the order of the genes it was matched to."""
    blocks = (
        align_counts(recover(cells.values_nv, findings.verdict), findings.match)
        for cells in source.blocks(findings.matrix)
    )
    return sparse.csr_array(sparse.vstack(list(blocks), format="csr"))


def annotate_blocks(
    source: CellSource,
    findings: Findings,
    runtime: Runtime,
    *,
    threshold: float | None = None,
    allowed: Allowed | None = None,
    block: int = BLOCK,
) -> Iterator[AnnotatedBlock]:
    """Stream a source through the network and answer each cell.

    Parameters
    ----------
    source
        The cells.
    findings
        From `inspect` on the same source and the runtime's bundle.
    runtime
        The network.
    threshold
        Smallest chance of an answer's term, in [0, 1]; the bundle's own if not given.
    allowed
        The types that an answer may be; any that the bundle knows if not given.
    block
        Cells in a block.

    Yields
    ------
    Blocks from first cell to last.  A cell without counts in known genes is unknown, and its
    fingerprint and probabilities are zero.
    """
    threshold = check_threshold(threshold, runtime.bundle)
    for cells in source.blocks(findings.matrix, size=block):
        counts_ng = align_counts(recover(cells.values_nv, findings.verdict), findings.match)
        yield _annotate(cells.start, counts_ng, findings, runtime, threshold=threshold, allowed=allowed)


def _annotate(
    start: int,
    counts_ng: sparse.csr_array,
    findings: Findings,
    runtime: Runtime,
    *,
    threshold: float,
    allowed: Allowed | None,
) -> AnnotatedBlock:
    prediction = runtime.predict(counts_ng, findings.match.measured_g)
    n_counts_n = counts_ng.sum(axis=1, dtype=np.float64).astype(np.float32)
    prediction.fingerprint_nd[n_counts_n == 0] = 0
    decision = decide(prediction, n_counts_n, runtime.bundle, threshold=threshold, allowed=allowed)
    return AnnotatedBlock(
        start=start,
        counts_ng=counts_ng,
        answer_n=decision.answer_n,
        score_n=decision.score_n,
        doubted_n=decision.doubted_n,
        fingerprint_nd=prediction.fingerprint_nd,
        probabilities_nm=decision.chance_nm,
        n_counts_n=n_counts_n,
        n_genes_n=np.diff(counts_ng.indptr).astype(np.int32),
    )


def check_threshold(threshold: float | None, bundle: Bundle) -> float:
    """Give the threshold to use: the bundle's own if none is given.

    Raises
    ------
    ConfigError
        If it isn't a probability.
    """
    if threshold is None:
        return bundle.manifest.threshold
    if not 0 <= threshold <= 1:
        raise ConfigError(f"the threshold is {threshold}; it is a probability, from 0 to 1.")
    return threshold
