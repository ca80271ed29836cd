"""The one way from a source of cells to answers: aligned, through the network, decided, into every sink.

Which matrix is read, and what its values are, was found by ``io.findings``.
Axes: ``n`` cells, ``g`` the model's genes, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from spoticell.annotation.away import Away
from spoticell.annotation.cellxgene import is_wanted
from spoticell.annotation.first_blocks import Here, keeping, load_network, parts_of, reads_together
from spoticell.annotation.groups import AUTO, Grouping, read_groups
from spoticell.annotation.looks import MOST, Watcher, each_alone
from spoticell.annotation.mixed import MixedTally
from spoticell.annotation.options import Options
from spoticell.annotation.result import Annotation
from spoticell.annotation.samples import Samples, find_samples
from spoticell.annotation.sinks import ResultSink, Sink
from spoticell.errors import ConfigError, note
from spoticell.io.findings import Findings, inspect
from spoticell.io.in_order import available_cores, both
from spoticell.io.source import CellSource
from spoticell.progress import Progress, stretch

if TYPE_CHECKING:
    from spoticell.model.runtime import Runtime

log = logging.getLogger("spoticell")

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
    tell(findings)
    return findings


def tell(findings: Findings) -> None:
    """Say what was found."""
    for line in findings.lines():
        log.info(line)
    for warning in findings.warnings:
        note(warning)


def annotate_source(
    source: CellSource,
    options: Options,
    sinks: Sequence[Sink] = (),
    *,
    findings: Findings | None = None,
    on_progress: Progress | None = None,
    away: Away | None = None,
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
    on_progress, away
        Called with the steps done and the steps there are; who reads the cells, where that isn't this process.

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
    looked, network = LOOKING if findings is None else 0, None
    if findings is None:
        step = stretch(on_progress, start=0, stop=looked)
        findings, network = _looked_at(source, options, step, away)
    if allowed is not None and allowed.notes:
        for warning in allowed.notes:
            note(warning)
        findings = replace(findings, warnings=(*findings.warnings, *allowed.notes))
    return run(
        source,
        findings,
        options,
        sinks,
        samples=samples,
        grouping=grouping,
        on_progress=stretch(on_progress, start=looked, stop=100),
        away=away,
        network=network,
    )


def _looked_at(
    source: CellSource, options: Options, step: Progress, away: Away | None
) -> tuple[Findings, Runtime | None]:
    """Find out which matrix and genes would be used, and load the network meanwhile, if this process needs it."""
    if away is not None:
        return away.look_at(source, options, on_progress=step), None
    threads = options.threads or available_cores()
    return both(lambda: look_at(source, options, on_progress=step), lambda: load_network(options), threads=threads)


def run(
    source: CellSource,
    findings: Findings,
    options: Options,
    sinks: Sequence[Sink] = (),
    *,
    samples: Samples | None = None,
    grouping: Grouping | None = None,
    on_progress: Progress | None = None,
    away: Away | None = None,
    network: Runtime | None = None,
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
    on_progress, away
        Called with the cells that are answered and all cells; who reads the cells, where that isn't this process.
    network
        The model's, if it is loaded.

    Raises
    ------
    SpoticellError
        If the source turns out damaged, or a sink can't write.
    """
    # blocks are side by side, so each has a thread: products of matrices with more would wait for each other
    with threadpool_limits(1, user_api="blas"):
        reader = away or Here(source, findings, options, network)
        step = on_progress
        return _run(source, findings, options, sinks, reader, samples=samples, grouping=grouping, on_progress=step)


def _run(
    source: CellSource,
    findings: Findings,
    options: Options,
    sinks: Sequence[Sink],
    reader: Here | Away,
    *,
    samples: Samples | None,
    grouping: Grouping | None,
    on_progress: Progress | None,
) -> Annotation:
    result = ResultSink(source, findings, options, reader.tissues, samples=samples, grouping=grouping)
    every: list[Sink | ResultSink] = [result, *sinks]
    mixed = MixedTally(source.n_cells)
    watchers: list[Watcher] = [*every, mixed]
    begun: list[Sink] = []
    try:
        for sink in sinks:
            sink.begin(source, findings, options.bundle)
            begun.append(sink)
        parts = parts_of(reader, findings, options, samples)
        keep = keeping(reader, parts)
        # closed whatever happens: then no thread goes on reading a source that is no longer open
        with closing(reader.blocks(keep)) as looked:
            for block in (
                each_alone(looked, watchers, source.n_cells, on_progress)
                if parts is None
                else parts.answered(looked, watchers, on_progress, result.group_by if options.groups == AUTO else None)
            ):
                for one in every:
                    one.add(block)
        annotation = replace(result.finish(), mixed=mixed.finish())
        for sink in sinks:
            sink.finish(annotation)
    except BaseException:
        for sink in begun:
            sink.abandon()
        raise
    return annotation


def _told_groups(source: CellSource, options: Options) -> Grouping | None:
    """Give the groups of a column, and refuse to look for groups where that can't be."""
    check_groups(options, source.n_cells, name=source.name)
    return None if options.groups in (None, AUTO) else read_groups(source, options.groups)


def check_groups(options: Options, n_cells: int, *, name: str) -> None:
    """Refuse to look for groups where that can't be; ``name`` is how messages call the cells' source."""
    if options.groups != AUTO:
        return
    if not reads_together(options):
        raise ConfigError(
            "groups are found while cells are read together, and here each is named alone; give a column of groups."
        )
    if n_cells > MOST:
        raise ConfigError(
            f"{name} has {n_cells:,} cells, and groups are found among at most {MOST:,}; give a column of groups."
        )
