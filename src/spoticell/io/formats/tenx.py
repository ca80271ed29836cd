"""10x Genomics ``.h5`` files, of Cell Ranger 2 (a group for each genome) and 3 and later (``matrix``).

They store genes x cells by column, which is cells x genes by row: cells can be streamed.
Axes: ``n`` cells, ``v`` features.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import FileFormatError
from spoticell.io.formats.features import Chosen, choose_features, human_genome, some_genes
from spoticell.io.storage.matrix import ByCell, StoredMatrix
from spoticell.io.storage.room import check_cells, check_matrices
from spoticell.io.storage.stored import StoredSource
from spoticell.io.storage.tree import MOST_CELLS, MOST_GENES, Tree, damaged, is_nested, n_bytes_of, text

_SPARSE = ("data", "indices", "indptr", "shape", "barcodes")
_KINDS = ("feature_type", "feature_types")
"""What lists of kinds are called: by 10x, and by programs that write its format."""


def is_tenx(tree: Tree) -> bool:
    """Whether an HDF5 file is laid out as one of 10x."""
    return _is_version_3(tree) or bool(_genomes(tree))


def open_tenx(tree: Tree) -> StoredSource:
    """Cells of a 10x file; only genes are kept, and only human ones where there are several genomes.

    Raises
    ------
    FileFormatError
        If the file is damaged or has no human genes.
    """
    if _is_version_3(tree):
        group, warnings = "matrix", list[str]()
        genes, chosen = _features(tree)
    else:
        group, warnings = _genome(tree)
        genes = {"index": _strings(tree, f"{group}/gene_names"), "gene_ids": _strings(tree, f"{group}/genes")}
        _check_lengths(tree, genes.values())
        chosen = Chosen(np.ones(len(genes["index"]), dtype=np.bool_), ())
    matrix = _matrix(tree, group)
    if matrix.shape[1] != len(chosen.keep_v):
        raise FileFormatError(
            f"{tree.name}: the matrix has {matrix.shape[1]} rows but {len(chosen.keep_v)} features are named. "
            "Get a fresh copy or write the file again."
        )
    return StoredSource(
        tree.name,
        format="10x h5",
        matrices={"matrix": some_genes(matrix, chosen.keep_v)},
        cells=_strings(tree, f"{group}/barcodes"),
        genes={name: values[chosen.keep_v] for name, values in genes.items()},
        warnings=(*warnings, *chosen.warnings),
        release=tree.close,
    )


def _is_version_3(tree: Tree) -> bool:
    return {*_SPARSE, "features"} <= set(tree.names("matrix"))


def _genomes(tree: Tree) -> list[str]:
    return [name for name in tree.names("") if {*_SPARSE, "genes", "gene_names"} <= set(tree.names(name))]


def _genome(tree: Tree) -> tuple[str, list[str]]:
    genomes = _genomes(tree)
    human = human_genome(genomes, name=tree.name)
    others = ", ".join(genome for genome in genomes if genome != human)
    return human, [f"{tree.name}: only the genes of {human} are used; left out: {others}."] if others else []


def _features(tree: Tree) -> tuple[dict[str, NDArray[np.object_]], Chosen]:
    part = {name: _strings(tree, f"matrix/features/{name}") for name in ("name", "id")}
    told = {name: _optional(tree, f"matrix/features/{name}") for name in (*_KINDS, "genome")}
    _check_lengths(tree, (*part.values(), *told.values()))
    kinds = {name: values for name in _KINDS if (values := told[name]) is not None}
    chosen = choose_features(kinds | {"index": part["name"]}, name=tree.name, genomes=told["genome"])
    return {"index": part["name"], "gene_ids": part["id"]}, chosen


def _check_lengths(tree: Tree, lists: Iterable[NDArray[np.object_] | None]) -> None:
    if len({len(values) for values in lists if values is not None}) != 1:
        raise FileFormatError(f"{tree.name}: its lists of features differ in length. Get a fresh copy.")


def _matrix(tree: Tree, group: str) -> StoredMatrix:
    data, indices, indptr, shape = (_array(tree, f"{group}/{part}") for part in _SPARSE[:4])
    sides = np.asarray(tree.read(shape, f"{group}/shape"))
    if sides.shape != (2,) or sides.dtype.kind not in "iu":
        raise damaged(tree.name, f"'{group}/shape'", f"{sides.dtype} {sides.shape} where two whole numbers belong")
    n_features, n_cells = sides.tolist()
    check_cells(tree.name, n_cells, tree.room)
    check_matrices(tree.name, n_bytes_of(data) + n_bytes_of(indices), tree.room)
    return ByCell((data, indices, indptr), (n_cells, n_features), where=(tree.name, group))


def _optional(tree: Tree, path: str) -> NDArray[np.object_] | None:
    return None if tree.array(path) is None else _strings(tree, path)


def _strings(tree: Tree, path: str) -> NDArray[np.object_]:
    array = _array(tree, path)
    limit = MOST_CELLS if path.endswith("barcodes") else MOST_GENES
    values = tree.read(array, path) if len(array.shape) == 1 and array.shape[0] <= limit else None
    if values is None or is_nested(values):
        raise FileFormatError(f"{tree.name}: '{path}' is no list of at most {limit:,} names. Get a fresh copy.")
    return text(values)


def _array(tree: Tree, path: str) -> Any:  # noqa: ANN401
    array = tree.array(path)
    if array is None:
        raise FileFormatError(f"{tree.name} lacks '{path}', which a 10x file has. Get a fresh copy.")
    return array
