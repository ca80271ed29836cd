"""Formats in which people keep cells, each written as their programs write it."""

from __future__ import annotations

import gzip
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import io as scipy_io
from scipy import sparse

from benchmarks.reliability.names import Table

Write = Callable[[Table, Path], Path | anndata.AnnData]


def held(table: Table, matrix: Callable[[np.ndarray], object] = sparse.csr_matrix) -> anndata.AnnData:
    """Give the cells as an object in memory, float32."""
    var = pd.DataFrame(table.columns, index=table.genes)
    obs = pd.DataFrame(index=table.cells)
    with warnings.catch_warnings(action="ignore"):  # names that repeat are meant
        return anndata.AnnData(matrix(table.values_nv.astype(np.float32)), obs=obs, var=var)


def h5ad(table: Table, folder: Path, matrix: Callable[[np.ndarray], object]) -> Path:
    """Write an AnnData file."""
    held(table, matrix).write_h5ad(folder / "cells.h5ad")
    return folder / "cells.h5ad"


def packed(table: Table, folder: Path) -> Path:
    """Write an AnnData file and pack it."""
    path = h5ad(table, folder, sparse.csr_matrix)
    with path.open("rb") as plain, gzip.open(f"{path}.gz", "wb", compresslevel=1) as zipped:
        shutil.copyfileobj(plain, zipped)
    return folder / "cells.h5ad.gz"


def zarr(table: Table, folder: Path) -> Path:
    """Write a zarr store."""
    with warnings.catch_warnings(action="ignore"):
        held(table).write_zarr(folder / "cells.zarr")
    return folder / "cells.zarr"


def loom(table: Table, folder: Path) -> Path:
    """Write a loom file: genes on the rows."""
    with h5py.File(folder / "cells.loom", "w") as file:
        file.create_dataset("matrix", data=table.values_nv.T.astype(np.float32), chunks=True)
        for group in ("layers", "row_graphs", "col_graphs"):
            file.create_group(group)
        for name, words in {"Gene": table.genes, **table.columns}.items():
            file[f"row_attrs/{name}"] = np.array(words, dtype="S")
        file["col_attrs/CellID"] = np.array(table.cells, dtype="S")
    return folder / "cells.loom"


def ids_and_names(table: Table) -> tuple[list[str], list[str]]:
    """Give the two columns about genes that 10x files have."""
    return next(iter(table.columns.values()), table.genes), table.genes


def tenx(table: Table, folder: Path) -> Path:
    """Write an HDF5 file as Cell Ranger does."""
    matrix_nv = sparse.csr_array(table.values_nv.astype(np.float32))
    ids, symbols = ids_and_names(table)
    with h5py.File(folder / "cells.h5", "w") as file:
        for part in ("data", "indices", "indptr"):
            file[f"matrix/{part}"] = getattr(matrix_nv, part)
        file["matrix/shape"] = np.array(matrix_nv.shape[::-1], dtype=np.int32)
        file["matrix/barcodes"] = np.array(table.cells, dtype="S")
        kinds = ["Gene Expression"] * len(ids)
        for name, words in (("id", ids), ("name", symbols), ("feature_type", kinds)):
            file[f"matrix/features/{name}"] = np.array(words, dtype="S")
    return folder / "cells.h5"


def tenx_folder(table: Table, folder: Path) -> Path:
    """Write the three files of Cell Ranger."""
    place = folder / "filtered_feature_bc_matrix"
    place.mkdir()
    ids, symbols = ids_and_names(table)
    features = "".join(f"{one}\t{other}\tGene Expression\n" for one, other in zip(ids, symbols, strict=True))
    with gzip.open(place / "matrix.mtx.gz", "wb", compresslevel=1) as file:
        write_mtx(file, table.values_nv.T)
    for name, words in (("features", features), ("barcodes", "\n".join(table.cells) + "\n")):
        (place / f"{name}.tsv.gz").write_bytes(gzip.compress(words.encode()))
    return place


def mtx(table: Table, folder: Path) -> Path:
    """Write a matrix of cells on the rows, and lists of names beside it."""
    with (folder / "cells.mtx").open("wb") as file:
        write_mtx(file, table.values_nv)
    genes = zip(*{**table.columns, "": table.genes}.values(), strict=True)
    (folder / "cells.genes.txt").write_text("\n".join("\t".join(words) for words in genes) + "\n")
    (folder / "cells.barcodes.txt").write_text("\n".join(table.cells) + "\n")
    return folder / "cells.mtx"


def write_mtx(file: object, values: np.ndarray) -> None:
    """Write numbers in Matrix Market's form, whole ones as integers."""
    whole = np.array_equal(values, np.rint(values))
    matrix = sparse.coo_array(values.astype(np.int64) if whole else values)
    scipy_io.mmwrite(file, matrix, precision=None if whole else 7)


def csv_of_cells(table: Table, folder: Path) -> Path:
    """Write a line a cell; of columns about genes only the first can be the heading."""
    heading = next(iter(table.columns.values()), table.genes)
    frame(table.values_nv, table.cells, heading).to_csv(folder / "cells.csv", float_format="%.6g")
    return folder / "cells.csv"


def by_gene(table: Table, path: Path, separator: str) -> Path:
    """Write a line a gene, columns about genes first."""
    rows = frame(table.values_nv.T, table.genes, table.cells)
    for name, words in table.columns.items():
        rows.insert(0, name, words)
    packing = {"method": "gzip", "compresslevel": 1} if path.suffix == ".gz" else None
    rows.to_csv(path, sep=separator, float_format="%.6g", compression=packing)
    return path


def frame(values: np.ndarray, rows: list[str], columns: list[str]) -> pd.DataFrame:
    """Give numbers as a table, whole ones as integers."""
    whole = np.array_equal(values, np.rint(values))
    return pd.DataFrame(values.astype(np.int64) if whole else values, index=rows, columns=columns)


FORMATS: dict[str, Write] = {
    "in memory": lambda table, _: held(table),
    "h5ad by cell": lambda table, folder: h5ad(table, folder, sparse.csr_matrix),
    "h5ad by gene": lambda table, folder: h5ad(table, folder, sparse.csc_matrix),
    "h5ad dense": lambda table, folder: h5ad(table, folder, np.asarray),
    "h5ad.gz": packed,
    "zarr": zarr,
    "loom": loom,
    "10x h5": tenx,
    "10x folder": tenx_folder,
    "mtx and names": mtx,
    "csv of cells": csv_of_cells,
    "csv of genes": lambda table, folder: by_gene(table, folder / "cells.csv", ","),
    "tsv.gz of genes": lambda table, folder: by_gene(table, folder / "cells.tsv.gz", "\t"),
}
"""What needs no file first."""
