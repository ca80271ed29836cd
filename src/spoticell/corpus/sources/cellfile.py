"""A file of cells as a source of a corpus, on this disk or to be fetched first.

Axes: ``n`` cells of the file, ``k`` cells that are kept, ``g`` genes of the vocabulary.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.counts import CountsVerdict, Kind
from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.block import DATASET, LabelledBlock
from spoticell.corpus.recipe.parts import Source
from spoticell.corpus.sources.source import CellTable, CorpusSource, Sample
from spoticell.corpus.sources.table import tabulate
from spoticell.errors import SpoticellError
from spoticell.io import BLOCK, CellBlock, CellSource, open_cells
from spoticell.io.aligned import kept_counts
from spoticell.io.findings import Findings, inspect
from spoticell.io.sealed import record_of
from spoticell.progress import Progress, part


class FileCells(CorpusSource):
    """Cells of a file or folder in any format that `spoticell.io.open_cells` reads.

    The file is read twice: to find out what its numbers are, and for the counts.  Cells without a count in known
    genes are left out.

    Parameters
    ----------
    path
        The file.
    asked
        What the recipe says of it.
    name
        How the store calls it.
    """

    def __init__(self, path: Path, asked: Source, *, name: str) -> None:
        self.path, self.asked, self.name = path, asked, name
        self._findings: Findings | None = None

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Size and sha256 of the file; nothing for a folder."""
        if not self.path.is_file():
            return {}
        record = record_of(self.path)
        return {"bytes": record.bytes, "sha256": record.sha256}

    def table(self) -> CellTable:
        """Read what the file says of its cells."""
        with self._opened() as source:
            return tabulate(source.obs(), self.asked, name=self.name)

    def sample(self, table: CellTable) -> Sample:
        """Read the first block of the file, and look at the numbers in it."""
        with self._opened() as source:
            first = _FirstBlock(source)
            inspect(first, load_vocabulary())  # what is done once in a process shall not count for every block
            begun = time.perf_counter()
            findings = inspect(first, load_vocabulary())
            every_n = np.ones(first.n_cells, dtype=np.bool_)
            (_, _, counts_kg), *_ = kept_counts(first, findings, every_n)
            return Sample(first.n_cells, int(counts_kg.nnz), time.perf_counter() - begun)

    def blocks(
        self, table: CellTable, *, start: int = 0, on_progress: Progress | None = None
    ) -> Iterator[LabelledBlock]:
        """Stream the cells to keep from a row on; rows before it are read too, but not given."""
        if not table.keep_n.any():
            return
        with self._opened() as source:
            findings = self._findings = inspect(source, load_vocabulary(), on_progress=part(on_progress, 0, 2))
            keep_n = table.keep_n & (np.arange(len(table)) >= start)
            for stop, row_k, counts_kg in kept_counts(source, findings, keep_n, on_progress=part(on_progress, 1, 2)):
                yield self._block(table, source.cell_names, findings, (stop, row_k, counts_kg))

    def facts(self) -> dict[str, Any]:
        """Say which file it was, and what its numbers are."""
        facts: dict[str, Any] = {"kind": "file", "file": self.path.name, **self.identity}
        if self._findings is not None:
            found = self._findings
            facts |= {"format": found.format, "counts": f"{found.matrix}: {found.verdict.kind}"}
            facts |= {"genes": found.match.n_found, "notes": [*found.warnings, *_rounding(found.verdict)]}
        return facts

    def _block(
        self,
        table: CellTable,
        names: pd.Index,
        findings: Findings,
        read: tuple[int, NDArray[np.int64], sparse.csr_array],
    ) -> LabelledBlock:
        stop, row_k, counts_kg = read
        counts_kg = whole(counts_kg, findings.verdict)
        full_k = np.diff(counts_kg.indptr) > 0
        row_k, counts_kg = row_k[full_k], sparse.csr_array(counts_kg[full_k])
        cells = table.cells.iloc[row_k].astype(object).set_index(names[row_k])
        measured = dict.fromkeys(cells[DATASET].unique(), findings.match.measured_g)
        return LabelledBlock(counts_kg, cells, row_k, stop, measured)

    @contextmanager
    def _opened(self) -> Iterator[CellSource]:
        try:
            with open_cells(self.path) as source:
                yield source
        except SpoticellError as error:
            error.add_note(f"while reading the source {self.name!r} of the recipe")
            raise


class _FirstBlock(CellSource):
    """The first block of another source, as if there were no more."""

    def __init__(self, source: CellSource) -> None:
        self._source = source
        self.name, self.format, self.matrices = source.name, source.format, source.matrices
        self.n_cells = min(source.n_cells, BLOCK)
        self.cell_names = source.cell_names[: self.n_cells]

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        return self._source.gene_columns(matrix)

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        yield next(iter(self._source.blocks(matrix, size=size)))

    def obs(self) -> pd.DataFrame:
        return self._source.obs().iloc[: self.n_cells]


def whole(counts_kg: sparse.csr_array, verdict: CountsVerdict) -> sparse.csr_array:
    """Give counts as whole numbers.

    What is nearly a count (reads shared between genes, counts corrected for ambient RNA) is rounded, and what is less
    than a half of one is nothing.  Where only proportions can be had, the number of counts is estimated, and a gene
    that was seen keeps a count of at least 1.
    """
    if verdict.plain:
        return counts_kg
    least = 0 if verdict.recovers == "counts" or verdict.kind is Kind.NEAR_COUNTS else 1
    rounded_kg = counts_kg.copy()
    rounded_kg.data = np.maximum(np.rint(counts_kg.data), least).astype(np.float32)
    rounded_kg.eliminate_zeros()
    return rounded_kg


def _rounding(verdict: CountsVerdict) -> list[str]:
    return [] if verdict.recovers == "counts" else ["its numbers are no whole counts and were rounded."]
