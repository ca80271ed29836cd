"""Labelled cells for stores, made by a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spoticell.biology.genes import Vocabulary, load_vocabulary
from spoticell.corpus.block import ASSAY, DATASET, DISEASE, TISSUE, LabelledBlock
from spoticell.keys import DONOR, LABEL

TERMS = ("CL:0000084", "CL:0000236", "CL:0000576")


@pytest.fixture(scope="session")
def small_vocabulary() -> Vocabulary:
    """Fifty genes."""
    full = load_vocabulary()
    return Vocabulary(full.ids[:50], full.symbols[:50], full.chromosomes[:50])


def make_block(n_cells: int, n_genes: int, *, seed: int = 0, dataset: str = "blood") -> LabelledBlock:
    """Cells of three types and two donors, all of them kept; every third row of the source holds a cell."""
    rng = np.random.default_rng(seed)
    counts_kg = sparse.csr_array(rng.poisson(0.4, size=(n_cells, n_genes)).astype(np.float32))
    measured_g = np.asarray(counts_kg.sum(axis=0) > 0)
    cells = pd.DataFrame(
        {
            LABEL: rng.choice(TERMS, n_cells, p=(0.7, 0.2, 0.1)),
            DATASET: dataset,
            DONOR: rng.choice(["d1", "d2"], n_cells),
            ASSAY: "10x 3' v3",
            TISSUE: "blood",
            DISEASE: "normal",
        },
        index=[f"{dataset}-{n}" for n in range(n_cells)],
    )
    return LabelledBlock(counts_kg, cells, 3 * np.arange(n_cells) + 1, 3 * n_cells, {dataset: measured_g})


@pytest.fixture(scope="session")
def labelled_block() -> Callable[..., LabelledBlock]:
    """`make_block`, for tests that say how many cells they want."""
    return make_block


def in_parts(block: LabelledBlock, size: int, *, start: int = 0) -> Iterator[LabelledBlock]:
    """A block in blocks of some rows of its source, from a row on, as a source would give them."""
    for top in range(start, block.stop, size):
        stop = min(top + size, block.stop)
        kept = np.flatnonzero((block.row_k >= top) & (block.row_k < stop))
        yield LabelledBlock(
            sparse.csr_array(block.counts_kg[kept]), block.cells.iloc[kept], block.row_k[kept], stop, block.measured
        )


@pytest.fixture(scope="session")
def parts() -> Callable[..., Iterator[LabelledBlock]]:
    """`in_parts`, for tests that stream."""
    return in_parts


@pytest.fixture(scope="session")
def census_stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a drawn stand-in of the Census in ``census``, and one of an earlier release in ``earlier``."""
    pytest.importorskip("tiledbsoma", reason="the extra 'census' is not installed")
    folder = tmp_path_factory.mktemp("stand-in")
    import_module("scripts.stand_ins.census").main([str(folder), "--synthetic", "--cells", "2000"])
    return folder
