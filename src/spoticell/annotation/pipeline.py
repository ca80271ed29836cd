"""The one way from a source of cells to answers: aligned, through the network, decided, into every sink.

Which matrix is read, and what its values are, was found by ``io.findings``.
Axes: ``n`` cells, ``g`` the model's genes, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from spoticell.annotation.cellxgene import is_wanted
from spoticell.annotation.decision import can_read_together, decide
from spoticell.annotation.groups import AUTO, Grouping, read_groups
from spoticell.annotation.looks import MOST, Parts, Watcher
from spoticell.annotation.options import Options
from spoticell.annotation.result import AnnotatedBlock, Annotation, FirstBlock, Kept
from spoticell.annotation.sample_tissue import FEW, SampleTissues, show_tissues
from spoticell.annotation.samples import Samples, find_samples
from spoticell.annotation.sinks import ResultSink, Sink
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.biology.sample import cell_keys
from spoticell.biology.sketch import Sketch
from spoticell.errors import ConfigError, note
from spoticell.io.aligned import aligned_sample, taken
from spoticell.io.findings import Findings, inspect
from spoticell.io.in_order import in_order
from spoticell.io.source import BLOCK, CellBlock, CellSource
from spoticell.progress import Progress, stretch

if TYPE_CHECKING:
    from spoticell.model.bundle import Bundle
    from spoticell.model.runtime import Prediction, Runtime

log = logging.getLogger("spoticell")

STEP = BLOCK // 4
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
        threads=options.threads,
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
    cellxgene = is_wanted(source, asked=options.cellxgene, key_added=options.key_added)
    options = options if cellxgene == options.cellxgene else replace(options, cellxgene=cellxgene)
    allowed, _, _ = options.allowed, options.opened, options.known_markers
    samples = find_samples(source, by=options.by, condition=options.condition)
    grouping = _told_groups(source, options)
    looked = LOOKING if findings is None else 0
    if findings is None:
        findings = look_at(source, options, on_progress=stretch(on_progress, start=0, stop=looked))
    if allowed is not None and allowed.notes:
        for warning in allowed.notes:
            note(warning)
        findings = replace(findings, warnings=(*findings.warnings, *allowed.notes))
    step = stretch(on_progress, start=looked, stop=100)
    return run(source, findings, options, sinks, samples=samples, grouping=grouping, on_progress=step)


def run(
    source: CellSource,
    findings: Findings,
    options: Options,
    sinks: Sequence[Sink] = (),
    *,
    samples: Samples | None = None,
    grouping: Grouping | None = None,
    on_progress: Progress | None = None,
) -> Annotation:
    """Answer every cell of a source, and hand each block of answers to every sink.

    Parameters
    ----------
    source, findings, options
        The open source, what `inspect` found in it with the model's genes, and what is asked for.
    sinks
        Where the answers go besides the annotation; abandoned together if anything fails.
    samples, grouping
        Samples and groups that columns of the source tell, where they are asked for.
    on_progress
        Called with the cells that are answered and all cells.

    Raises
    ------
    SpoticellError
        If the source turns out damaged, or a sink can't write.
    """
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load, and checks do without

    runtime = Runtime(options.bundle, threads=options.threads)
    # blocks are side by side, so each has a thread: products of matrices with more would wait for each other
    with threadpool_limits(1, user_api="blas"):
        return _run(
            source, findings, options, sinks, runtime, samples=samples, grouping=grouping, on_progress=on_progress
        )


def _run(
    source: CellSource,
    findings: Findings,
    options: Options,
    sinks: Sequence[Sink],
    runtime: Runtime,
    *,
    samples: Samples | None,
    grouping: Grouping | None,
    on_progress: Progress | None,
) -> Annotation:
    sample_sg = aligned_sample(findings)
    looks = options.bundle.is_of_this_ontology and not options.tells_tissue
    tissues = sample_tissues(sample_sg, findings, runtime) if looks else None
    result = ResultSink(source, findings, options, tissues, samples=samples, grouping=grouping)
    every: list[Sink | ResultSink] = [result, *sinks]
    begun: list[Sink] = []
    try:
        for sink in sinks:
            sink.begin(source, findings, options.bundle)
            begun.append(sink)
        parts = _parts(sample_sg, findings, options, tissues, samples, threads=runtime.threads)
        keep = None if parts is None else parts.kept
        # closed whatever happens: then no thread goes on reading a source that is no longer open
        with closing(first_blocks(source, findings, options, runtime=runtime, tissues=tissues, keep=keep)) as looked:
            for block in (
                _alone(looked, every, source.n_cells, on_progress)
                if parts is None
                else parts.answered(looked, every, on_progress, result.group_by if options.groups == AUTO else None)
            ):
                for watcher in every:
                    watcher.add(block)
        annotation = result.finish()
        for sink in sinks:
            sink.finish(annotation)
    except BaseException:
        for sink in begun:
            sink.abandon()
        raise
    return annotation


def _parts(
    sample_sg: sparse.csr_array,
    findings: Findings,
    options: Options,
    tissues: SampleTissues | None,
    samples: Samples | None,
    *,
    threads: int,
) -> Parts | None:
    """Give the parts in which cells are read together; None where each is named alone."""
    if options.each_cell_alone or not can_read_together(options.bundle):
        return None
    sample_n = None if samples is None else samples.sample_n
    return Parts(Sketch(sample_sg), findings, options, relatives_of(options, tissues), sample_n, threads=threads)


def _told_groups(source: CellSource, options: Options) -> Grouping | None:
    """Give the groups of a column, and refuse to look for groups where that can't be."""
    check_groups(options, source.n_cells, name=source.name)
    return None if options.groups in (None, AUTO) else read_groups(source, options.groups)


def check_groups(options: Options, n_cells: int, *, name: str) -> None:
    """Refuse to look for groups where that can't be; ``name`` is how messages call the cells' source."""
    if options.groups != AUTO:
        return
    if options.each_cell_alone or not can_read_together(options.bundle):
        raise ConfigError(
            "groups are found while cells are read together, and here each is named alone; give a column of groups."
        )
    if n_cells > MOST:
        raise ConfigError(
            f"{name} has {n_cells:,} cells, and groups are found among at most {MOST:,}; give a column of groups."
        )


def _alone(
    looked: Iterable[FirstBlock], watchers: Sequence[Watcher], n_cells: int, on_progress: Progress | None
) -> Iterator[AnnotatedBlock]:
    for block in looked:
        for watcher in watchers:
            watcher.see(block)
        yield block.alone
        if on_progress is not None:
            on_progress(block.alone.start + len(block.alone), n_cells)


def sample_tissues(sample_sg: sparse.csr_array, findings: Findings, runtime: Runtime) -> SampleTissues:
    """Find from which tissues cells are, by some of them, ``(s, g)``."""
    return tissues_said(some_said(sample_sg, findings, runtime)[1], runtime.bundle)


def some_said(sample_sg: sparse.csr_array, findings: Findings, runtime: Runtime) -> tuple[sparse.csr_array, Prediction]:
    """Give the few of some cells by which the tissues of all are found, and what the network says of them."""
    few_s = np.sort(np.argsort(cell_keys(sample_sg), kind="stable")[:FEW])
    counts_ng = sample_sg[few_s]
    counts_ng = counts_ng[counts_ng.sum(axis=1) > findings.verdict.empty_up_to]
    return counts_ng, runtime.predict(counts_ng, findings.match.measured_g)


def tissues_said(said: Prediction, bundle: Bundle) -> SampleTissues:
    """Find from which tissues cells are by what the network says of some."""
    weights = bundle.label_weights
    weight_nc = weights.of(said.probabilities_nm) if said.weight_nc is None else said.weight_nc
    return show_tissues(weight_nc, weights.label_c, bundle.nodes, load_ontology())


def relatives_of(options: Options, tissues: SampleTissues | None) -> Relatives | None:
    """Give what gives the weight of types that can't be to others: of tissues that the sample doesn't show, or told."""
    if tissues is None:
        return None if options.allowed is None else options.allowed.relatives
    return Relatives(options.bundle.label_weights, options.bundle.nodes, load_ontology(), tissues.possible_m)


def first_blocks(
    source: CellSource,
    findings: Findings,
    options: Options,
    *,
    runtime: Runtime,
    tissues: SampleTissues | None,
    size: int | None = None,
    keep: Callable[[FirstBlock], Kept] | None = None,
) -> Generator[FirstBlock, None, None]:
    """Stream a source through the network and answer each cell alone.

    Parameters
    ----------
    source, findings, options
        As for `run`.
    runtime
        Of the model.
    tissues
        Those that the sample shows; None where they are told, or don't matter.
    size
        Cells in a block; `STEP` if not given.
    keep
        What a second look needs of a block; nothing is kept if not given.

    Yields
    ------
    Blocks from first cell to last.  A cell without counts in known genes is unknown, and its
    fingerprint and probabilities are zero.
    """
    relatives, empty_up_to = relatives_of(options, tissues), findings.verdict.empty_up_to

    def look(cells: CellBlock) -> FirstBlock:
        counts_ng = taken(cells.values_nv, findings)
        prediction = runtime.predict(counts_ng, findings.match.measured_g)
        block = first_block(
            cells.start,
            counts_ng,
            prediction,
            options,
            relatives=relatives,
            empty_up_to=empty_up_to,
            second_best=keep is None,
        )
        return block if keep is None else replace(block, kept=keep(block))

    return in_order(look, source.blocks(findings.matrix, size=size or STEP), threads=runtime.threads)


def first_block(
    start: int,
    counts_ng: sparse.csr_array,
    prediction: Prediction,
    options: Options,
    *,
    relatives: Relatives | None,
    empty_up_to: float = 0,
    second_best: bool = True,
) -> FirstBlock:
    """Answer some consecutive cells alone.

    Parameters
    ----------
    start
        Position of the first in the source.
    counts_ng
        Their counts, in the order of the model's genes.
    prediction
        What the network says of them.
    options
        What is asked for.
    relatives
        What gives the weight of types that the sample can't hold to others.
    empty_up_to
        Counts of a droplet without a cell, at most.
    second_best
        Whether to find what each cell would be if it weren't its answer, which a second look finds anew.
    """
    n_counts_n = counts_ng.sum(axis=1, dtype=np.float64).astype(np.float32)
    # empty droplets have counts, but no cell to name
    told_n = np.where(n_counts_n > empty_up_to, n_counts_n, np.float32(0))
    decision = decide(
        prediction,
        told_n,
        options.bundle,
        threshold=options.lowest,
        allowed=options.allowed,
        relatives=relatives,
        second_best=second_best,
    )
    alone = AnnotatedBlock(
        start=start,
        answer_n=decision.answer_n,
        score_n=decision.score_n,
        doubted_n=decision.doubted_n,
        second_n=decision.second_n,
        second_probability_n=decision.second_probability_n,
        fingerprint_nd=prediction.fingerprint_nd,
        probabilities_nm=decision.probability_nm,
        n_counts_n=n_counts_n,
        n_genes_n=np.diff(counts_ng.indptr).astype(np.int32),
        margin_n=decision.margin_n,
        grounds=decision.grounds,
    )
    return FirstBlock(alone, counts_ng, told_n, decision.weight_nc, prediction.familiarity_n)
