"""The first look: the cells of a source through the network, block by block, and what a sample shows before it.

Axes: ``n`` cells, ``s`` cells of the sample, ``g`` the model's genes, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from spoticell.annotation.away import Shown
from spoticell.annotation.decision import can_read_together, decide
from spoticell.annotation.looks import Parts
from spoticell.annotation.mixed import MixedFinder
from spoticell.annotation.options import Options
from spoticell.annotation.result import AnnotatedBlock, FirstBlock
from spoticell.annotation.sample_tissue import FEW, SampleTissues, show_tissues
from spoticell.annotation.samples import Samples
from spoticell.annotation.seen import Kept
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.biology.sample import cell_keys
from spoticell.biology.sketch import Sketch
from spoticell.io.aligned import aligned_sample, taken
from spoticell.io.findings import Findings
from spoticell.io.in_order import available_cores, both, in_order
from spoticell.io.source import BLOCK, CellBlock, CellSource

if TYPE_CHECKING:
    from spoticell.model.bundle import Bundle
    from spoticell.model.runtime import Prediction, Runtime

STEP = BLOCK // 4
"""Cells in a block, and between two steps of the progress."""


class Here:
    """Reads the cells of a source in this process, as `Away` does it elsewhere."""

    def __init__(self, source: CellSource, findings: Findings, options: Options, loaded: Runtime | None = None) -> None:
        sample_sg, together = aligned_sample(findings), reads_together(options)
        looks = options.bundle.is_of_this_ontology and not options.tells_tissue

        def named() -> tuple[Runtime, SampleTissues | None, FirstBlock | None]:
            runtime = loaded or load_network(options)
            tissues = sample_tissues(sample_sg, findings, runtime) if looks else None
            sample = named_sample(sample_sg, findings, options, runtime, tissues) if together else None
            return runtime, tissues, sample

        (runtime, self.tissues, sample), self.sketch = both(
            named,
            lambda: Sketch(sample_sg) if together else None,
            threads=loaded.threads if loaded else options.threads or available_cores(),
        )
        self.threads, self.mixed = runtime.threads, None
        if self.sketch is not None and sample is not None:
            self.mixed = MixedFinder(sample, self.sketch, runtime, findings.match.measured_g)
        self._read = partial(first_blocks, source, findings, options, runtime=runtime, tissues=self.tissues)

    def blocks(self, keep: Callable[[FirstBlock], Kept] | None) -> Generator[FirstBlock, None, None]:
        """Give all blocks."""
        return self._read(keep=keep)


def load_network(options: Options) -> Runtime:
    """Load the model's network, and with it what else is slow to load and needed before the first cell is named."""
    import scipy.sparse.linalg  # noqa: PLC0415
    import scipy.special  # noqa: F401, PLC0415

    from spoticell.model.runtime import Runtime  # noqa: PLC0415

    return Runtime(options.bundle, threads=options.threads, device=options.device)


def parts_of(shown: Shown, findings: Findings, options: Options, samples: Samples | None = None) -> Parts | None:
    """Give the parts in which cells are read together; None where each is named alone."""
    sketch = shown.sketch if reads_together(options) else None
    if sketch is None:
        return None
    sample_n = None if samples is None else samples.sample_n
    relatives = relatives_of(options, shown.tissues)
    return Parts(sketch, findings, options, relatives, sample_n, threads=shown.threads)


def keeping(shown: Shown, parts: Parts | None) -> Callable[[FirstBlock], Kept] | None:
    """Give what keeps of a block what the second look needs; None where there is none."""
    if parts is None:
        return None
    return parts.kept if shown.mixed is None else shown.mixed.keeping(parts.kept)


def reads_together(options: Options) -> bool:
    """Whether each cell is read with its neighbours."""
    return not options.each_cell_alone and can_read_together(options.bundle)


def named_sample(
    sample_sg: sparse.csr_array,
    findings: Findings,
    options: Options,
    runtime: Runtime,
    tissues: SampleTissues | None,
) -> FirstBlock:
    """Name some cells of the sample alone, before all are read."""
    said = runtime.predict(sample_sg, findings.match.measured_g)
    relatives, empty_up_to = relatives_of(options, tissues), findings.verdict.empty_up_to
    return first_block(0, sample_sg, said, options, relatives=relatives, empty_up_to=empty_up_to, second_best=False)


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
    start: int = 0,
    stop: int | None = None,
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
    size, start, stop
        Cells in a block, `STEP` if not given; which cells, whole blocks of them, all if not given.
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

    size, stop = size or STEP, source.n_cells if stop is None else stop
    return in_order(look, source.between(findings.matrix, start, stop, size=size), threads=runtime.threads)


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
