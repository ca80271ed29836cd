"""What a source of a corpus gives: labelled cells in blocks, ready for the store.

Axes: ``k`` cells that are kept, ``g`` genes of the vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.keys import DONOR, LABEL

DATASET = "dataset_id"
"""Column: the data set that a cell comes from."""

ASSAY, TISSUE, DISEASE = "assay", "tissue", "disease"

CELL_COLUMNS = (LABEL, DATASET, DONOR, ASSAY, TISSUE, DISEASE)
"""What a store keeps of every cell beside its counts and its name, called as in the CELLxGENE schema."""


@dataclass(frozen=True)
class LabelledBlock:
    """Cells of a source that are kept, from some consecutive rows of it."""

    counts_kg: sparse.csr_array
    """Counts in the vocabulary's order, whole numbers as float32."""
    cells: pd.DataFrame
    """One row a cell, its name as index, the columns `CELL_COLUMNS` as text; ``unknown`` where a source is silent."""
    row_k: NDArray[np.int64]
    """Where each cell stands in the source, rising."""
    stop: int
    """Rows of the source that are used up with this block, kept or not."""
    measured: Mapping[str, NDArray[np.bool_]]
    """Which genes each data set of the block measures, ``(g,)`` each."""

    def __len__(self) -> int:
        return len(self.row_k)
