"""Loom files: a dense matrix of genes x cells, attributes of rows (genes) and columns (cells).

Read with h5py alone, as the loompy package opens no file that lacks its own attributes.
Axes: ``n`` cells, ``v`` genes of the data set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.formats.features import choose_features, some_genes
from spoticell.io.formats.h5ad import order_matrices
from spoticell.io.storage.dense import dense
from spoticell.io.storage.room import check_cells, check_matrices, check_table
from spoticell.io.storage.stored import StoredSource
from spoticell.io.storage.tree import MOST_CELLS, MOST_GENES, Tree, is_nested, n_bytes_of, text

_GENE_NAMES = ("Gene", "gene", "gene_name", "gene_names", "GeneName", "gene_symbol", "symbol", "var_names", "Accession")
_CELL_NAMES = ("CellID", "cell_id", "cell_names", "CellName", "barcode", "barcodes", "obs_names", "Cell")


def is_loom(tree: Tree) -> bool:
    """Whether an HDF5 file is laid out as loom."""
    return tree.array("matrix") is not None and {"row_attrs", "col_attrs"} <= set(tree.names(""))


def open_loom(tree: Tree) -> StoredSource:
    """Cells of a loom file; layers of counts come before its matrix.

    Raises
    ------
    FileFormatError
        If the file has no names of genes, or is damaged.
    """
    names = order_matrices(["X", *(f"layers/{name}" for name in tree.names("layers"))])
    found = {path: tree.array(path) for path in ("matrix" if name == "X" else name for name in names)}
    arrays = {path: array for path, array in found.items() if path == "matrix" or not tree.is_unwritten(array)}
    matrices = {path: dense(array, where=(tree.name, path), by_gene=True) for path, array in arrays.items()}
    n_cells, n_genes = matrices["matrix"].shape
    check_cells(tree.name, n_cells, tree.room)
    check_matrices(tree.name, sum(map(n_bytes_of, arrays.values())), tree.room)
    genes = _attributes(tree, "row_attrs", length=n_genes, limit=MOST_GENES)
    cells = _attributes(tree, "col_attrs", length=n_cells, limit=MOST_CELLS)
    gene_names = next((genes[name] for name in (*_GENE_NAMES, *genes) if name in genes), None)
    if gene_names is None:
        raise FileFormatError(f"{tree.name} has no names of genes among its row attributes.")
    chosen = choose_features(genes, name=tree.name)
    cell_names = next((name for name in _CELL_NAMES if name in cells), None)
    return StoredSource(
        tree.name,
        format="loom",
        matrices={label: some_genes(matrix, chosen.keep_v) for label, matrix in matrices.items()},
        cells=text(np.arange(n_cells)) if cell_names is None else cells.pop(cell_names),
        genes={name: values[chosen.keep_v] for name, values in {"index": gene_names, **genes}.items()},
        obs=cells,
        warnings=chosen.warnings,
        release=tree.close,
    )


def _attributes(tree: Tree, group: str, *, length: int, limit: int) -> dict[str, NDArray[np.object_]]:
    """Attributes that are lists of text with an entry for each gene or cell."""
    if length > limit:
        raise FileFormatError(f"{tree.name} declares {length:,} in '{group}', more than {limit:,}.")
    check_table(tree.name, group, length, len(tree.names(group)), tree.room)
    found = {}
    for name in tree.names(group):
        array = tree.array(f"{group}/{name}")
        if array is not None and array.shape == (length,) and array.dtype.kind in "OSU":
            values = tree.read(array, f"{group}/{name}")
            if not is_nested(values):
                found[name] = text(values)
    return found
