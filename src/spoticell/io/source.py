"""What every reader gives: cells in blocks, with the names of genes and cells.

A source knows nothing of biology.  It says which matrices a file holds, which columns
could be gene names, and streams a matrix in blocks of rows.
Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

BLOCK = 2048
"""Cells in a block, unless told otherwise."""


@dataclass(frozen=True)
class CellBlock:
    """Some consecutive cells of a matrix, as stored in the file: nothing is normalised or repaired."""

    start: int
    """Position of the block's first cell in the file."""
    values_nv: sparse.csr_array
    """Float32, canonical (sorted, no repeats, no explicit zeros); NaN and negatives are passed on."""

    def __len__(self) -> int:
        return int(self.values_nv.shape[0])


def between(blocks: Iterable[CellBlock], start: int, stop: int) -> Iterator[CellBlock]:
    """Give those blocks, from first cell to last, that begin from ``start`` on and before ``stop``.

    Examples
    --------
    >>> blocks = [CellBlock(start, sparse.csr_array((2, 3))) for start in (0, 2, 4)]
    >>> [block.start for block in between(blocks, 2, 4)]
    [2]
    """
    for block in blocks:
        if block.start >= start:
            yield block
        if block.start + len(block) >= stop:
            return


class CellSource(ABC):
    """An open file of cells; a context manager."""

    name: str
    """How messages call it: the file's name, or ``AnnData``."""
    format: str
    """Plain words: ``h5ad``, ``10x h5``, ``10x folder``, ``csv``..."""
    n_cells: int
    cell_names: pd.Index
    """Length ``n``, strings, in file order; repeats are kept."""
    matrices: tuple[str, ...]
    """Names of the matrices, likeliest counts first: ``layers/counts``, ``raw/X``, ``X``..."""
    others: tuple[str, ...] = ()
    """Matrices that are read only if a user names them: ``layers/unspliced``..."""
    warnings: tuple[str, ...] = ()
    """Sentences about the file that its owner should read (dropped antibody rows, transposed table...)."""
    threads: int = 1
    """How much of what is read may be unpacked at once; whoever reads sets it."""
    unpacked: ExitStack | None = None
    """What a packed file was unpacked to."""
    inner: Path | None = None
    """The file or folder that is read, if it was unpacked."""

    @abstractmethod
    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Every column that could name the genes of ``matrix``: its index as ``index``, then string columns of var."""

    @abstractmethod
    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream ``matrix`` from first cell to last; can be called again."""

    def reads_anywhere(self, matrix: str) -> bool:
        """Whether cells of ``matrix`` can be read without those before them."""
        return False

    def between(self, matrix: str, start: int, stop: int, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream those blocks of `blocks` that begin from ``start`` on and before ``stop``."""
        return between(self.blocks(matrix, size=size), start, stop)

    def n_stored(self, matrix: str) -> int | None:
        """Give how many numbers are stored of ``matrix``, None where reading it is the only way to know."""
        return None

    @abstractmethod
    def obs(self) -> pd.DataFrame:
        """Give the table about cells (may have no columns), index ``cell_names``."""

    def notes(self, matrix: str) -> tuple[str, ...]:
        """Sentences about ``matrix`` and its file that their owner should read."""
        return self.warnings

    def close(self) -> None:
        """Let go of the file, and remove what was unpacked of it."""
        if self.unpacked is not None:
            self.unpacked.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
