"""Reference cells out of labelled files: fingerprints, and what the files say of each cell.

Fingerprints are taken from a file that was annotated with the same bundle, or else made of its counts.
Axes: ``n`` cells, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.labels import NAME, Labelling, read_labels
from spoticell.biology.ontology import load_ontology
from spoticell.errors import SearchError, SpoticellError, note
from spoticell.index import COLUMNS, ReferenceCells
from spoticell.io import BLOCK, Cells, CellSource, open_source
from spoticell.io.address import Place, place_in
from spoticell.io.aligned import taken
from spoticell.io.findings import inspect
from spoticell.io.fingerprints import stored_fingerprints
from spoticell.io.in_order import in_order
from spoticell.io.source import CellBlock
from spoticell.keys import DONOR, LABEL
from spoticell.model.bundle import Bundle
from spoticell.progress import Progress

if TYPE_CHECKING:
    from spoticell.model.runtime import Runtime

COLUMN_OF = {
    "dataset": "dataset_id",
    "donor": DONOR,
    "tissue": "tissue",
    "disease": "disease",
    "assay": "assay",
    "study": "study",
    "url": "url",
}
"""The column of ``obs`` for each thing that an index knows of a cell, as in the CELLxGENE schema where that has it."""

READ = 90
"""Percent of the time after which the cells are read and only need to be put in order."""


@dataclass
class Intake:
    """What came of reading references."""

    cells: int = 0
    """Taken in."""
    unlabelled: int = 0
    """Left out, or taken in without a type: cells without a label that is understood."""
    empty: int = 0
    """Left out: cells without a count in known genes."""
    unresolved: dict[str, int] = field(default_factory=dict)
    """Labels that aren't understood, with their cells."""


class Fingerprinter:
    """Gives the fingerprints of a source's cells; the bundle's network is loaded when it is first needed.

    Parameters
    ----------
    bundle
        Whose fingerprints.
    threads
        How many threads its network may use; all cores that the process may use if not given.
    layer, gene_column
        As for `inspect`; where either is given, fingerprints that a file holds aren't believed.
    """

    def __init__(
        self, bundle: Bundle, threads: int | None = None, *, layer: str | None = None, gene_column: str | None = None
    ) -> None:
        self.bundle, self._threads = bundle, threads
        self._layer, self._gene_column = layer, gene_column
        self._runtime: Runtime | None = None

    def blocks(self, source: CellSource) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Give position and fingerprints of consecutive cells, some at a time; zero where a cell is empty."""
        size = self.bundle.manifest.fingerprint_size
        named = self._layer is not None or self._gene_column is not None
        stored = None if named else stored_fingerprints(source, bundle_sha256=self.bundle.sha256, size=size)
        if stored is not None:
            for start in range(0, source.n_cells, BLOCK):
                yield start, stored.read(start, start + BLOCK)
            return
        findings = inspect(
            source,
            self.bundle.vocabulary,
            layer=self._layer,
            gene_column=self._gene_column,
            threads=self._threads,
        )
        for warning in findings.warnings:
            note(f"{source.name}: {warning}")
        runtime = self._opened()

        def look(cells: CellBlock) -> tuple[int, NDArray[np.float32]]:
            said = runtime.predict(taken(cells.values_nv, findings), findings.match.measured_g)
            return cells.start, said.fingerprint_nd

        yield from in_order(look, source.blocks(findings.matrix), threads=runtime.threads)

    def _opened(self) -> Runtime:
        if self._runtime is None:
            from spoticell.model.runtime import Runtime  # noqa: PLC0415 - slow to load, and stored ones do without

            self._runtime = Runtime(self.bundle, threads=self._threads)
        return self._runtime


class Reader:
    """Reads references one file after the other, and counts what it leaves out.

    Parameters
    ----------
    references
        Files, or AnnData objects.
    fingerprinter
        Gives their fingerprints.
    facts
        What holds for all cells of which a file doesn't say it.
    unlabelled
        Whether to take in cells without a label too.
    labelling
        What the user says of the labels.
    on_progress
        Called with the steps done and the steps there are.

    Raises
    ------
    SearchError
        If a fact is of a kind that an index doesn't hold.
    """

    def __init__(
        self,
        references: Sequence[Cells],
        fingerprinter: Fingerprinter,
        facts: Mapping[str, str],
        *,
        unlabelled: bool,
        labelling: Labelling,
        on_progress: Progress | None,
    ) -> None:
        if strange := facts.keys() - COLUMN_OF.keys():
            raise SearchError(f"an index doesn't hold {min(strange)!r} of a cell; it holds {', '.join(COLUMN_OF)}.")
        self.references, self.facts, self.unlabelled, self.on_progress = references, facts, unlabelled, on_progress
        self.fingerprinter, self.labelling = fingerprinter, labelling
        self.intake = Intake()

    def blocks(self) -> Iterator[ReferenceCells]:
        """Give the cells, some at a time."""
        for number, cells in enumerate(self.references):
            path = place_in(cells)
            with _noting(path), open_source(cells) as source:
                yield from self._read(source, path or Path(source.name), number)

    def _read(self, source: CellSource, path: Place, number: int) -> Iterator[ReferenceCells]:
        table, keep_n = self._known(source, path)
        names = source.cell_names
        for start, fingerprint_nd in self.fingerprinter.blocks(source):
            stop = start + len(fingerprint_nd)
            full_n = fingerprint_nd.any(axis=1)
            self.intake.empty += int((keep_n[start:stop] & ~full_n).sum())
            kept = np.flatnonzero(keep_n[start:stop] & full_n)
            self.intake.cells += len(kept)
            yield ReferenceCells(fingerprint_nd[kept], names[start + kept].tolist(), table.iloc[start + kept])
            if self.on_progress is not None:
                done = (number + stop / source.n_cells) / len(self.references)
                self.on_progress(round(done * READ * 100), 100 * 100)

    def _known(self, source: CellSource, path: Place) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
        """Give what is known of each cell, and which cells to take in."""
        obs = source.obs()
        labels = read_labels(obs, name=path.name, labelling=self.labelling)
        if not (self.unlabelled or self.labelling.partial):
            labels.check(name=path.name)
        if remark := labels.remark():
            note(f"{path.name}: {remark}")
        labelled_n = labels.term_n != ""
        self.intake.unlabelled += int((~labelled_n).sum())
        for text, cells in labels.unresolved.items():
            self.intake.unresolved[text] = self.intake.unresolved.get(text, 0) + cells
        ontology = load_ontology()
        named = {term: ontology.name(term) for term in set(labels.term_n) if term}
        own = NAME if labels.column == LABEL else labels.column
        columns = {"term": labels.term_n, "cell_type": _words(obs, own)}
        columns["cell_type"] = np.where(
            columns["cell_type"] == "", [named.get(term, "") for term in labels.term_n], columns["cell_type"]
        )
        for name, column in COLUMN_OF.items():
            words_n = _words(obs, column)
            default = self.facts.get(name, path.stem if name == "dataset" else "")
            columns[name] = np.where(words_n == "", default, words_n)
        table = pd.DataFrame({name: pd.Categorical(columns[name]) for name in COLUMNS})
        return table, labelled_n | self.unlabelled


def _words(obs: pd.DataFrame, column: str) -> NDArray[np.object_]:
    if column not in obs:
        return np.full(len(obs), "", dtype=object)
    words = obs[column].astype(object)
    return words.where(words.notna(), "").astype(str).str.strip().to_numpy(dtype=object)


@contextmanager
def _noting(path: Place | None) -> Iterator[None]:
    try:
        yield
    except SpoticellError as error:
        error.add_note(f"while reading {path or 'an AnnData object'} for the index")
        raise
