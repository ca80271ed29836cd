"""Cells that no model of human cell types should name: cell lines, malignant cells, mouse cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.lib.studies import Cells, read_cells
from spoticell.biology.genes import align_counts, match_genes
from spoticell.io import open_cells
from spoticell.keys import UNKNOWN
from spoticell.model.runtime import Runtime

AUTHORS_LABEL = "cell_type"


def far_unknowns(data: Path, runtime: Runtime) -> Iterator[tuple[str, Cells]]:
    """Give the cells of each kind, with what they are called."""
    yield "cell lines", read_cells(data / "test" / "tian2019_celllines_mixology.h5ad", runtime)
    malignant: dict[str, Callable[[str], bool]] = {
        "train/wu2021_breast_cid4465": lambda label: label.startswith("Cancer"),
        "test/moncada2020_pdac_cardspa": lambda label: label.startswith("Cancer"),
        "test/cosmx_nsclc_960_profast": lambda label: label.startswith("tumor"),
    }
    for name, is_malignant in malignant.items():
        path = data / f"{name}.h5ad"
        chosen_n = np.array([is_malignant(label) for label in authors_labels(path)], dtype=bool)
        yield "malignant cells", read_cells(path, runtime).take(chosen_n)
    yield "mouse cells", mouse_cells(data / "trap" / "marques2016_mouse_oligo_scx.h5ad", runtime)


def authors_labels(path: Path) -> list[str]:
    """Give the label that the authors gave each cell."""
    with open_cells(path) as source:
        return source.obs()[AUTHORS_LABEL].astype(str).tolist()


def mouse_cells(path: Path, runtime: Runtime) -> Cells:
    """Read mouse cells as if their symbols in capitals were human: the reader itself refuses them."""
    with open_cells(path) as source:
        matrix = source.matrices[0]
        names = next(iter(source.gene_columns(matrix).values())).tolist()
        match = match_genes({"capitals": [str(name).upper() for name in names]}, runtime.bundle.vocabulary)
        blocks = [align_counts(block.values_nv, match) for block in source.blocks(matrix)]
    counts_ng = sparse.csr_array(sparse.vstack(blocks, format="csr"))
    unknown_n: NDArray[np.object_] = np.full(counts_ng.shape[0], UNKNOWN, dtype=object)
    return Cells(path.stem, counts_ng, match.measured_g, unknown_n)
