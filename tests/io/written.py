"""The same cells written in every format that is read."""

import gzip
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
from scipy import io as scipy_io
from scipy import sparse

from spoticell.biology.genes import load_vocabulary

N_CELLS, N_GENES = 11, 60


@dataclass(frozen=True)
class Cells:
    """Counts with names; the labels are a column about cells."""

    counts_nv: np.ndarray
    names: list[str]
    symbols: list[str]
    ids: list[str]
    labels: list[str]

    def anndata(self, matrix=None) -> anndata.AnnData:
        obs = pd.DataFrame({"label": pd.Categorical(self.labels)}, index=self.names)
        var = pd.DataFrame({"gene_ids": self.ids}, index=self.symbols)
        return anndata.AnnData(sparse.csr_matrix(self.counts_nv) if matrix is None else matrix, obs=obs, var=var)


def cells(n_cells: int = N_CELLS, n_genes: int = N_GENES, seed: int = 0) -> Cells:
    """Seeded counts of genes of the vocabulary; one cell and one gene have none."""
    rng = np.random.default_rng(seed)
    vocabulary = load_vocabulary()
    chosen = np.sort(rng.choice(len(vocabulary), n_genes, replace=False))
    counts_nv = rng.poisson(0.7, size=(n_cells, n_genes)).astype(np.float32)
    counts_nv[n_cells // 2] = 0
    counts_nv[:, n_genes // 3] = 0
    return Cells(
        counts_nv,
        [f"AAAC{cell:04d}-1" for cell in range(n_cells)],
        [vocabulary.symbols[gene] for gene in chosen],
        [vocabulary.ids[gene] for gene in chosen],
        [("B cell", "T cell")[cell % 2] for cell in range(n_cells)],
    )


def h5ad(folder: Path, some: Cells, matrix=None, **options) -> Path:
    path = folder / "cells.h5ad"
    some.anndata(matrix).write_h5ad(path, **options)
    return path


def h5ad_csc(folder: Path, some: Cells) -> Path:
    return h5ad(folder, some, sparse.csc_matrix(some.counts_nv))


def h5ad_dense(folder: Path, some: Cells) -> Path:
    return h5ad(folder, some, some.counts_nv, compression="gzip")


def h5ad_messy(folder: Path, some: Cells) -> Path:
    """Columns backwards, zeros stored, one count split in two, wide integers throughout."""
    n_cells, n_genes = some.counts_nv.shape
    columns = np.tile(np.append(np.arange(n_genes)[::-1], 1), n_cells).astype(np.int64)
    values_nv = np.column_stack([some.counts_nv[:, ::-1], np.full(n_cells, 3)])
    values_nv[:, n_genes - 2] -= 3
    pointers = np.arange(n_cells + 1, dtype=np.int64) * (n_genes + 1)
    path = h5ad(folder, some)
    with h5py.File(path, "r+") as file:
        for name, array in (("data", values_nv.ravel().astype(np.int64)), ("indices", columns), ("indptr", pointers)):
            del file[f"X/{name}"]
            file[f"X/{name}"] = array
    return path


def h5ad_bare(folder: Path, some: Cells) -> Path:
    """No encoding attributes at all, as some other languages write it."""
    path = h5ad(folder, some)
    with h5py.File(path, "r+") as file:
        for node in (file, file["X"], file["obs"], file["var"], file["obs/label"]):
            for name in list(node.attrs):
                del node.attrs[name]
    return path


def h5ad_07(folder: Path, some: Cells) -> Path:
    """Categories in a group of their own, as AnnData 0.7 wrote them."""
    path = h5ad(folder, some)
    with h5py.File(path, "r+") as file:
        obs = file["obs"]
        codes, categories = obs["label/codes"][:], obs["label/categories"][:]
        del obs["label"]
        obs["__categories/label"] = categories
        obs["__categories/label"].attrs["ordered"] = False
        obs["label"] = codes
        obs["label"].attrs["categories"] = obs["__categories/label"].ref
        obs.attrs["encoding-version"] = "0.1.0"
    return path


def h5ad_05(folder: Path, some: Cells) -> Path:
    """Tables as compound arrays, the sparse matrix marked in the way of h5sparse."""
    path = folder / "cells.h5ad"
    matrix_nv = sparse.csr_array(some.counts_nv)
    words = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        for part in ("data", "indices", "indptr"):
            file[f"X/{part}"] = getattr(matrix_nv, part)
        file["X"].attrs.update({"h5sparse_format": "csr", "h5sparse_shape": matrix_nv.shape})
        obs = np.array(list(zip(some.names, some.labels, strict=True)), dtype=[("index", words), ("label", words)])
        var = np.array(list(zip(some.symbols, some.ids, strict=True)), dtype=[("index", words), ("gene_ids", words)])
        file["obs"], file["var"] = obs, var
    return path


def zarr(folder: Path, some: Cells, version: int) -> Path:
    path = folder / "cells.zarr"
    with warnings.catch_warnings(action="ignore"), anndata.settings.override(zarr_write_format=version):
        some.anndata().write_zarr(path)
    return path


def zarr_2(folder: Path, some: Cells) -> Path:
    return zarr(folder, some, 2)


def zarr_3(folder: Path, some: Cells) -> Path:
    return zarr(folder, some, 3)


def zarr_zip(folder: Path, some: Cells) -> Path:
    store = zarr(folder, some, 3)
    path = folder / "cells.zarr.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(store.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def tenx_3(folder: Path, some: Cells, *, kinds=None, genomes=None) -> Path:
    path = folder / "filtered_feature_bc_matrix.h5"
    matrix_nv = sparse.csr_array(some.counts_nv.astype(np.int32))
    with h5py.File(path, "w") as file:
        _tenx_matrix(file.create_group("matrix"), matrix_nv, some)
        features = file.create_group("matrix/features")
        features["id"] = np.array(some.ids, dtype="S")
        features["name"] = np.array(some.symbols, dtype="S")
        features["feature_type"] = np.array(kinds or ["Gene Expression"] * len(some.ids), dtype="S")
        features["genome"] = np.array(genomes or ["GRCh38"] * len(some.ids), dtype="S")
    return path


def tenx_2(folder: Path, some: Cells, *, genomes=("GRCh38",)) -> Path:
    path = folder / "filtered_gene_bc_matrices_h5.h5"
    matrix_nv = sparse.csr_array(some.counts_nv.astype(np.int32))
    with h5py.File(path, "w") as file:
        for genome in genomes:
            _tenx_matrix(file.create_group(genome), matrix_nv, some)
            file[f"{genome}/genes"] = np.array(some.ids, dtype="S")
            file[f"{genome}/gene_names"] = np.array(some.symbols, dtype="S")
    return path


def _tenx_matrix(group: h5py.Group, matrix_nv: sparse.csr_array, some: Cells) -> None:
    for part in ("data", "indices", "indptr"):
        group[part] = getattr(matrix_nv, part)
    group["shape"] = np.array(matrix_nv.shape[::-1], dtype=np.int32)
    group["barcodes"] = np.array(some.names, dtype="S")


def tenx_folder(folder: Path, some: Cells, *, kinds=None) -> Path:
    path = folder / "filtered_feature_bc_matrix"
    path.mkdir()
    kinds = kinds or ["Gene Expression"] * len(some.ids)
    rows = zip(some.ids, some.symbols, kinds, strict=True)
    with gzip.open(path / "matrix.mtx.gz", "wb") as file:
        scipy_io.mmwrite(file, sparse.coo_array(some.counts_nv.T.astype(int)), comment="made by a test")
    write_gzip(path / "features.tsv.gz", "".join("\t".join(row) + "\n" for row in rows))
    write_gzip(path / "barcodes.tsv.gz", "\n".join(some.names) + "\n")
    return path


def tenx_folder_2(folder: Path, some: Cells) -> Path:
    path = folder / "hg19"
    path.mkdir()
    scipy_io.mmwrite(path / "matrix.mtx", sparse.coo_array(some.counts_nv.T.astype(int)))
    (path / "genes.tsv").write_text("".join(f"{i}\t{s}\n" for i, s in zip(some.ids, some.symbols, strict=True)))
    (path / "barcodes.tsv").write_text("\n".join(some.names))
    (path / "notes.txt").write_text("a file that belongs to nothing")
    return path


def mtx_of_cells(folder: Path, some: Cells) -> Path:
    """Cells on the rows, real numbers, names as kallisto gives them, another matrix's names beside it."""
    path = folder / "cells_x_genes.mtx"
    scipy_io.mmwrite(path, sparse.coo_array(some.counts_nv))
    (folder / "cells_x_genes.genes.txt").write_text("\n".join(some.symbols) + "\n")
    (folder / "cells_x_genes.barcodes.txt").write_text("\n".join(some.names) + "\n")
    (folder / "other.genes.txt").write_text("nothing\n")
    return path


def mtx_of_geo(folder: Path, some: Cells) -> Path:
    path = folder / "GSM1_pbmc_matrix.mtx.gz"
    with gzip.open(path, "wb") as file:
        scipy_io.mmwrite(file, sparse.coo_array(some.counts_nv.T.astype(int)))
    write_gzip(folder / "GSM1_pbmc_features.tsv.gz", "\n".join(some.symbols))
    write_gzip(folder / "GSM1_pbmc_barcodes.tsv.gz", "barcode\n" + "\n".join(some.names))
    return path


def mtx_rows(folder: Path, some: Cells) -> Path:
    path = folder / "E-1.mtx"
    scipy_io.mmwrite(path, sparse.coo_array(some.counts_nv.T.astype(int)))
    (folder / "E-1.mtx_rows").write_text("".join(f"{gene}\t{gene}\n" for gene in some.ids))
    (folder / "E-1.mtx_cols").write_text("\n".join(some.names))
    return path


def csv_of_cells(folder: Path, some: Cells) -> Path:
    path = folder / "cells.csv"
    table = pd.DataFrame(some.counts_nv.astype(int), index=some.names, columns=some.symbols)
    table.insert(0, "label", some.labels)
    table.to_csv(path)
    return path


def csv_of_genes(folder: Path, some: Cells) -> Path:
    path = folder / "cells.csv"
    pd.DataFrame(some.counts_nv.T.astype(int), index=some.symbols, columns=some.names).to_csv(path, quoting=2)
    return path


def tsv_of_r(folder: Path, some: Cells) -> Path:
    """As R's write.table gives it: the heading has one field less than the lines; gzipped."""
    lines = ["\t".join(some.names)]
    lines += ["\t".join([gene, *map(str, row)]) for gene, row in zip(some.symbols, some.counts_nv.T, strict=True)]
    write_gzip(folder / "cells.tsv.gz", "\r\n".join(lines))
    return folder / "cells.tsv.gz"


def text_of_excel(folder: Path, some: Cells) -> Path:
    """Semicolons, decimal commas, UTF-16 with its mark, a blank line at the end."""
    path = folder / "cells.txt"
    lines = [";".join(["cell", *some.symbols])]
    lines += [
        ";".join([name, *(f"{count:.1f}".replace(".", ",") for count in row)])
        for name, row in zip(some.names, some.counts_nv, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-16")
    return path


def loom(folder: Path, some: Cells) -> Path:
    path = folder / "cells.loom"
    with h5py.File(path, "w") as file:
        file.create_dataset("matrix", data=some.counts_nv.T, chunks=(8, 4), compression="gzip")
        file.create_group("layers")
        file["row_attrs/Gene"] = np.array(some.symbols, dtype="S")
        file["row_attrs/Accession"] = np.array(some.ids, dtype="S")
        file["col_attrs/CellID"] = np.array(some.names, dtype="S")
        file["col_attrs/label"] = np.array(some.labels, dtype="S")
    return path


def write_gzip(path: Path, words: str) -> None:
    path.write_bytes(gzip.compress(words.encode(), mtime=0))


FORMATS: dict[str, Callable[[Path, Cells], Path]] = {
    "h5ad by cell": h5ad,
    "h5ad by gene": h5ad_csc,
    "h5ad dense": h5ad_dense,
    "h5ad messy": h5ad_messy,
    "h5ad without attributes": h5ad_bare,
    "h5ad of AnnData 0.7": h5ad_07,
    "h5ad of AnnData 0.5": h5ad_05,
    "zarr 2": zarr_2,
    "zarr 3": zarr_3,
    "zipped zarr": zarr_zip,
    "10x h5 version 3": tenx_3,
    "10x h5 version 2": tenx_2,
    "10x folder version 3": tenx_folder,
    "10x folder version 2": tenx_folder_2,
    "mtx of cells x genes": mtx_of_cells,
    "mtx from GEO": mtx_of_geo,
    "mtx with rows and columns": mtx_rows,
    "csv of cells": csv_of_cells,
    "csv of genes": csv_of_genes,
    "tsv from R": tsv_of_r,
    "text from Excel": text_of_excel,
    "loom": loom,
}
