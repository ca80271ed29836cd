"""Who asks the workers of a Dask cluster: for few tasks at a time, of several files at once, and takes what they made.

A task reads some blocks of one file.  Results are taken in the order of files and cells, whatever the order in which
they come, so that a run sees what it would see if it read the file itself.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any
from uuid import uuid4

from spoticell.annotation.cluster.desk import let_go
from spoticell.annotation.cluster.task import (
    Looked,
    Order,
    Refusal,
    fit,
    light,
    look,
    order_of,
    place_of,
    read,
    stretches_of,
)
from spoticell.annotation.cluster.waiting import Vigil, last_said
from spoticell.annotation.mixed import MixedFinder
from spoticell.annotation.options import Options
from spoticell.annotation.pipeline import tell
from spoticell.annotation.result import FirstBlock
from spoticell.annotation.sample_tissue import SampleTissues
from spoticell.biology.sketch import Sketch
from spoticell.errors import ConfigError, SpoticellError
from spoticell.extras import needed
from spoticell.io.address import Place
from spoticell.io.findings import Findings
from spoticell.io.in_order import available_cores
from spoticell.io.passing import temporary_folder
from spoticell.io.source import CellSource
from spoticell.progress import Progress
from spoticell.version import __version__

LOCAL = "local"
"""Stands for a cluster of our own on this machine."""
DOING = "naming cells by a cluster"
"""What Dask is needed for."""
AHEAD, LEAST = 3, 6
"""Tasks in flight for each thread of the workers, and at least."""
RETRIES = 2
"""How often a task that failed is tried again."""
PATIENCE = 15
"""Seconds in which a scheduler must answer."""


class Crew:
    """The workers of a cluster, and what they were asked for.

    Parameters
    ----------
    client
        Of Dask, connected.
    where
        How messages call the cluster.
    threads
        How much this process may do at once; as many as it may use cores if not given.
    """

    def __init__(self, client: Any, where: str, *, threads: int | None = None) -> None:  # noqa: ANN401 - Dask's Client
        self.threads = available_cores() if threads is None else threads
        self._client, self._where, self._run = client, where, uuid4().hex
        self._vigil = Vigil(client, where)
        self._lock, self._files, self._most = threading.RLock(), list[_File](), LEAST

    def expect(self, cells: Sequence[Place | str], options: Options) -> None:
        """Have some files looked at, and then read, in this order; what is asked of them is for all the same.

        Raises
        ------
        SpoticellError
            If a worker can't do it as this process would.
        """
        orders = [order_of(one, options, run=self._run) for one in cells]
        self._check(orders[0])
        with self._lock:
            self._files += [_File(order, len(self._files) + number) for number, order in enumerate(orders)]
        self._ask()

    def take(self, cells: Place | str, options: Options) -> Errand:
        """Give what reads a file's cells; those that were expected before it aren't wanted any more."""
        with self._lock:
            wanted = place_of(cells)
            at = next((at for at, file in enumerate(self._files) if file.order.cells == wanted), None)
            gone, self._files = self._files[:at], [] if at is None else self._files[at:]
        self._drop(gone)
        if at is None:
            self.expect([cells], options)
        return Errand(self, self._files[0])

    def close(self) -> None:
        """Want nothing any more."""
        with self._lock:
            gone, self._files = self._files, []
        self._drop(gone)
        if self._client.status == "running":
            self._client.run(let_go, self._run, on_error="ignore")

    def looked(self, file: _File, on_progress: Progress | None) -> Looked:
        """Wait until a file is looked at."""
        self._ask()

        def tell_progress() -> None:
            if on_progress is not None and (told := last_said(self._client, file.topic)) is not None:
                on_progress(*told)

        looked: Looked = self._result(file.look, tell_progress)
        with self._lock:
            file.look = None
            file.plan(looked.stretches)
        return looked

    def next_of(self, file: _File) -> list[FirstBlock]:
        """Wait for the next blocks of a file."""
        self._ask(counting=True)
        with self._lock:
            coming = file.coming.popleft()
        blocks: list[FirstBlock] = self._result(coming)
        return blocks

    def _check(self, order: Order) -> None:
        found = self._client.run(fit, order, on_error="return")
        if not found:
            self._vigil.alone()
        for said in found.values():
            if said is not None:
                raise said.error if isinstance(said, Refusal) else self._in_words(said)

    def _ask(self, *, counting: bool = False) -> None:
        """Ask for what is next, as long as there is little under way."""
        if counting:
            self._most = max(LEAST, AHEAD * sum(self._client.nthreads().values()))
        with self._lock:
            under_way = 0
            for file in self._files:
                if under_way >= self._most:
                    return
                if not file.begun:
                    self._begin(file)
                under_way += (file.look is not None) + len(file.coming)
                while file.left and under_way < self._most:
                    file.coming.append(self._submit(file, read, file.order, file.lean, *file.left.popleft()))
                    under_way += 1

    def _begin(self, file: _File) -> None:
        file.begun = True
        file.look = self._submit(file, look, file.order, file.topic)
        file.lean = self._submit(file, light, file.look)
        file.extent = self._submit(file, stretches_of, file.look)
        file.extent.add_done_callback(lambda extent: self._plan(file, extent))

    def _plan(self, file: _File, extent: Any) -> None:  # noqa: ANN401 - Dask's Future
        """Settle what follows a look, as soon as it is there."""
        if extent.status != "finished":
            return  # whoever waits for the look is told why
        stretches = extent.result()
        with self._lock:
            file.plan(stretches)
        self._ask()

    def _submit(self, file: _File, work: Callable[..., Any], *given: Any) -> Any:  # noqa: ANN401 - Dask's Future
        return self._client.submit(work, *given, pure=False, retries=RETRIES, priority=-file.number)

    def _drop(self, files: Sequence[_File]) -> None:
        futures = [future for file in files for future in file.futures()]
        if futures and self._client.status == "running":
            self._client.cancel(futures)

    def _result(self, future: Any, on_look: Callable[[], None] | None = None) -> Any:  # noqa: ANN401
        self._vigil.wait(future, on_look)
        try:
            made = future.result()
        except SpoticellError:
            raise
        except Exception as error:
            raise self._in_words(error) from error
        if isinstance(made, Refusal):
            raise made.error
        return made

    def _in_words(self, error: BaseException) -> BaseException:
        distributed = _library()
        if isinstance(error, distributed.KilledWorker):
            return ConfigError(
                f"{error.allowed_failures + 1} workers of {self._where} ended while they did the same task, as they do "
                "when memory runs out. Give each more memory, or fewer threads."
            )
        if isinstance(error, distributed.client.FutureCancelledError | distributed.comm.core.CommClosedError):
            return ConfigError(f"{self._where} is gone, or was told to drop what it was asked for. Start it again.")
        if isinstance(error, ImportError | AttributeError):
            return ConfigError(
                f"a worker of {self._where} has no Spoticell {__version__} ({error}). Install the same version on "
                "all machines."
            )
        return error


class Errand:
    """Reads the cells of one file by a crew, see `away.Away`."""

    def __init__(self, crew: Crew, file: _File) -> None:
        self._crew, self._file = crew, file
        self._looked: Looked | None = None

    @property
    def threads(self) -> int:
        """How much this process may do at once."""
        return self._crew.threads

    @property
    def tissues(self) -> SampleTissues | None:
        """Those that the sample shows."""
        return self._found.tissues

    @property
    def sketch(self) -> Sketch | None:
        """Of the cells' own expression."""
        return self._found.sketch

    @property
    def mixed(self) -> MixedFinder | None:
        """Who said which cells are mixed."""
        return self._found.mixed

    def look_at(self, source: CellSource, options: Options, *, on_progress: Progress | None = None) -> Findings:
        """Find out which matrix and genes would be used, and say so."""
        self._looked = self._crew.looked(self._file, on_progress)
        tell(self._looked.findings)
        return self._looked.findings

    def blocks(self, keep: object) -> Generator[FirstBlock, None, None]:
        """Give all blocks, first to last."""
        for _ in self._found.stretches:
            yield from self._crew.next_of(self._file)

    @property
    def _found(self) -> Looked:
        if self._looked is None:
            raise RuntimeError("look_at() was not called")
        return self._looked


class _File:
    """A file, and what was asked for of it."""

    def __init__(self, order: Order, number: int) -> None:
        self.order, self.number, self.topic = order, number, f"spoticell-{uuid4().hex}"
        self.begun = False
        self.look: Any = None
        """Until it is taken."""
        self.lean: Any = None
        self.extent: Any = None
        self.left: deque[tuple[int, int]] | None = None
        """Cells that nobody was asked for yet; None while it isn't known which there are."""
        self.coming: deque[Any] = deque()
        """Blocks that were asked for, first to last."""

    def plan(self, stretches: Sequence[tuple[int, int]]) -> None:
        """Settle what is to be read, if it isn't yet."""
        if self.left is None:
            self.left = deque(stretches)

    def futures(self) -> list[Any]:
        """All that the scheduler may still work on."""
        return [future for future in (self.look, self.lean, self.extent, *self.coming) if future is not None]


@contextmanager
def crew_of(dask: Crew | str | None, *, threads: int | None = None) -> Iterator[Crew | None]:
    """Give the workers of a cluster while the block runs.

    Parameters
    ----------
    dask
        The address of its scheduler, or the file that it wrote; `LOCAL` for a cluster of our own; None for none.
    threads
        How much this process may do at once, and how many workers a cluster of our own has.

    Raises
    ------
    ConfigError
        If there is no such cluster, or no Dask.

    Examples
    --------
    >>> with crew_of(None) as crew:
    ...     print(crew)
    None
    """
    if dask is None or isinstance(dask, Crew):
        yield dask
        return
    _library()
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if dask == LOCAL:
            client, where = stack.enter_context(_own(available_cores() if threads is None else threads)), "the cluster"
        else:
            client, where = stack.enter_context(_connected(dask)), f"the cluster at {dask}"
        yield stack.enter_context(closing(Crew(client, where, threads=threads)))


def _library() -> Any:  # noqa: ANN401 - a module
    return needed("distributed", extra="cluster", doing=DOING)


@contextmanager
def _own(workers: int) -> Iterator[Any]:
    """Start a cluster of processes with one thread each, which nobody else can talk to."""
    distributed = _library()
    settings = needed("dask", extra="cluster", doing=DOING).config
    with temporary_folder() as folder, settings.set({"temporary-directory": str(folder)}):
        with _deaf():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                # certificates of this run alone: a port of this machine is open to all who have an account on it
                security=distributed.Security.temporary(),
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
                memory_limit=None,
            )
        with cluster, distributed.Client(cluster) as client:
            yield client


@contextmanager
def _deaf() -> Iterator[None]:
    """Have threads and processes that are started now never hear of Ctrl-C; this thread hears of it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Python's helper for new processes, which when it is started lets the signal through again
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Connect to a scheduler."""
    at = {"scheduler_file": address} if Path(address).is_file() else {"address": address.strip() or "tcp://"}
    try:
        client = _library().Client(**at, timeout=PATIENCE)
    except (OSError, ValueError, TypeError, KeyError, AssertionError) as error:
        raise ConfigError(
            f"no Dask scheduler answers at {address!r} ({error}). Give the address that it printed, such as "
            f"tcp://10.0.0.1:8786, the file that it wrote, or {LOCAL!r} for workers of this machine."
        ) from error
    with client:
        yield client


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what Dask logs off the terminal: what goes wrong is said in our words."""
    logs = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)
