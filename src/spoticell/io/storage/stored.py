"""A source whose names are in memory and whose matrices lie in a file: 10x, loom, mtx, tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.source import BLOCK, CellBlock, CellSource
from spoticell.io.storage.matrix import StoredMatrix
from spoticell.io.storage.tree import text


def _nothing() -> None:
    return None


class StoredSource(CellSource):
    """Cells of a file whose matrices all have the same genes.

    Parameters
    ----------
    name
        How messages call the file.
    format
        The kind of file, in plain words.
    matrices
        Matrices by name, likeliest counts first.
    cells
        Names of the cells.
    genes
        Columns of gene names, with one called ``index``.
    obs
        Columns about cells.
    warnings
        Sentences for the owner of the file.
    release
        Called when the source is closed.

    Raises
    ------
    FileFormatError
        If names and matrices differ in length, or there are no genes.
    """

    def __init__(
        self,
        name: str,
        *,
        format: str,  # noqa: A002 - the name of the attribute
        matrices: Mapping[str, StoredMatrix],
        cells: Sequence[object] | NDArray[np.object_],
        genes: Mapping[str, NDArray[np.object_]],
        obs: Mapping[str, NDArray[np.object_]] | None = None,
        warnings: Sequence[str] = (),
        release: Callable[[], None] = _nothing,
    ) -> None:
        self.name, self.format, self.warnings = name, format, tuple(warnings)
        self.cell_names = pd.Index(text(np.array(cells, dtype=object)), dtype=object)
        self.n_cells = len(self.cell_names)
        self.matrices = tuple(matrices)
        self._stored, self._genes, self._obs, self._release = dict(matrices), dict(genes), dict(obs or {}), release
        self._check()

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Columns of gene names, the same for every matrix."""
        if matrix not in self._stored:
            raise KeyError(matrix)
        return self._genes

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream ``matrix`` from first cell to last."""
        stored = self._stored[matrix]
        stored.threads = self.threads
        return stored.blocks(size)

    def reads_anywhere(self, matrix: str) -> bool:
        """Whether ``matrix`` is stored by cell."""
        return self._stored[matrix].by_cell

    def between(self, matrix: str, start: int, stop: int, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream some of the blocks of ``matrix``."""
        return self._stored[matrix].between(start, stop, size)

    def obs(self) -> pd.DataFrame:
        """Give the columns about cells."""
        columns = {name: pd.Series(values, index=self.cell_names, dtype=object) for name, values in self._obs.items()}
        return pd.DataFrame(columns, index=self.cell_names)

    def close(self) -> None:
        """Let go of the file and of what was kept on disk."""
        for stored in self._stored.values():
            stored.close()
        self._release()
        super().close()

    def _check(self) -> None:
        n_genes = len(self._genes["index"])
        if n_genes == 0:
            raise FileFormatError(f"{self.name} has no genes.")
        for label, stored in self._stored.items():
            if stored.shape != (self.n_cells, n_genes):
                raise FileFormatError(
                    f"{self.name}: '{label}' is {stored.shape[0]} cells x {stored.shape[1]} genes, but {self.n_cells} "
                    f"cells and {n_genes} genes are named. Get a fresh copy or write the file again."
                )
