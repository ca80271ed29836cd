"""A SOMA experiment, or the human cells of a Census, as a source of a corpus.

The table about cells is read with the recipe's filter, so only cells that pass it are rows of the source; they stand
in the order of their join ids.  Counts are read for cells that are kept, and for no others.
Axes: ``n`` cells that pass the filter, ``k`` cells of a block, ``g`` genes of the vocabulary.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.columns import renamed
from spoticell.biology.genes import GeneMatch, align_counts, load_vocabulary, match_genes
from spoticell.biology.labels import NAME
from spoticell.corpus.block import ASSAY, CELL_COLUMNS, DATASET, DISEASE, TISSUE, LabelledBlock
from spoticell.corpus.recipe.parts import SomaSource, Source
from spoticell.corpus.sources.source import CellTable, CorpusSource, Sample
from spoticell.corpus.sources.table import tabulate
from spoticell.corpus.sources.tiledb import explained, gene_columns, open_soma, read_counts, read_words
from spoticell.errors import FileFormatError
from spoticell.keys import DONOR, LABEL
from spoticell.progress import Progress

BLOCK = 2048
"""Cells whose counts are read at once."""


@dataclass(frozen=True)
class Opened:
    """An experiment that is open."""

    experiment: Any
    measured: Any = None
    """Open matrix of the genes that each data set measures, data sets by genes; None where there is none."""
    row_of: Mapping[str, int] | None = None
    """Row of each data set in that matrix."""
    studies: Mapping[str, str] | None = None
    """Study that a data set belongs to; donors of one name in a study are one person."""


class SomaCells(CorpusSource):
    """Cells of a SOMA experiment.

    Parameters
    ----------
    asked
        What the recipe says of the source.
    name
        How the store calls it.
    value_filter
        Which cells to read, in the words of SOMA; all if not given.
    measurement, layer
        Where the counts are.
    """

    def __init__(
        self, asked: Source, *, name: str, value_filter: str | None, measurement: str = "RNA", layer: str = "raw"
    ) -> None:
        self.name, self._asked, self._filter = name, asked, value_filter
        self._measurement, self._layer = measurement, layer

    @abstractmethod
    def open(self) -> AbstractContextManager[Opened]:
        """Open the experiment for as long as the context lasts."""

    def table(self) -> CellTable:
        """Read what the experiment says of its cells, with their join ids as index; no counts are read."""
        with self.open() as opened:
            obs = opened.experiment.obs
            columns = [column for column in self._wanted() if column in obs.schema.names]
            words = read_words(obs, columns, self._filter)
            if words.empty:
                which = f"passes the filter {self._filter!r}" if self._filter else "is in it"
                raise FileFormatError(f"{self.name}: no cell {which}. Give another filter.")
            table = tabulate(words, self._asked, name=self.name, studies=_studies(words, opened.studies))
            return replace(table, cells=table.cells.set_axis(words.index))

    def sample(self, table: CellTable) -> Sample:
        """Read one block of the cells to keep."""
        began = time.perf_counter()
        block = next(self.blocks(table), None)
        seconds = time.perf_counter() - began
        return Sample(0, 0, seconds) if block is None else Sample(len(block), block.counts_kg.nnz, seconds)

    def blocks(
        self, table: CellTable, *, start: int = 0, on_progress: Progress | None = None
    ) -> Iterator[LabelledBlock]:
        """Stream the cells to keep, in the order of their join ids."""
        row_k = start + np.flatnonzero(table.keep_n[start:])
        if not len(row_k):
            return
        with self.open() as opened:
            reader = _Reader(opened, self._measurement, self._layer, self.name)
            for top in range(0, len(row_k), BLOCK):
                rows = row_k[top : top + BLOCK]
                stop = int(rows[-1]) + 1 if top + BLOCK < len(row_k) else len(table)
                yield reader.block(table.cells.iloc[rows], rows, stop)
                if on_progress is not None:
                    on_progress(stop, len(table))

    def facts(self) -> dict[str, Any]:
        """Say how many cells the experiment has, and which were asked for."""
        with self.open() as opened:
            return {
                "kind": "soma",
                "cells_before_filter": int(opened.experiment.obs.count),
                "value_filter": self._filter,
                "measurement": self._measurement,
                "layer": self._layer,
            }

    def _wanted(self) -> list[str]:
        """Columns about cells that are needed: those of the schema, and those that the recipe names."""
        asked = self._asked
        facts = (asked.label, asked.donor, asked.dataset, asked.assay, asked.tissue, asked.disease)
        named = [fact.column for fact in facts if fact is not None and fact.column is not None]
        schema = (LABEL, NAME, DATASET, DONOR, ASSAY, TISSUE, DISEASE)
        return list(dict.fromkeys([*schema, *named, *asked.where, *asked.where_not]))


class ExperimentCells(SomaCells):
    """Cells of an experiment at a folder or address.

    Parameters
    ----------
    asked
        What the recipe says of it.
    address
        Where it is.
    name
        How the store calls it.

    Raises
    ------
    FileFormatError
        When it is read, if there is no experiment, or it lacks what is asked for.
    """

    def __init__(self, asked: SomaSource, address: Path | str, *, name: str) -> None:
        super().__init__(
            asked, name=name, value_filter=asked.value_filter, measurement=asked.measurement, layer=asked.layer
        )
        self._address = str(address)

    @contextmanager
    def open(self) -> Iterator[Opened]:
        """Open the experiment."""
        with ExitStack() as stack, explained(self._address):
            experiment = stack.enter_context(open_soma(self._address))
            if experiment.soma_type != "SOMAExperiment":
                raise FileFormatError(
                    f"{self._address} is a {experiment.soma_type}; an experiment is needed "
                    "(for a Census, say 'census' and 'uri' in the recipe)."
                )
            yield Opened(experiment)


class _Reader:
    """Reads blocks of an open experiment."""

    def __init__(self, opened: Opened, measurement: str, layer: str, name: str) -> None:
        self._opened, self._name = opened, name
        rna = _member(opened.experiment.ms, measurement, f"{name}: the experiment has no measurement")
        self._layer = _member(rna.X, layer, f"{name}: the measurement {measurement!r} has no layer")
        self._match: GeneMatch = match_genes({name: list(names) for name, names in gene_columns(rna.var).items()})
        self._measured: dict[str, NDArray[np.bool_]] = {}

    def block(self, cells: pd.DataFrame, row_k: NDArray[np.int64], stop: int) -> LabelledBlock:
        """Read the counts of some cells, whose join ids are the table's index."""
        counts_kg: sparse.csr_array = align_counts(read_counts(self._layer, cells.index.to_numpy()), self._match)
        text = pd.DataFrame({column: cells[column].astype(object) for column in CELL_COLUMNS})
        text.index = cells.index.astype(str)
        measured = {dataset: self._measured_by(dataset) for dataset in sorted(text[DATASET].unique())}
        return LabelledBlock(counts_kg, text, row_k, stop, measured)

    def _measured_by(self, dataset: str) -> NDArray[np.bool_]:
        """Which genes of the vocabulary a data set measures."""
        if self._opened.measured is None or self._opened.row_of is None:
            return self._match.measured_g
        if dataset not in self._measured:
            self._measured[dataset] = self._read_measured(dataset, self._opened.row_of)
        return self._measured[dataset]

    def _read_measured(self, dataset: str, row_of: Mapping[str, int]) -> NDArray[np.bool_]:
        tables = self._opened.measured.read(([row_of[dataset]], slice(None))).tables() if dataset in row_of else ()
        target = [
            self._match.target_v[table.column("soma_dim_1").to_numpy()[table.column("soma_data").to_numpy() != 0]]
            for table in tables
        ]
        measured_g = np.zeros(len(load_vocabulary()), dtype=np.bool_)
        for target_v in target:
            measured_g[target_v[target_v >= 0]] = True
        if not measured_g.any():
            raise FileFormatError(f"{self._name} doesn't say which genes its data set {dataset!r} measures.")
        return measured_g


def _studies(words: pd.DataFrame, study_of: Mapping[str, str] | None) -> pd.Categorical | None:
    """Give the study of each cell, its data set where that belongs to none; None where no study is known at all."""
    if study_of is None or DATASET not in words:
        return None
    return renamed(words[DATASET].array, lambda dataset: study_of.get(dataset) or dataset)


def _member(collection: Any, name: str, without: str) -> Any:  # noqa: ANN401
    if name not in collection:
        raise FileFormatError(f"{without} {name!r}; it has {', '.join(repr(key) for key in collection) or 'none'}.")
    return collection[name]
