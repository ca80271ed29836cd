"""Labelled cells for training: a folder of data sets, aligned to one vocabulary.

Axes: ``n`` cells, ``g`` genes, ``s`` data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.columns import constant, filled, renamed, words
from spoticell.biology.everyday import read_name
from spoticell.biology.genes import Vocabulary
from spoticell.errors import SpoticellError, TrainingError, note
from spoticell.io import open_cells
from spoticell.io.aligned import read_counts
from spoticell.io.findings import inspect
from spoticell.keys import DONOR, LABEL


@dataclass(frozen=True)
class LabelledCells:
    """Cells of several data sets, each with a Cell Ontology term."""

    counts_ng: sparse.csr_array
    """Counts in the vocabulary's order, float32."""
    label_n: NDArray[np.object_]
    """Cell Ontology term of each cell."""
    dataset_n: NDArray[np.intp]
    """Position of each cell's data set in ``datasets``."""
    donor_n: NDArray[np.object_]
    """Donor of each cell, '' where not known."""
    datasets: tuple[str, ...]
    measured_sg: NDArray[np.bool_]
    """Which genes each data set measures."""

    def __len__(self) -> int:
        return len(self.label_n)

    @property
    def counts_n(self) -> NDArray[np.float64]:
        """Counts of each cell in the vocabulary's genes."""
        return np.asarray(self.counts_ng.sum(axis=1), dtype=np.float64)

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> LabelledCells:
        """Give some of the cells; the list of data sets stays as it is."""
        return LabelledCells(
            sparse.csr_array(self.counts_ng[chosen]),
            self.label_n[chosen],
            self.dataset_n[chosen],
            self.donor_n[chosen],
            self.datasets,
            self.measured_sg,
        )


def read_labelled(folder: Path, vocabulary: Vocabulary) -> LabelledCells:
    """Read every file of cells in a folder and keep the cells that have a label.

    Parameters
    ----------
    folder
        Holds files that :func:`spoticell.io.open_cells` reads, with Cell Ontology terms in the column
        ``cell_type_ontology_term_id`` and, if known, donors in ``donor_id``.
    vocabulary
        The genes to align to.

    Raises
    ------
    TrainingError
        If the folder holds no file of cells, or no cell has a label of the Cell Ontology.
    """
    paths = sorted(path for path in folder.glob("*.h5ad") if path.is_file()) if folder.is_dir() else []
    if not paths:
        raise TrainingError(f"{folder} holds no .h5ad file; give a folder of labelled data sets.")
    parts = [part for path in paths if (part := _read_one(path, vocabulary)) is not None]
    if not parts:
        raise TrainingError(
            f"No cell in {folder} has a label; Cell Ontology terms such as 'CL:0000084' are needed in obs[{LABEL!r}]."
        )
    names, counts, labels, donors, measured = zip(*parts, strict=True)
    return LabelledCells(
        counts_ng=sparse.csr_array(sparse.vstack(counts, format="csr")),
        label_n=np.concatenate(labels),
        dataset_n=np.repeat(np.arange(len(parts)), [len(label_n) for label_n in labels]),
        donor_n=np.concatenate(donors),
        datasets=names,
        measured_sg=np.stack(measured),
    )


Part = tuple[str, sparse.csr_array, NDArray[np.object_], NDArray[np.object_], NDArray[np.bool_]]


def _read_one(path: Path, vocabulary: Vocabulary) -> Part | None:
    try:
        with open_cells(path) as source:
            obs = source.obs()
            if LABEL not in obs:
                note(f"{path.name} has no column {LABEL!r} and is left out.")
                return None
            label_n = _known_labels(obs[LABEL], path.name)
            found = inspect(source, vocabulary)
            counts_ng = read_counts(source, found)
    except SpoticellError as error:
        error.add_note(f"while reading {path} for training")
        raise
    keep = np.flatnonzero(label_n != "")
    counts_ng = sparse.csr_array(counts_ng[keep])
    donors = filled(words(obs[DONOR]), "") if DONOR in obs else constant("", len(obs))
    donor_n = np.asarray(donors, dtype=object)
    return path.stem, counts_ng, label_n[keep], donor_n[keep], found.match.measured_g


def _known_labels(column: pd.Series, name: str) -> NDArray[np.object_]:
    """Give the current term of each label, '' where there is none."""
    text_n = words(column).remove_unused_categories()
    term_of = {text: read_name(text) or "" for text in text_n.categories}
    lost = sorted(text for text, term in term_of.items() if not term)
    if lost:
        note(f"{name}: labels that name no type are left out ({len(lost)}): {', '.join(lost[:5])}.")
    return np.asarray(filled(renamed(text_n, term_of.__getitem__), ""), dtype=object)
