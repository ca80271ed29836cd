"""AnnData files: ``.h5ad``, and through the same code AnnData zarr stores.

Read are ``X``, ``layers``, ``raw/X``, the tables ``obs``, ``var`` and ``raw/var``, and
nothing else: ``uns``, ``obsm`` and whatever links they hold are never touched.
Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.formats.features import Chosen, choose_features, some_genes
from spoticell.io.formats.frames import StoredFrame
from spoticell.io.source import BLOCK, CellBlock, CellSource
from spoticell.io.storage.dense import dense
from spoticell.io.storage.matrix import ByCell, ByGene, StoredMatrix, check_lists
from spoticell.io.storage.room import check_cells, check_matrices
from spoticell.io.storage.tree import MOST_CELLS, MOST_GENES, Tree, damaged, is_group, n_bytes_of

COUNT_LAYERS = ("counts", "raw_counts", "count", "umi", "umis", "umi_counts", "rawcounts", "raw.counts", "raw")
"""Names that layers of counts go by, likeliest first; compared in lower case."""

_LAST_LAYERS = ("spliced",)
_NEVER = ("unspliced", "ambiguous")
_OLD_RAW = {"raw/X": "raw.X", "raw/var": "raw.var"}


class AnnDataSource(CellSource):
    """Cells of an AnnData store.

    Parameters
    ----------
    tree
        The open store; closed with the source.
    format
        How the store is called in messages.

    Raises
    ------
    FileFormatError
        If the store has no cells' table, no genes, or no matrix.
    """

    def __init__(self, tree: Tree, *, format: str) -> None:  # noqa: A002 - the name of the attribute
        self.tree, self.name, self.format = tree, tree.name, format
        self._obs = StoredFrame(tree, "obs", limit=MOST_CELLS)
        self.n_cells = self._obs.length
        check_cells(self.name, self.n_cells, tree.room)
        present = self._present()
        check_matrices(self.name, sum(map(self._n_bytes, present)), tree.room)
        self.matrices = tuple(order_matrices(present))
        self.others = tuple(name for name in present if name not in self.matrices)
        if not self.matrices:
            raise FileFormatError(f"{self.name} holds no matrix: 'X', 'layers' and 'raw/X' are empty.")
        self._stored: dict[str, StoredMatrix] = {}
        self._frames: dict[str, StoredFrame] = {}
        self._columns: dict[str, dict[str, NDArray[np.object_]]] = {}
        self._features: dict[str, Chosen] = {}
        if all(self._var(matrix).length == 0 for matrix in self.matrices):
            raise FileFormatError(f"{self.name} has no genes: its table 'var' is empty.")

    @cached_property
    def cell_names(self) -> pd.Index:  # type: ignore[override]
        """Names of the cells; read when first asked for."""
        return pd.Index(self._obs.index(), dtype=object)

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Columns of text of ``var``, or of ``raw/var`` for ``raw/X``; only genes are kept."""
        keep_v = self._chosen(matrix).keep_v
        return {name: values[keep_v] for name, values in self._words(self._var(matrix)).items()}

    def notes(self, matrix: str) -> tuple[str, ...]:
        """Say which of its features are no genes."""
        return (*self.warnings, *self._chosen(matrix).warnings)

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream ``matrix`` from first cell to last; shapes are checked before anything is read."""
        stored = self._matrix(matrix)
        stored.threads = self.threads
        return stored.blocks(size)

    def reads_anywhere(self, matrix: str) -> bool:
        """Whether ``matrix`` is stored by cell."""
        return self._matrix(matrix).by_cell

    def between(self, matrix: str, start: int, stop: int, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream some of the blocks of ``matrix``."""
        return self._matrix(matrix).between(start, stop, size)

    def n_stored(self, matrix: str) -> int | None:
        """Give how many numbers a sparse matrix has."""
        data = self.tree.array(f"{self._place(matrix)}/data") if is_group(self.tree.node(self._place(matrix))) else None
        return None if data is None or not data.shape else int(data.shape[0])

    def obs(self) -> pd.DataFrame:
        """Give the table about cells, without columns of kinds that aren't known."""
        return self._obs.table()

    def close(self) -> None:
        """Let go of the store and of what was kept on disk."""
        for stored in self._stored.values():
            stored.close()
        self.tree.close()
        super().close()

    def _present(self) -> list[str]:
        names = ["X", "raw/X", *(f"layers/{name}" for name in self.tree.names("layers"))]
        return [name for name in names if self._is_matrix(name)]

    def _is_matrix(self, name: str) -> bool:
        node = self.tree.node(self._place(name))
        if node is None:
            return False
        if is_group(node):
            return {"data", "indices", "indptr"} <= set(self.tree.names(self._place(name)))
        return len(node.shape) == 2 and not self.tree.is_unwritten(node)

    def _n_bytes(self, name: str) -> int:
        """Bytes to which a matrix declares to unpack."""
        path = self._place(name)
        arrays = (self.tree.array(place) for place in (path, f"{path}/data", f"{path}/indices"))
        return sum(n_bytes_of(array) for array in arrays if array is not None)

    def _place(self, name: str) -> str:
        """Path of a matrix or table, where files older than AnnData 0.7 keep it if need be."""
        old = _OLD_RAW.get(name)
        return old if old is not None and self.tree.node(name) is None and self.tree.node(old) is not None else name

    def _var(self, matrix: str) -> StoredFrame:
        path = self._place("raw/var") if matrix == "raw/X" else "var"
        if path not in self._frames:
            self._frames[path] = StoredFrame(self.tree, path, limit=MOST_GENES)
        return self._frames[path]

    def _words(self, frame: StoredFrame) -> dict[str, NDArray[np.object_]]:
        if frame.path not in self._columns:
            columns = {"index": frame.index()}
            for name in frame.columns:
                values = frame.strings(name)
                if values is not None:
                    columns.setdefault(name, values)
            self._columns[frame.path] = columns
        return self._columns[frame.path]

    def _chosen(self, matrix: str) -> Chosen:
        frame = self._var(matrix)
        if frame.path not in self._features:
            self._features[frame.path] = choose_features(self._words(frame), name=self.name)
        return self._features[frame.path]

    def _matrix(self, name: str) -> StoredMatrix:
        if name not in (*self.matrices, *self.others):
            raise KeyError(name)
        if name not in self._stored:
            self._stored[name] = some_genes(self._store(name), self._chosen(name).keep_v)
        return self._stored[name]

    def _store(self, name: str) -> StoredMatrix:
        path, frame = self._place(name), self._var(name)
        if frame.length == 0:
            raise FileFormatError(f"{self.name}: '{name}' has no genes.")
        shape, where = (self.n_cells, frame.length), (self.name, name)
        node = self.tree.node(path)
        if is_group(node):
            return self._sparse(path, shape=shape, where=where)
        matrix = dense(node, where=where)
        self._check_shape(matrix.shape, shape, name)
        return matrix

    def _sparse(self, path: str, *, shape: tuple[int, int], where: tuple[str, str]) -> StoredMatrix:
        arrays = tuple(self.tree.array(f"{path}/{part}") for part in ("data", "indices", "indptr"))
        data, indices, indptr = arrays
        if data is None or indices is None or indptr is None:
            raise FileFormatError(f"{self.name}: '{where[1]}' lacks one of 'data', 'indices' and 'indptr'.")
        check_lists(data, indices, indptr, where=where)
        stated = self._stated(path, "shape", "h5sparse_shape")
        if stated is not None:
            self._check_shape(_sides(stated, where=where), shape, where[1])
        kind = self._stated(path, "encoding-type", "h5sparse_format")
        by_cell = _is_by_cell(kind, n_pointers=int(indptr.shape[0]), shape=shape)
        if by_cell is None:
            raise FileFormatError(f"{self.name}: '{where[1]}' doesn't say whether it is stored by cell or by gene.")
        self._check_chunks(data, indices, where)
        return (ByCell if by_cell else ByGene)((data, indices, indptr), shape, where=where)

    def _stated(self, path: str, *names: str) -> Any | None:  # noqa: ANN401
        """Give the first of some attributes that is there."""
        return next((value for name in names if (value := self.tree.attribute(path, name)) is not None), None)

    def _check_shape(self, found: tuple[int, ...], needed: tuple[int, int], name: str) -> None:
        if tuple(found) != needed:
            raise FileFormatError(
                f"{self.name}: '{name}' is {' x '.join(map(str, found))}, but the tables name {needed[0]} cells and "
                f"{needed[1]} genes. The file is damaged: write it again."
            )

    def _check_chunks(self, data: Any, indices: Any, where: tuple[str, str]) -> None:  # noqa: ANN401
        # A list of column numbers may be all zeros, and then zarr stores nothing; only one entry a cell can do that.
        lost = self.tree.n_missing_chunks(data) or (
            data.shape[0] > self.n_cells and self.tree.n_missing_chunks(indices)
        )
        if lost:
            raise FileFormatError(f"{where[0]}: a part of '{where[1]}' is missing. Copy or write the store again.")


def order_matrices(names: list[str]) -> list[str]:
    """Matrices with the likeliest counts first.

    Examples
    --------
    >>> order_matrices(["X", "raw/X", "layers/scaled", "layers/Counts", "layers/spliced", "layers/unspliced"])
    ['layers/Counts', 'raw/X', 'X', 'layers/scaled', 'layers/spliced']
    """
    return sorted((name for name in names if _layer(name) not in _NEVER), key=_rank)


def _layer(name: str) -> str:
    return name.removeprefix("layers/").lower() if name.startswith("layers/") else ""


def _rank(name: str) -> tuple[int, int, str]:
    layer = _layer(name)
    if layer in COUNT_LAYERS:
        return (0, COUNT_LAYERS.index(layer), name)
    if not layer:
        return (1, 0 if name == "raw/X" else 1, name)
    return (3 if layer in _LAST_LAYERS else 2, 0, name)


def _sides(stated: Any, *, where: tuple[str, str]) -> tuple[int, ...]:  # noqa: ANN401
    """Sides of a matrix as its file states them; some programs write them as fractions."""
    sides = stated.tolist() if isinstance(stated, np.ndarray) else stated
    if not isinstance(sides, list) or not all(isinstance(side, int | float) and side % 1 == 0 for side in sides):
        raise damaged(where[0], f"'{where[1]}'", "its shape is no list of whole numbers")
    return tuple(map(int, sides))


def _is_by_cell(stated: Any, *, n_pointers: int, shape: tuple[int, int]) -> bool | None:  # noqa: ANN401
    if isinstance(stated, str) and stated.startswith(("csr", "csc")):
        return stated.startswith("csr")
    if shape[0] == shape[1]:
        return None
    return {shape[0] + 1: True, shape[1] + 1: False}.get(n_pointers)
