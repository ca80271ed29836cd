"""What every kind of source gives a corpus: a table about its cells first, then their counts in blocks.

Axes: ``n`` cells of the source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.corpus.block import LabelledBlock
from spoticell.progress import Progress


@dataclass(frozen=True)
class CellTable:
    """What a source says of its cells, and which of them are wanted."""

    cells: pd.DataFrame
    """A row a cell, the columns `CELL_COLUMNS` as categoricals; the label is missing where a cell has none."""
    keep_n: NDArray[np.bool_]
    """Cells that have a label and pass the filters."""
    left_out: dict[str, int]
    """Other cells, by reason; only reasons that occur.  Each cell is counted once, by the first that holds."""
    unresolved: dict[str, int]
    """Labels that aren't in the Cell Ontology, with the cells left out for it; commonest first."""

    def __len__(self) -> int:
        return len(self.keep_n)


@dataclass(frozen=True)
class Sample:
    """What some cells of a source tell about size and time of the whole."""

    cells: int
    nonzeros: int
    """Counts above zero that these cells have in the vocabulary's genes."""
    seconds: float
    """Time to read and align them."""


class CorpusSource(ABC):
    """A source of a recipe; holds nothing open between calls.

    Counts are aligned to the packaged vocabulary.  What is given depends on the source alone, so that a run that
    was stopped and taken up again gives what an uninterrupted one does.
    """

    name: str
    """How the store and reports call it; different from that of any other source of the recipe."""

    @property
    def is_here(self) -> bool:
        """Whether it can be read without fetching it first."""
        return True

    @property
    def cells_stated(self) -> int | None:
        """How many cells the recipe says there are; None where it doesn't."""
        return None

    def fetch(self, *, on_progress: Progress | None = None) -> None:  # noqa: B027 - most sources need not be fetched
        """Bring it here if it isn't."""

    @abstractmethod
    def table(self) -> CellTable:
        """Read what the source says of its cells; no counts are read."""

    @abstractmethod
    def sample(self, table: CellTable) -> Sample:
        """Read one block of the cells to keep."""

    @abstractmethod
    def blocks(
        self, table: CellTable, *, start: int = 0, on_progress: Progress | None = None
    ) -> Iterator[LabelledBlock]:
        """Stream the cells to keep.

        Parameters
        ----------
        table
            From `table`, with what is to be kept in the end.
        start
            Row of the source to begin with.
        on_progress
            Called with the rows done and the rows there are.
        """

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Say where the cells are from, as plain values for the store's manifest: no times, no paths of a machine."""

    def releases(self) -> dict[str, str]:
        """Give the day on which each data set came out, as ``2025-11-08``, where the source knows it."""
        return {}
