"""What speaks for answers and against them, and the tables that tell it.

Axes: ``s`` cells that are asked, ``g`` the model's genes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.group_genes import log_normalised
from spoticell.biology.ontology import load_ontology
from spoticell.biology.short_names import short_name
from spoticell.io.write import write_csv
from spoticell.keys import LABEL
from spoticell.model.bundle import Bundle
from spoticell.model.reasons import Reasons

if TYPE_CHECKING:
    from spoticell.biology.markers import Markers

TYPES, GROUPS, CELLS = "types", "groups", "cells"
"""What can be explained."""
FIRST = {TYPES: None, GROUPS: "group", CELLS: "cell"}
"""First column of the table of each; that of types is the type itself."""
FEW = 5
"""Answers that are named when an explanation is printed."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Explained:
    """What speaks for one answer, and against it."""

    name: str
    """Of the type, the group or the cell."""
    term: str
    """Ontology term that is explained."""
    cells: int
    """Cells of the type or group."""
    asked: int
    """How many of them were asked."""
    changed: int
    """How many of these would be called otherwise if their neighbours had no say."""
    probability: float
    """The network's mean probability of the term, each cell alone and before calibration."""
    without: float
    """The same of a cell without counts."""
    contribution_g: Floats
    """How much each gene adds to the probability, on average; negative where it speaks against."""
    mean_g: Floats
    """Mean of the log-normalised counts of each gene."""

    def genes(self, most: int) -> tuple[list[int], list[int]]:
        """Give positions of up to so many genes that speak for the term, and against it, loudest first."""
        order = np.argsort(-self.contribution_g, kind="stable")
        ahead, behind = order[:most], order[::-1][:most]
        return ahead[self.contribution_g[ahead] > 0].tolist(), behind[self.contribution_g[behind] < 0].tolist()


@dataclass(frozen=True)
class Explanation:
    """What speaks for answers: what `explain` gives.

    Examples
    --------
    >>> import importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> found = spoticell.explain(cells, cell_type="B cell", tissue="blood")
    >>> found.table["gene"].head(3).tolist()
    ['CD79A', 'CD74', 'CD79B']
    """

    of: str
    """``types``, ``groups`` or ``cells``."""
    bundle: Bundle
    method: str
    """How it was worked out."""
    explained: tuple[Explained, ...]
    n_genes: int
    """Genes for and against an answer that the table holds at most."""
    markers: Markers | None = None
    """Known markers, if there was a table of them."""

    def __repr__(self) -> str:
        few = ", ".join(one.name if self.of != TYPES else short_name(one.term) for one in self.explained[:FEW])
        more = f" and {len(self.explained) - FEW:,} more" if len(self.explained) > FEW else ""
        return f"Explanation of {self.of} by {self.bundle.name}: {few}{more}; .table has the genes"

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each gene and answer: genes that speak for it, loudest first, then those against it."""
        ontology, vocabulary, first = load_ontology(), self.bundle.vocabulary, FIRST[self.of]
        rows = [
            ({} if first is None else {first: one.name})
            | {"cell_type": ontology.name(one.term), LABEL: one.term, "cells": one.cells}
            | {"probability": round(one.probability, 4)}
            | {"gene": vocabulary.symbols[g], "gene_id": vocabulary.ids[g]}
            | self._numbers(one, g)
            for one in self.explained
            for part in one.genes(self.n_genes)
            for g in part
        ]
        columns = [] if first is None else [first]
        columns += ["cell_type", LABEL, "cells", "probability", "gene", "gene_id", "contribution", "mean_expression"]
        return pd.DataFrame(rows, columns=columns + (["known_marker"] if self.markers is not None else []))

    def record(self) -> dict[str, Any]:
        """Give the same as plain values."""
        vocabulary = self.bundle.vocabulary
        told = []
        for one in self.explained:
            genes = [
                [{"gene": vocabulary.symbols[g], "gene_id": vocabulary.ids[g]} | self._numbers(one, g) for g in part]
                for part in one.genes(self.n_genes)
            ]
            words = {"name": one.name, "cell_type": load_ontology().name(one.term), LABEL: one.term}
            cells = {"cells": one.cells, "cells_asked": one.asked, "called_otherwise_alone": one.changed}
            numbers = {"probability": round(one.probability, 4), "probability_without_counts": round(one.without, 4)}
            told.append(words | cells | numbers | {"genes_for": genes[0], "genes_against": genes[1]})
        return {"of": self.of, "model": self.bundle.name, "method": self.method, "explained": told}

    def write(self, path: Path | str, *, overwrite: bool = False) -> Path:
        """Write the table to a ``.csv`` file.

        Parameters
        ----------
        path
            Where to write.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        OutputError
            If the file can't be written.
        """
        path = Path(path)
        write_csv(path, [self.table], overwrite=overwrite)
        return path

    def _numbers(self, one: Explained, g: int) -> dict[str, Any]:
        numbers = {"contribution": round(float(one.contribution_g[g]), 5)}
        numbers |= {"mean_expression": round(float(one.mean_g[g]), 4)}
        return numbers if self.markers is None else numbers | {"known_marker": self.markers.known(one.term, [g])[0]}


def explain_cells(
    counts_sg: sparse.csr_array,
    measured_g: NDArray[np.bool_],
    reasons: Reasons,
    *,
    node: int,
    name: str,
    term: str,
    cells: int,
    changed: int,
) -> Explained:
    """Ask some cells what speaks for a term.

    Parameters
    ----------
    counts_sg, measured_g
        Their counts, and the genes that were measured.
    reasons
        How they are asked.
    node, term
        Position of the term among the model's nodes, and the term.
    name, cells, changed
        As in `Explained`.
    """
    spoken = reasons.of(counts_sg, measured_g, node)
    contribution_g, mean_g = (
        np.asarray(values.sum(axis=0) / values.shape[0], dtype=np.float32)
        for values in (spoken.contribution_ng, log_normalised(counts_sg))
    )
    probability = float(spoken.probability_n.mean())
    return Explained(
        name, term, cells, counts_sg.shape[0], changed, probability, spoken.without, contribution_g, mean_g
    )
