"""A shard: some thousand labelled cells in one file, in pieces that can be read one by one.

The cells of a shard stand in order of their labels, and within a label in random order.  A piece is at most
`PIECE_CELLS` cells of one label, so that cells of a rare type can be drawn without reading those of others.
The file is in the safetensors format: arrays that are mapped into memory, and text that is plain JSON.
Axes: ``k`` cells of a shard, ``p`` pieces, ``g`` genes, ``s`` data sets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from scipy import sparse

from spoticell.corpus.block import CELL_COLUMNS, DATASET, LabelledBlock
from spoticell.corpus.store.codec import decode, encode
from spoticell.errors import StoreError
from spoticell.keys import LABEL

PIECE_CELLS = 64
FORMAT = "1"
SHARD = "spoticell_shard"
SUFFIX = ".safetensors"

Mask = NDArray[np.bool_]


def pack(block: LabelledBlock, *, facts: Mapping[str, Any], seed: int) -> bytes:
    """Give the bytes of a shard.

    Parameters
    ----------
    block
        The cells of the shard, in the order of their source.
    facts
        What the shard says of itself besides, as JSON values.
    seed
        Seed of the order of cells within a label.
    """
    order_k = np.random.default_rng(seed).permutation(len(block))
    codes = {name: pd.Categorical(block.cells[name].astype(str)) for name in CELL_COLUMNS}
    label_k = codes[LABEL].codes
    order_k = order_k[np.argsort(label_k[order_k], kind="stable")]
    first_p = _pieces(label_k[order_k])
    frames = [
        frame
        for top, bottom in pairwise(first_p)
        for frame in encode(sparse.csr_array(block.counts_kg[order_k[top:bottom]]))
    ]
    names = [str(name).encode() for name in block.cells.index[order_k]]
    datasets = list(codes[DATASET].categories)
    tensors: dict[str, NDArray[Any]] = {
        "counts": np.frombuffer(b"".join(frames), dtype=np.uint8),
        "frame_2p": np.cumsum([0, *map(len, frames)], dtype=np.int64),
        "first_p": first_p,
        "entries_k": np.diff(block.counts_kg.indptr)[order_k].astype(np.int32),
        "row_k": block.row_k[order_k].astype(np.int64),
        "name": np.frombuffer(b"".join(names), dtype=np.uint8),
        "name_k": np.cumsum([0, *map(len, names)], dtype=np.int64),
        "measured_s": np.packbits(np.stack([block.measured[name] for name in datasets]), axis=1),
        **{f"{name}_k": code.codes[order_k].astype(np.int32) for name, code in codes.items()},
    }
    words = {name: list(code.categories) for name, code in codes.items()}
    about = {"format": FORMAT, "words": words, "genes": block.counts_kg.shape[1], "stop": block.stop, **facts}
    # one entry only: safetensors writes several in an order that changes from run to run
    return save(tensors, metadata={SHARD: json.dumps(about, sort_keys=True)})


def _pieces(label_k: NDArray[np.integer]) -> NDArray[np.int64]:
    """First cell of each piece, and the number of cells."""
    edges = np.flatnonzero(np.diff(label_k, prepend=-1, append=-1))
    starts = [np.arange(top, bottom, PIECE_CELLS) for top, bottom in pairwise(edges)]
    return np.concatenate([*starts, [len(label_k)]]).astype(np.int64)


class Shard:
    """An open shard; its counts stay on the disk until they are asked for.

    They are read, not mapped: pages of a mapped file count as memory of the process for as long as it is open.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    StoreError
        If the file is missing, damaged or no shard.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with self._tensors() as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})[SHARD])
                self.first_p: NDArray[np.int64] = file.get_tensor("first_p")
                self._frame_2p: NDArray[np.int64] = file.get_tensor("frame_2p")
                self.entries_k: NDArray[np.int32] = file.get_tensor("entries_k")
                """Genes with a count in each cell."""
            if self.about["format"] != FORMAT:
                raise ValueError("it is of another format")
            self._frame_2p = self._frame_2p + _start_of_counts(path)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._bad(error) from error
        self._codes: dict[str, NDArray[np.int32]] = {}

    def __len__(self) -> int:
        return int(self.first_p[-1])

    @property
    def n_genes(self) -> int:
        """Number of genes ``g``."""
        return int(self.about["genes"])

    def words(self, column: str) -> tuple[str, ...]:
        """Give what a column of `CELL_COLUMNS` says in this shard."""
        return tuple(self.about["words"][column])

    def codes(self, column: str) -> NDArray[np.int32]:
        """Position of each cell's word among `words`, ``(k,)``."""
        if column not in self._codes:
            self._codes[column] = self._array(f"{column}_k")
        return self._codes[column]

    def measured(self) -> dict[str, Mask]:
        """Which genes each data set of the shard measures."""
        masks = np.unpackbits(self._array("measured_s"), axis=1, count=self.n_genes).astype(np.bool_)
        return dict(zip(self.words(DATASET), masks, strict=True))

    def cells(self) -> pd.DataFrame:
        """Give the table about the cells: the columns `CELL_COLUMNS`, categorical."""
        return pd.DataFrame(
            {
                name: pd.Categorical.from_codes(self._array(f"{name}_k"), pd.Index(self.words(name)))
                for name in CELL_COLUMNS
            }
        )

    def names(self) -> list[str]:
        """Give the names of the cells."""
        raw, ends = self._array("name").tobytes(), self._array("name_k")
        return [raw[start:stop].decode() for start, stop in pairwise(ends)]

    def rows(self) -> NDArray[np.int64]:
        """Where each cell stood in its source, ``(k,)``."""
        return self._array("row_k")

    def piece(self, p: int) -> sparse.csr_array:
        """Give the counts of a piece, its cells by genes.

        Raises
        ------
        StoreError
            If the piece is damaged.
        """
        start, middle, stop = self._frame_2p[2 * p : 2 * p + 3].tolist()
        entries_k = self.entries_k[self.first_p[p] : self.first_p[p + 1]]
        try:
            with self.path.open("rb", buffering=0) as file:
                file.seek(start)
                raw = file.read(stop - start)
            return decode(raw[: middle - start], raw[middle - start :], entries_n=entries_k, n_genes=self.n_genes)
        except (OSError, ValueError, RuntimeError) as error:
            raise self._bad(error) from error

    def _array(self, name: str) -> NDArray[Any]:
        with self._tensors() as file:
            return np.asarray(file.get_tensor(name))

    def _tensors(self) -> Any:  # noqa: ANN401 - the library says nothing of its types
        return safe_open(self.path, framework="numpy")

    def _bad(self, error: Exception) -> StoreError:
        return StoreError(f"{self.path.name} is damaged or no shard of a store ({error}); prepare the store again.")


def _start_of_counts(path: Path) -> int:
    """Give where in the file the counts begin: in safetensors arrays come behind a header of JSON, its length first."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        return 8 + length + int(json.loads(file.read(length))["counts"]["data_offsets"][0])
