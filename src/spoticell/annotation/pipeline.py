"""The one way from a source of cells to answers: aligned, through the network, decided, into every sink.

Which matrix is read, and what its values are, was found by ``io.findings``.
Axes: ``n`` cells, ``g`` the model's genes, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from spoticell.annotation.decision import decide
from spoticell.annotation.options import Options
from spoticell.annotation.result import AnnotatedBlock, Annotation
from spoticell.annotation.sample_tissue import SampleTissues, show_tissues
from spoticell.annotation.sinks import ResultSink, Sink
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.errors import note
from spoticell.io.aligned import aligned_blocks, aligned_sample
from spoticell.io.findings import Findings, inspect
from spoticell.io.source import BLOCK, CellSource
from spoticell.progress import Progress, stretch

if TYPE_CHECKING:
    from spoticell.model.runtime import Prediction, Runtime

log = logging.getLogger("spoticell")

STEP = BLOCK // 2
"""Cells in a block, and between two steps of the progress."""

LOOKING = 20
"""Percent of the time after which counts are found."""


def look_at(source: CellSource, options: Options, *, on_progress: Progress | None = None) -> Findings:
    """Find out which matrix and genes of an open source would be used, and say so.

    What is found goes to the log, and each note is a `SpoticellWarning`.

    Parameters
    ----------
    source
        The open source.
    options
        Whose genes are looked for, and where.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SpoticellError
        If the cells can't be used; the message says why.
    """
    findings = inspect(
        source,
        options.bundle.vocabulary,
        layer=options.layer,
        gene_column=options.gene_column,
        on_progress=on_progress,
    )
    for line in findings.lines():
        log.info(line)
    for warning in findings.warnings:
        note(warning)
    return findings


def annotate_source(
    source: CellSource,
    options: Options,
    sinks: Sequence[Sink] = (),
    *,
    findings: Findings | None = None,
    on_progress: Progress | None = None,
) -> Annotation:
    """Name the type of each cell of an open source.

    Parameters
    ----------
    source
        The cells.
    options
        What is asked for; what can't be is refused before any cell is read.
    sinks
        Where the answers go besides the annotation.
    findings
        From `look_at` on the same source and options; looked for if not given.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SpoticellError
        If the cells can't be used, or a sink can't write.
    """
    allowed, _ = options.allowed, options.opened
    looked = LOOKING if findings is None else 0
    if findings is None:
        findings = look_at(source, options, on_progress=stretch(on_progress, start=0, stop=looked))
    if allowed is not None and allowed.notes:
        for warning in allowed.notes:
            note(warning)
        findings = replace(findings, warnings=(*findings.warnings, *allowed.notes))
    return run(source, findings, options, sinks, on_progress=stretch(on_progress, start=looked, stop=100))


def run(
    source: CellSource,
    findings: Findings,
    options: Options,
    sinks: Sequence[Sink] = (),
    *,
    on_progress: Progress | None = None,
) -> Annotation:
    """Answer every cell of a source, and hand each block of answers to every sink.

    Parameters
    ----------
    source
        The open source.
    findings
        From `inspect` on it with the model's genes.
    options
        What is asked for.
    sinks
        Where the answers go besides the annotation; abandoned together if anything fails.
    on_progress
        Called with the cells that are answered and all cells.

    Raises
    ------
    SpoticellError
        If the source turns out damaged, or a sink can't write.
    """
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load, and checks do without

    runtime = Runtime(options.bundle, threads=options.threads)
    looks = options.bundle.is_of_this_ontology and not options.tells_tissue
    tissues = sample_tissues(findings, runtime) if looks else None
    result = ResultSink(source, findings, options, tissues)
    begun: list[Sink] = []
    try:
        for sink in sinks:
            sink.begin(source, findings, options.bundle)
            begun.append(sink)
        for block in annotated_blocks(source, findings, options, runtime=runtime, tissues=tissues):
            result.add(block)
            for sink in sinks:
                sink.add(block)
            if on_progress is not None:
                on_progress(block.start + len(block), source.n_cells)
        annotation = result.finish()
        for sink in sinks:
            sink.finish(annotation)
    except BaseException:
        for sink in begun:
            sink.abandon()
        raise
    return annotation


def sample_tissues(findings: Findings, runtime: Runtime) -> SampleTissues:
    """Find from which tissues the cells are that were kept while their source was looked at."""
    counts_ng = aligned_sample(findings)
    counts_ng = counts_ng[counts_ng.sum(axis=1) > findings.verdict.empty_up_to]
    weights = runtime.bundle.label_weights
    said = runtime.predict(counts_ng, findings.match.measured_g)
    return show_tissues(weights.of(said.probabilities_nm), weights.label_c, runtime.bundle.nodes, load_ontology())


def annotated_blocks(
    source: CellSource,
    findings: Findings,
    options: Options,
    *,
    runtime: Runtime,
    tissues: SampleTissues | None,
    size: int = STEP,
) -> Iterator[AnnotatedBlock]:
    """Stream a source through the network and answer each cell.

    Parameters
    ----------
    source, findings, options
        As for `run`.
    runtime
        Of the model.
    tissues
        Those that the sample shows; None where they are told, or don't matter.
    size
        Cells in a block.

    Yields
    ------
    Blocks from first cell to last.  A cell without counts in known genes is unknown, and its
    fingerprint and probabilities are zero.
    """
    bundle = options.bundle
    if tissues is None:
        relatives = None if options.allowed is None else options.allowed.relatives
    else:
        relatives = Relatives(bundle.label_weights, bundle.nodes, load_ontology(), tissues.possible_m)
    for start, counts_ng in aligned_blocks(source, findings, size=size):
        prediction = runtime.predict(counts_ng, findings.match.measured_g)
        yield _annotated(start, counts_ng, prediction, findings, options, relatives=relatives)


def _annotated(
    start: int,
    counts_ng: sparse.csr_array,
    prediction: Prediction,
    findings: Findings,
    options: Options,
    *,
    relatives: Relatives | None,
) -> AnnotatedBlock:
    n_counts_n = counts_ng.sum(axis=1, dtype=np.float64).astype(np.float32)
    # empty droplets have counts, but no cell to name
    told_n = np.where(n_counts_n > findings.verdict.empty_up_to, n_counts_n, 0)
    decision = decide(
        prediction,
        told_n,
        options.bundle,
        threshold=options.lowest,
        allowed=options.allowed,
        relatives=relatives,
    )
    return AnnotatedBlock(
        start=start,
        counts_ng=counts_ng,
        answer_n=decision.answer_n,
        score_n=decision.score_n,
        doubted_n=decision.doubted_n,
        second_n=decision.second_n,
        second_probability_n=decision.second_probability_n,
        fingerprint_nd=prediction.fingerprint_nd,
        probabilities_nm=decision.probability_nm,
        n_counts_n=n_counts_n,
        n_genes_n=np.diff(counts_ng.indptr).astype(np.int32),
    )
