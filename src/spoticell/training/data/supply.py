"""Where the cells of a training come from: a folder that is held in memory, or a store that is read as they are needed.

Both give pools: cells in memory, each with its chance to be drawn.  A folder is one pool for the whole training; of
a store, pools are drawn anew all the time.
Axes: ``n`` cells, ``g`` genes, ``s`` data sets, ``c`` labels.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import TrainingError
from spoticell.training.config import TrainConfig
from spoticell.training.data.labelled import LabelledCells
from spoticell.training.validate import split


@dataclass(frozen=True)
class Pool:
    """Some cells in memory."""

    cells: LabelledCells
    chance_n: NDArray[np.float64]
    """How likely each is to be drawn; they sum to 1."""


class Supply(ABC):
    """Labelled cells for a training."""

    labels: tuple[str, ...]
    """Cell Ontology terms of the training cells, sorted."""
    datasets: tuple[str, ...]
    measured_sg: NDArray[np.bool_]
    """Which genes each data set measures."""
    cells_cs: NDArray[np.int64]
    """Training cells of each label in each data set."""
    validation: LabelledCells
    about: dict[str, str]
    """What decided which cells these are, for the record of a training."""

    @property
    def n_training(self) -> int:
        """Number of training cells."""
        return int(self.cells_cs.sum())

    @abstractmethod
    def pool_steps(self, batch_size: int) -> int:
        """Give the steps after which a new pool is due; 0 for never."""

    @abstractmethod
    def pool(self, rng: np.random.Generator, *, streams: int) -> Pool:
        """Give a pool; where ``streams`` of them are in use at once each is smaller."""

    def gene_weights(self, *, power: float) -> NDArray[np.float32]:
        """Give the share of labels that some data set measuring the gene has cells of, to a power, ``(g,)``.

        A gene that only the laboratories with few types measured can't tell those types from all others, and what it
        tells is as much about the laboratory.
        """
        measured_cg = (self.cells_cs > 0).astype(np.float32) @ self.measured_sg.astype(np.float32) > 0
        return np.asarray(measured_cg.mean(axis=0) ** power, dtype=np.float32)

    def _check(self) -> None:
        if not self.n_training or not len(self.validation):
            raise TrainingError(
                f"{self.n_training:,} cells are left for training, {len(self.validation):,} for validation; "
                "both need some."
            )


class FolderSupply(Supply):
    """Cells that are all in memory.

    Parameters
    ----------
    cells
        Training and validation cells.
    config
        Which of them are for validation, and how often each is drawn.
    rng
        Chooses validation cells where the config names no data sets.

    Raises
    ------
    TrainingError
        If no cell is left for training, or none for validation.
    """

    def __init__(self, cells: LabelledCells, config: TrainConfig, *, rng: np.random.Generator) -> None:
        held_out_n = split(cells, config.validation, rng=rng)
        self.validation, training = cells.take(held_out_n), cells.take(~held_out_n)
        self.datasets, self.measured_sg = cells.datasets, cells.measured_sg
        self.labels = tuple(sorted(set(training.label_n)))
        label_n = np.searchsorted(np.array(self.labels, dtype=object), training.label_n)
        self.cells_cs = np.zeros((len(self.labels), len(self.datasets)), dtype=np.int64)
        np.add.at(self.cells_cs, (label_n, training.dataset_n), 1)
        self.about = {}
        self._check()
        weight_s = dataset_weights(self.datasets, config=config)
        weight_c = label_weights(self.cells_cs, weight_s, config=config)
        chance_n = weight_c[label_n] * weight_s[training.dataset_n]
        self._pool = Pool(training, chance_n / chance_n.sum())

    def pool_steps(self, batch_size: int) -> int:
        """Give 0: all cells are in the only pool."""
        return 0

    def pool(self, rng: np.random.Generator, *, streams: int) -> Pool:
        """Give all training cells."""
        return self._pool


def dataset_weights(datasets: tuple[str, ...], *, config: TrainConfig) -> NDArray[np.float64]:
    """Give how often cells of each data set are drawn, ``(s,)``, against 1 for an ordinary one."""
    return np.array([config.source_weights.get(name, 1.0) for name in datasets])


def label_weights(
    cells_cs: NDArray[np.int64], weight_s: NDArray[np.float64], *, config: TrainConfig
) -> NDArray[np.float64]:
    """Give how often cells of each label are drawn, ``(c,)``: those of rare types more often.

    Parameters
    ----------
    cells_cs
        Training cells of each label in each data set.
    weight_s
        From `dataset_weights`.
    config
        How far the types are balanced.
    """
    # a type counts as often as its cells would be drawn by their data sets' weights alone
    mass_c = cells_cs @ weight_s
    return np.asarray(np.maximum(mass_c, 1e-12) ** -config.class_balance)
