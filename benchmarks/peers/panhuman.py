"""The teacher and peer: the pretrained ``panhuman_distill_v1`` of the package actinn-jax, as Cell Ontology terms.

Code MIT (I. Driver); distilled from Pan-human Azimuth (Sarkar et al. 2026, doi:10.64898/2026.07.16.738997), whose
weights are CC BY 4.0.  Needs ``pip install actinn-jax==0.3.1``.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import anndata
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import Vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.keys import UNKNOWN

BETTER_TERMS = {
    "CD14 monocyte": "CL:0002057",
    "MHCII high CD14 monocyte": "CL:0002057",
    "MHCII low CD14 monocyte": "CL:0002057",
    "CD16 monocyte": "CL:0002396",
    "CD8 T cell": "CL:0000625",
    "Tuft cell": "CL:0002204",
    "Goblet cell": "CL:0000160",
}
"""Classes whose shipped term is too general, or of another organ, for what the class is called."""
SMALLEST_SHARE = 1e-3
"""Coarse groups less probable than this are passed over: they change nothing."""


@dataclass(frozen=True)
class Teaching:
    """What the teacher says of some cells."""

    terms: tuple[str, ...]
    probabilities_nt: NDArray[np.float32]
    """Probability of each term; classes of one term are added up."""


class TooFewGenesError(ValueError):
    """The teacher shares too few genes with the cells."""


class Panhuman:
    """The teacher, loaded once.

    Parameters
    ----------
    better_terms
        Whether to use `BETTER_TERMS` in place of the shipped terms.
    """

    def __init__(self, *, better_terms: bool) -> None:
        import actinn_jax  # noqa: PLC0415 - takes seconds

        self.model = actinn_jax.bundled_reference("panhuman_distill_v1", quiet=True)
        ontology = load_ontology()
        term_of = self.model.class_to_cl | (BETTER_TERMS if better_terms else {})
        self.term_of = {name: ontology.resolve_label(term_of.get(name, "")) for name in self.model.classes}
        self.terms = tuple(sorted({term for term in self.term_of.values() if term}))

    def teach(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], vocabulary: Vocabulary) -> Teaching:
        """Give the probability of each term for cells aligned to a vocabulary."""
        class_nk = self.class_probabilities(counts_ng, measured_g, vocabulary)
        move_kt = np.zeros((len(self.model.classes), len(self.terms)), dtype=np.float32)
        for k, name in enumerate(self.model.classes):
            if term := self.term_of[name]:
                move_kt[k, self.terms.index(term)] = 1
        return Teaching(self.terms, class_nk @ move_kt)

    def class_probabilities(
        self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], vocabulary: Vocabulary
    ) -> NDArray[np.float32]:
        """Give the probability of each of the teacher's classes: its coarse group times its share in the group."""
        cells = _as_adata(counts_ng, measured_g, vocabulary)
        column = {name: k for k, name in enumerate(self.model.classes)}
        class_nk = np.zeros((cells.n_obs, len(column)), dtype=np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                group_nj = self.model.coarse.predict_proba(cells)
            except ValueError as error:
                raise TooFewGenesError(str(error)) from error
            for j, group in enumerate(self.model.coarse.classes):
                fine = self.model.fine.get(str(group))
                if isinstance(fine, str):
                    class_nk[:, column[fine]] += group_nj[:, j]
                elif fine is not None and (rows := group_nj[:, j] > SMALLEST_SHARE).any():
                    share_nk = group_nj[rows, j, None] * fine.predict_proba(cells[rows])
                    class_nk[np.ix_(rows, [column[str(name)] for name in fine.classes])] += share_nk
        return class_nk

    def refined(
        self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], vocabulary: Vocabulary
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Give each cell's term and its probability, the model refined to these cells as its makers do it."""
        import actinn_jax  # noqa: PLC0415

        cells = _as_adata(counts_ng, measured_g, vocabulary)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found, _ = actinn_jax.refine_to_query(self.model, cells).predict_frame(cells)
            except ValueError as error:
                raise TooFewGenesError(str(error)) from error
        terms = [self.term_of.get(name) or UNKNOWN for name in found["celltype"]]
        return terms, found["celltype_probability"].to_numpy(dtype=np.float32)


def _as_adata(counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_], vocabulary: Vocabulary) -> anndata.AnnData:
    genes = pd.DataFrame(index=np.array(vocabulary.ids)[measured_g])
    return anndata.AnnData(sparse.csr_matrix(counts_ng)[:, measured_g], var=genes)
