"""Running a bundle over a source: cells in, answers out, block by block, so that nothing held grows with a matrix.

Which matrix is read, and what its values are, was found by ``findings``; what becomes of the
blocks is up to ``sinks``.
Axes: ``n`` cells, ``g`` the bundle's genes, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from scipy import sparse

from spoticell.annotation.allowed import Allowed
from spoticell.annotation.decision import decide
from spoticell.annotation.outputs import obs_columns, run_record, stale_columns, type_colors
from spoticell.annotation.result import AnnotatedBlock, Annotation
from spoticell.annotation.sinks import Collector, open_h5ad, write_answers
from spoticell.errors import ConfigError
from spoticell.io.aligned import aligned_blocks
from spoticell.io.findings import Findings
from spoticell.io.source import BLOCK, CellSource
from spoticell.model.bundle import Bundle
from spoticell.model.runtime import Runtime
from spoticell.progress import Progress


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
    for start, counts_ng in aligned_blocks(source, findings, size=block):
        yield _annotate(start, counts_ng, findings, runtime, threshold=threshold, allowed=allowed)


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


STEP = BLOCK // 2
"""Cells between two steps of the progress."""


def annotate_into(
    path: Path, output: Path, collector: Collector, runtime: Runtime, *, on_progress: Progress
) -> Annotation:
    """Answer all cells, and write what comes of it to ``output``."""
    source, findings, threshold, allowed = collector.source, collector.findings, collector.threshold, collector.allowed
    with ExitStack() as stack:
        file = (
            stack.enter_context(open_h5ad(source, path, output, findings, runtime))
            if output.suffix == ".h5ad"
            else None
        )
        for block in annotate_blocks(source, findings, runtime, threshold=threshold, allowed=allowed, block=STEP):
            collector.add(block)
            if file is not None:
                file.add_block(
                    block.start, fingerprint_nd=block.fingerprint_nd, probabilities_nm=block.probabilities_nm
                )
            on_progress(block.start + len(block), source.n_cells)
        annotation = collector.finish()
        if file is None:
            write_answers(output, annotation, source.cell_names)
        else:
            file.finish(
                obs_columns(annotation),
                uns=run_record(annotation),
                colors=type_colors(annotation),
                stale=stale_columns(annotation),
            )
    return annotation
