"""What a worker does: it looks a file over, and reads some of its cells, as a run in one process does.

All that travels is what stands in the arguments and results here; Dask pickles them.  A worker opens the file itself,
by its path, and loads the model once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from scipy import sparse
from threadpoolctl import threadpool_limits

from spoticell.annotation.cluster.desk import desk, is_readable
from spoticell.annotation.first_blocks import STEP, Here, first_blocks, keeping, parts_of
from spoticell.annotation.mixed import MixedFinder
from spoticell.annotation.options import Options
from spoticell.annotation.result import FirstBlock
from spoticell.annotation.sample_tissue import SampleTissues
from spoticell.annotation.seen import Seen, Surest
from spoticell.biology.programs import programs_shown
from spoticell.biology.sketch import Sketch
from spoticell.errors import BundleError, ConfigError, CountsError, FileFormatError, GeneMatchError, SpoticellError
from spoticell.io.address import Address, Place
from spoticell.io.findings import Findings, inspect
from spoticell.io.heap import usual_memory
from spoticell.io.source import CellSource
from spoticell.model.bundle import load_bundle
from spoticell.progress import Progress
from spoticell.version import __version__

if TYPE_CHECKING:
    from spoticell.model.runtime import Runtime

Given = TypeVar("Given")

STRETCH = 8 * STEP
"""Cells of a task: half a second's work."""
LONG_STRETCH = 32 * STEP
"""Cells of a task where each worker must sort the whole file first, as it isn't stored by cell."""
EVERY = 0.5
"""Seconds between two words on the progress."""
VERDICTS = (BundleError, ConfigError, CountsError, GeneMatchError)
"""What would be said of the same file again; anything else may be a passing fault, and is tried again."""


@dataclass(frozen=True)
class Order:
    """What is to be done with a file, in words that mean the same on every machine."""

    cells: str
    """Its path or address."""
    options: Options
    """With the name or folder of the model."""
    model: str
    sha256: str
    """Of the model."""
    version: str
    """Of the Spoticell that asks."""
    run: str
    """Which call it is for."""


@dataclass(frozen=True)
class Looked:
    """What a look at a file found."""

    findings: Findings
    tissues: SampleTissues | None
    sketch: Sketch | None
    mixed: MixedFinder | None
    stretches: tuple[tuple[int, int], ...]
    """Which cells to read in each of the tasks that follow: the first, and the one after the last."""
    threads: int = 1


@dataclass(frozen=True)
class Refusal:
    """What stands in place of a result where trying again would change nothing."""

    error: SpoticellError


def ready(order: Order, who: str) -> Runtime:
    """Give the network, after a check that this worker would say the same as the process that asks.

    Parameters
    ----------
    order
        What is asked for.
    who
        How messages call this worker.

    Raises
    ------
    SpoticellError
        If it has another version of Spoticell, another model, or can't load it.
    """
    if order.version != __version__:
        raise ConfigError(
            f"{who} has Spoticell {__version__}, and {order.version} asks: answers could differ. Install the "
            "same version on all machines."
        )
    # for good: tasks of several threads begin and end in any order
    threadpool_limits(1, user_api="blas")
    try:
        runtime = _network(order.model, order.sha256, order.options.device)
    except BundleError as error:
        raise BundleError(f"{who} can't load the model: {error}") from error
    if runtime.bundle.sha256 != order.sha256:
        raise BundleError(
            f"{who} has another model under the name {order.model} than the process that asks. Put the same "
            "model on all machines."
        )
    return runtime


def fit(order: Order, dask_worker: Any) -> Refusal | None:  # noqa: ANN401 - Dask hands itself in by this name
    """Check a worker before it is asked for anything, and have it load the model."""
    try:
        ready(order, f"the worker {dask_worker.address}")
    except VERDICTS as error:
        return Refusal(error)
    return None


def look(order: Order, topic: str | None = None) -> Looked | Refusal:
    """Find out which matrix and genes of a file would be used, and what its cells show.

    Parameters
    ----------
    order
        What is asked for.
    topic
        Under which the progress is told; nobody hears of it if not given.
    """

    def done(source: CellSource) -> Looked:
        runtime, options = _asked(order)
        findings = inspect(
            source,
            runtime.bundle.vocabulary,
            layer=options.layer,
            gene_column=options.gene_column,
            threads=1,
            on_progress=None if topic is None else _telling(topic),
        )
        here = Here(source, findings, options, runtime)
        size = STRETCH if source.reads_anywhere(findings.matrix) else LONG_STRETCH
        starts = range(0, source.n_cells, size)
        stretches = tuple((start, min(start + size, source.n_cells)) for start in starts)
        return Looked(findings, here.tissues, here.sketch, here.mixed, stretches)

    return _told(order, done)


def stretches_of(looked: Looked | Refusal) -> tuple[tuple[int, int], ...]:
    """Give which cells the tasks that follow read."""
    return () if isinstance(looked, Refusal) else looked.stretches


def light(looked: Looked | Refusal) -> Looked | Refusal:
    """Give the same without the sample of cells, which those tasks do without."""
    if isinstance(looked, Refusal):
        return looked
    findings = looked.findings
    lighter = replace(findings, sample_nv=findings.sample_nv[:0], sample_at_s=findings.sample_at_s[:0])
    return replace(looked, findings=lighter)


def read(order: Order, looked: Looked | Refusal, start: int, stop: int) -> list[FirstBlock] | Refusal:
    """Name some cells of a file, each alone, and give what the rest of the run needs of them."""
    if isinstance(looked, Refusal):
        return looked
    return _told(order, lambda source: list(_blocks(source, order, looked, start, stop)))


def worker_name() -> str:
    """Say who speaks."""
    from distributed import get_worker  # noqa: PLC0415 - not everyone has it

    try:
        return f"the worker {get_worker().address}"
    except ValueError:  # there is none in this thread
        return "a worker"


def _blocks(source: CellSource, order: Order, looked: Looked, start: int, stop: int) -> Iterator[FirstBlock]:
    runtime, options = _asked(order)
    findings, surest = looked.findings, Surest()
    vocabulary, measured_g = runtime.bundle.vocabulary, findings.match.measured_g
    parts = parts_of(looked, findings, options)
    keep = keeping(looked, parts)
    blocks = first_blocks(
        source, findings, options, runtime=runtime, tissues=looked.tissues, start=start, stop=stop, keep=keep
    )
    with closing(blocks):
        for block in blocks:
            alone = replace(block.alone, grounds=None)
            surest.see(block)
            is_last = alone.start + len(alone) >= stop
            programs_np = programs_shown(block.counts_ng, vocabulary, measured_g, alone.n_counts_n)
            yield replace(
                block,
                # the second look says these anew, and they would be most of what travels
                alone=alone if keep is None else alone.without_probabilities(),
                counts_ng=_without(block.counts_ng),
                weight_nc=None,
                seen=Seen(programs_np, surest.all() if is_last else ()),
            )


def _telling(topic: str) -> Progress:
    from distributed import get_worker  # noqa: PLC0415 - not everyone has it

    worker, told = get_worker(), time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= EVERY:
            told = time.monotonic()
            worker.log_event(topic, [done, total])

    return tell


def _without(counts_ng: sparse.csr_array) -> sparse.csr_array:
    """Give a matrix of this shape without any counts."""
    nothing = (
        np.zeros(0, dtype=np.float32),
        np.zeros(0, dtype=np.int32),
        np.zeros(len(counts_ng.indptr), dtype=np.int32),
    )
    return sparse.csr_array(nothing, shape=counts_ng.shape)


def _told(order: Order, work: Callable[[CellSource], Given]) -> Given | Refusal:
    try:
        ready(order, worker_name())
        check = partial(_check_readable, order)
        with desk().opened(order.cells, run=order.run, check=check) as source:
            return work(source)
    except VERDICTS as error:
        return Refusal(error)


def _check_readable(order: Order) -> None:
    if not is_readable(order.cells):
        raise FileFormatError(
            f"{Path(order.cells).name}: {worker_name()} can't read {order.cells}. Each worker opens the file itself: "
            "put it where all of them can read it under this path."
        )


def _asked(order: Order) -> tuple[Runtime, Options]:
    runtime = _network(order.model, order.sha256, order.options.device)
    return runtime, replace(order.options, model=runtime.bundle)


@lru_cache(maxsize=1)
def _network(model: str, sha256: str, device: str) -> Runtime:
    """Load a model; what has another hash is another one."""
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load

    usual_memory()
    return Runtime(load_bundle(model), threads=1, device=device)


def order_of(cells: Place | str, options: Options, *, run: str = "") -> Order:
    """Write down what is asked of a file, so that it means the same on all machines."""
    bundle = options.bundle
    model = str(options.settled().model)
    # a name means the same everywhere, a folder only if it is whole
    model = os.path.abspath(model) if model == str(bundle.path) else model  # noqa: PTH100 - links stay as they are
    of_look = replace(options, model=model, index=None, markers=None, groups=None, threads=1)
    return Order(place_of(cells), of_look, model, bundle.sha256, __version__, run)


def place_of(cells: Place | str) -> str:
    """Give a path as it is from everywhere, and an address as it is."""
    cells = cells.full if isinstance(cells, Address) else str(cells)
    return cells if "://" in cells else os.path.abspath(cells)  # noqa: PTH100 - links stay as they are
