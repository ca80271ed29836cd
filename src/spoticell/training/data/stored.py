"""Cells of a store, drawn as a training needs them.

A pool is made of pieces drawn from the whole store, each by the chance of its cells to be drawn, so cells come as often
as they would from memory.  What is held grows with the number of pieces, some bytes each, and not with the cells.
Axes: ``n`` cells of a pool, ``p`` pieces of the store, ``s`` data sets, ``c`` labels, ``k`` cells of a shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.corpus.block import DATASET
from spoticell.corpus.splits.split import Split
from spoticell.corpus.store.shard import PIECE_CELLS, Shard
from spoticell.corpus.store.store import Store
from spoticell.keys import LABEL
from spoticell.training.config import TrainConfig
from spoticell.training.data.labelled import LabelledCells
from spoticell.training.data.supply import Pool, Supply, dataset_weights, label_weights

POOL_PIECES = 256
"""Pieces in a pool, about 16,000 cells: of so many the cells of a batch stem."""
FEWEST_PIECES = 64
"""Pieces in a pool where several are in use at once."""


class StoreSupply(Supply):
    """Training and validation cells of a store, by one of its splits.

    Parameters
    ----------
    store
        An open store.
    split
        Which cells are for what; cells of the side ``test`` are never read.
    config
        How often cells are drawn, and how many are for validation.
    rng
        Chooses validation cells where there are more than the config wants.

    Raises
    ------
    TrainingError
        If no cell is left for training, or none for validation.
    """

    def __init__(self, store: Store, split: Split, config: TrainConfig, *, rng: np.random.Generator) -> None:
        self.store, self.datasets = store, store.datasets
        self.measured_sg = np.stack([store.measured[name] for name in store.datasets])
        self.about = {"store": store.name, "split": split.name, "split_sha256": split.sha256}
        self._weight_s = dataset_weights(store.datasets, config=config)
        cells_cs = np.zeros((len(store.labels), len(store.datasets)), dtype=np.int64)
        survey = [self._survey(number, shard, split, cells_cs) for number, shard in store.shards()]
        self._train_bits = [one.train_bits for one in survey]
        self._validation_bits = [one.validation_bits for one in survey]
        self._shard_p, self._place_p, self._mass_p, label_p, validation_p = (
            np.concatenate([getattr(one, name) for one in survey]) for name in _Survey.PIECES
        )
        chance_p = self._mass_p * label_weights(cells_cs, self._weight_s, config=config)[label_p]
        self._rising_p = np.cumsum(chance_p / max(chance_p.sum(), 1e-300))
        seen_c = np.flatnonzero(cells_cs.any(axis=1))
        self.labels = tuple(store.labels[c] for c in seen_c)
        self.cells_cs = cells_cs[seen_c]
        self.validation = self._validation(validation_p, most=config.validation_cells, rng=rng)
        self._check()

    def pool_steps(self, batch_size: int) -> int:
        """Give the steps in which about as many cells are drawn as a pool has."""
        return max(POOL_PIECES * PIECE_CELLS // batch_size, 1)

    def pool(self, rng: np.random.Generator, *, streams: int) -> Pool:
        """Draw pieces and read their training cells; a piece may be drawn several times."""
        size = max(POOL_PIECES // streams, FEWEST_PIECES)
        drawn = np.searchsorted(self._rising_p, rng.random(size) * self._rising_p[-1], side="right")
        pieces, times = np.unique(drawn, return_counts=True)
        cells, piece_n = self._read(pieces, self._train_bits)
        chance_n = times[piece_n] * self._weight_s[cells.dataset_n] / self._mass_p[pieces][piece_n]
        return Pool(cells, chance_n / chance_n.sum())

    def _survey(self, number: int, shard: Shard, split: Split, cells_cs: NDArray[np.int64]) -> _Survey:
        """Look at the cells of a shard, without their counts, and count them in ``cells_cs``."""
        side_k = split.side_of(shard.cells())
        train_k = side_k == "train"
        dataset_k, label_k = _codes(shard, DATASET, self.datasets), _codes(shard, LABEL, self.store.labels)
        np.add.at(cells_cs, (label_k[train_k], dataset_k[train_k]), 1)
        first_p = shard.first_p[:-1]
        return _Survey(
            train_bits=np.packbits(train_k),
            validation_bits=np.packbits(side_k == "validation"),
            shard_p=np.full(len(first_p), number),
            place_p=np.arange(len(first_p)),
            mass_p=np.add.reduceat(self._weight_s[dataset_k] * train_k, first_p),
            label_p=label_k[first_p],
            validation_p=np.add.reduceat((side_k == "validation").astype(np.int64), first_p),
        )

    def _validation(self, cells_p: NDArray[np.int64], *, most: int, rng: np.random.Generator) -> LabelledCells:
        """Read validation cells; of more than ``most`` some pieces by chance."""
        pieces = rng.permutation(np.flatnonzero(cells_p))
        enough = int(np.searchsorted(np.cumsum(cells_p[pieces]), most)) + 1
        return self._read(np.sort(pieces[:enough]), self._validation_bits)[0]

    def _read(
        self, pieces: NDArray[np.intp], bits: Sequence[NDArray[np.uint8]]
    ) -> tuple[LabelledCells, NDArray[np.intp]]:
        """Read the cells of some pieces whose bit in their shard is set, and say in which of the pieces each was."""
        counts, labels, datasets, sizes = [], [], [], []
        for piece in pieces:
            number, place = int(self._shard_p[piece]), int(self._place_p[piece])
            shard, wanted_k = self.store.shard(number), np.unpackbits(bits[number])
            rows = np.flatnonzero(wanted_k[shard.first_p[place] : shard.first_p[place + 1]])
            piece_kg = shard.piece(place)
            counts.append(piece_kg if len(rows) == piece_kg.shape[0] else sparse.csr_array(piece_kg[rows]))
            cells = rows + shard.first_p[place]
            labels.append(np.array(shard.words(LABEL), dtype=object)[shard.codes(LABEL)[cells]])
            datasets.append(_codes(shard, DATASET, self.datasets, cells))
            sizes.append(len(rows))
        counts.append(sparse.csr_array((0, self.measured_sg.shape[1]), dtype=np.float32))
        label_n = np.concatenate([*labels, np.empty(0, dtype=object)])
        read = LabelledCells(
            sparse.csr_array(sparse.vstack(counts, format="csr")),
            label_n,
            np.concatenate([*datasets, np.empty(0, dtype=np.intp)]).astype(np.intp),
            np.full(len(label_n), "", dtype=object),
            self.datasets,
            self.measured_sg,
        )
        return read, np.repeat(np.arange(len(pieces)), sizes)


@dataclass(frozen=True)
class _Survey:
    """What a training must know of a shard."""

    PIECES: ClassVar = ("shard_p", "place_p", "mass_p", "label_p", "validation_p")

    train_bits: NDArray[np.uint8]
    """Which of its cells are for training, eight in a byte."""
    validation_bits: NDArray[np.uint8]
    shard_p: NDArray[np.intp]
    place_p: NDArray[np.intp]
    """Where each piece is in its shard."""
    mass_p: NDArray[np.float64]
    """Summed weights of the data sets of the training cells."""
    label_p: NDArray[np.intp]
    validation_p: NDArray[np.int64]
    """Validation cells."""


def _codes(
    shard: Shard, column: str, names: Sequence[str], cells: NDArray[np.intp] | slice = slice(None)
) -> NDArray[np.intp]:
    """Give the position of the words of some cells among sorted names."""
    place = np.searchsorted(np.array(names, dtype=object), np.array(shard.words(column), dtype=object))
    return place[shard.codes(column)[cells]]
