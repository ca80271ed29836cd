"""What a recipe would give, told before anything is written: cells, types, size and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spoticell.corpus.recipe.recipe import Recipe
from spoticell.corpus.sources.source import CellTable, CorpusSource, Sample
from spoticell.corpus.summary import FILL_IN
from spoticell.corpus.survey import judged, type_counts
from spoticell.progress import Progress, part

BYTES_PER_NONZERO = 1.0
"""Of a store; from 0.9 in deep cells to 1.2 in shallow ones and small shards."""

SECONDS_PER_NONZERO = 2e-8
"""To pack it, on one core."""

COMMONEST = 5
"""Labels that are named where some aren't understood."""

TYPICAL = Sample(cells=1, nonzeros=2000, seconds=3e-4)
"""What a cell takes that nobody has looked at."""


@dataclass(frozen=True)
class PlannedSource:
    """What a source would give."""

    name: str
    is_here: bool
    """Whether it was looked at; if not, it must be fetched first, and ``cells`` are those that the recipe states."""
    rows: int
    """0 where nobody knows."""
    cells: int
    left_out: dict[str, int]
    unresolved: dict[str, int]
    """Labels that aren't understood, with their cells."""
    bytes: int
    """Of the store, about."""
    seconds: float
    """To read and write them, about; fetching not counted."""


@dataclass(frozen=True)
class Plan:
    """What a recipe would give."""

    sources: tuple[PlannedSource, ...]
    types: dict[str, int]
    """Cells of each term in the sources that were looked at."""

    @property
    def cells(self) -> int:
        """Cells in all, at most where some sources are still to be fetched."""
        return sum(source.cells for source in self.sources)

    @property
    def bytes(self) -> int:
        """Size of the store, about."""
        return sum(source.bytes for source in self.sources)

    def remarks(self) -> list[str]:
        """Give what should be known besides the figures: labels that aren't understood."""
        lost = sorted(
            ((cells, label) for source in self.sources for label, cells in source.unresolved.items()), reverse=True
        )
        some = ", ".join(f"{label!r} ({cells:,})" for cells, label in lost[:COMMONEST])
        return [f"labels that are not understood: {len(lost):,}, the commonest {some}; {FILL_IN}"] if lost else []

    @property
    def seconds(self) -> float:
        """Time that it takes, about; fetching not counted."""
        return sum(source.seconds for source in self.sources)


def plan(recipe: Recipe, sources: Sequence[CorpusSource], *, on_progress: Progress | None = None) -> Plan:
    """Look at the tables of all sources that are here, and at one block of each; nothing is fetched or written.

    Parameters
    ----------
    recipe
        What is wanted.
    sources
        The recipe's, from `spoticell.corpus.sources.opening.open_sources`.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SpoticellError
        If a source can't be read.
    """
    here = [source for source in sources if source.is_here]
    tables = judged([source.table() for source in here], recipe.keep)
    table_of = dict(zip([source.name for source in here], tables, strict=True))
    planned = []
    for position, source in enumerate(sources):
        planned.append(_of_source(source, table_of[source.name]) if source.is_here else _unseen(source))
        part(on_progress, position, len(sources))(1, 1)
    return Plan(tuple(planned), type_counts(tables))


def _of_source(source: CorpusSource, table: CellTable) -> PlannedSource:
    cells = int(table.keep_n.sum())
    seen = source.sample(table) if cells else Sample(1, 0, 0)
    return PlannedSource(
        name=source.name,
        is_here=True,
        rows=len(table),
        cells=cells,
        left_out=table.left_out,
        unresolved=table.unresolved,
        bytes=_size(seen, cells),
        seconds=_time(seen, rows=len(table), cells=cells),
    )


def _unseen(source: CorpusSource) -> PlannedSource:
    cells = source.cells_stated or 0
    return PlannedSource(
        name=source.name,
        is_here=False,
        rows=cells,
        cells=cells,
        left_out={},
        unresolved={},
        bytes=_size(TYPICAL, cells),
        seconds=_time(TYPICAL, rows=cells, cells=cells),
    )


def _size(seen: Sample, cells: int) -> int:
    return round(cells * seen.nonzeros / max(seen.cells, 1) * BYTES_PER_NONZERO)


def _time(seen: Sample, *, rows: int, cells: int) -> float:
    per_cell = max(seen.cells, 1)
    return rows * seen.seconds / per_cell + cells * seen.nonzeros / per_cell * SECONDS_PER_NONZERO
