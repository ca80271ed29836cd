"""The cells of an AnnData object as a source: in memory, backed by a file, or a view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.errors import ConfigError, CountsError
from spoticell.io.formats.features import Chosen, choose_features
from spoticell.io.formats.h5ad import order_matrices
from spoticell.io.source import BLOCK, CellBlock, CellSource
from spoticell.io.storage.matrix import canonical

if TYPE_CHECKING:
    from anndata import AnnData


class AnnDataCells(CellSource):
    """The cells of an AnnData object, which is only read: in memory, backed by a file, or a view.

    Parameters
    ----------
    adata
        The object.

    Raises
    ------
    ConfigError
        If it holds no matrix at all.
    """

    name = "AnnData"
    format = "in memory"

    def __init__(self, adata: AnnData) -> None:
        self.adata = adata
        self.n_cells = adata.n_obs
        self.cell_names = pd.Index(adata.obs_names.astype(str), dtype=object)
        # anndata 0.13 lists X among the layers, under None
        present = [f"layers/{name}" for name in adata.layers if name is not None]
        present += ["X"] * (adata.X is not None) + ["raw/X"] * (adata.raw is not None)
        self.matrices = tuple(order_matrices(present))
        self.others = tuple(name for name in present if name not in self.matrices)
        if not self.matrices:
            raise ConfigError("the AnnData object holds no matrix: X, layers and raw are empty.")

    def gene_columns(self, matrix: str) -> Mapping[str, NDArray[np.object_]]:
        """Give every column of var that could name the genes; only genes are kept."""
        keep_v = self._chosen(matrix).keep_v
        return {name: values[keep_v] for name, values in self._words(matrix).items()}

    def notes(self, matrix: str) -> tuple[str, ...]:
        """Say which features are no genes."""
        return (*self.warnings, *self._chosen(matrix).warnings)

    def blocks(self, matrix: str, *, size: int = BLOCK) -> Iterator[CellBlock]:
        """Stream a matrix from first cell to last."""
        values, keep_v = _by_cell(self._stored(matrix)), self._chosen(matrix).keep_v
        for start in range(0, self.n_cells, size):
            rows_nv = _rows(values[start : start + size])
            yield CellBlock(start, rows_nv if keep_v.all() else rows_nv[:, np.flatnonzero(keep_v)])

    def n_stored(self, matrix: str) -> int | None:
        """Give how many numbers a sparse matrix has."""
        values = self._stored(matrix)
        stored_sparse: bool = sparse.issparse(values)
        return int(values.nnz) if stored_sparse else None

    def obs(self) -> pd.DataFrame:
        """Give the table about cells."""
        return pd.DataFrame(self.adata.obs)

    def _words(self, matrix: str) -> dict[str, NDArray[np.object_]]:
        var = self.adata.raw.var if matrix == "raw/X" else self.adata.var
        names = {"index": np.asarray(var.index.astype(str), dtype=object)}
        return names | {str(name): np.asarray(var[name], dtype=object) for name in var if _is_text(var[name])}

    def _chosen(self, matrix: str) -> Chosen:
        return choose_features(self._words(matrix), name=self.name)

    def _stored(self, matrix: str) -> Any:  # noqa: ANN401 - arrays of many libraries
        if matrix == "raw/X":
            return self.adata.raw.X
        return self.adata.X if matrix == "X" else self.adata.layers[matrix.removeprefix("layers/")]


def _is_text(column: pd.Series[Any]) -> bool:
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    return bool(pd.api.types.is_string_dtype(values.dtype))


def _by_cell(values: Any) -> Any:  # noqa: ANN401
    """Turn a matrix stored by gene once, not for every block."""
    stored_sparse: bool = sparse.issparse(values)
    return sparse.csr_array(values) if stored_sparse else values


def _rows(values: Any) -> sparse.csr_array:  # noqa: ANN401
    if hasattr(values, "compute"):
        values = values.compute()
    if not sparse.issparse(values):
        values = np.asarray(values)
    if values.dtype.kind not in "biuf":
        raise CountsError(f"the matrix holds {values.dtype} values; numbers are needed.")
    if values.dtype == np.float16:
        values = values.astype(np.float32)  # scipy has no sparse matrix of half precision
    return canonical(sparse.csr_array(values, copy=True))
