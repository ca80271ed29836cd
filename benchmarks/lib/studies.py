"""Labelled data sets as studies: their cells, fingerprints, panels, and which reference is right for a query.

Used by the benchmarks of matching.  Data sets of one study are named here; a hit of the query's own study never counts.
Axes: ``n`` queries, ``r`` references, ``k`` hits, ``g`` the bundle's genes, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.genes import Vocabulary, match_genes
from spoticell.biology.ontology import load_ontology
from spoticell.io import open_cells
from spoticell.io.aligned import read_counts
from spoticell.io.findings import inspect
from spoticell.keys import LABEL, UNKNOWN
from spoticell.model.runtime import Runtime

ZHENG = "Zheng 2017"
STUDY = {
    **dict.fromkeys(("zheng2017_sorted_scminer", "zheng2017_sorted_mudan", "pbmc68k_reduced"), ZHENG),
    **dict.fromkeys(("baron_human1", "baron2016_pancreas_h234_cider"), "Baron 2016"),
    **dict.fromkeys(("he2020_liver_curatedatlas", "he2020_marrow_421genes_ref"), "He 2020"),
    **{f"{name}_heart_1589lr_popcomm": "hearts" for name in ("litvinukova2020", "reichart2022", "koenig2022")},
}
"""Data sets that share a study, by name; any other is a study of its own."""

NO_LABEL = ("", UNKNOWN, "nan")


@dataclass(frozen=True)
class Cells:
    """The cells of one data set, on the bundle's genes."""

    name: str
    counts_ng: sparse.csr_array
    measured_g: NDArray[np.bool_]
    term_n: NDArray[np.object_]

    @property
    def study(self) -> str:
        """Name of the study that the data set belongs to."""
        return STUDY.get(self.name, self.name)

    def __len__(self) -> int:
        return self.counts_ng.shape[0]

    @property
    def counts_n(self) -> NDArray[np.float64]:
        """Counts of each cell."""
        return np.asarray(self.counts_ng.sum(axis=1), dtype=np.float64)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Cells:
        """Give some of the cells."""
        return replace(self, counts_ng=self.counts_ng[rows], term_n=self.term_n[rows])

    def seen_through(self, panel_g: NDArray[np.bool_]) -> Cells:
        """Give the cells as if only a panel's genes had been measured."""
        return replace(self, counts_ng=within(self.counts_ng, panel_g), measured_g=self.measured_g & panel_g)

    @property
    def has_label_n(self) -> NDArray[np.bool_]:
        """Which cells have a term."""
        return ~np.isin(self.term_n, NO_LABEL)

    def labelled(self) -> Cells:
        """Give the cells that have a term."""
        return self.take(np.flatnonzero(self.has_label_n))

    def sample(self, most: int, *, seed: int = 0) -> Cells:
        """Give at most so many cells, drawn at random."""
        if len(self) <= most:
            return self
        return self.take(np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False)))


def within(counts_ng: sparse.csr_array, panel_g: NDArray[np.bool_]) -> sparse.csr_array:
    """Give counts with none outside a panel."""
    kept_ng = sparse.csr_array(counts_ng @ sparse.diags_array(panel_g.astype(np.float32)))
    kept_ng.eliminate_zeros()
    # a product isn't, but counts are canonical wherever cells are read
    kept_ng.sort_indices()
    return kept_ng


def read_cells(path: Path, runtime: Runtime) -> Cells:
    """Read a data set on the genes of a bundle."""
    return read_aligned(path, runtime.bundle.vocabulary)


def read_aligned(path: Path, vocabulary: Vocabulary) -> Cells:
    """Read a data set on the genes of a vocabulary."""
    with open_cells(path) as source:
        found = inspect(source, vocabulary)
        terms = source.obs()[LABEL].astype(str).to_numpy(dtype=object)
        return Cells(path.stem, read_counts(source, found), found.match.measured_g, terms)


def read_studies(folder: Path, runtime: Runtime) -> list[Cells]:
    """Read every data set of a folder, only the cells that have a term; sets without any are left out."""
    found = [read_cells(path, runtime).labelled() for path in sorted(folder.glob("*.h5ad"))]
    return [cells for cells in found if len(cells)]


def fingerprints(cells: Cells, runtime: Runtime) -> NDArray[np.float32]:
    """Give the fingerprints of the cells, zero where a cell has no count left."""
    return runtime.predict(cells.counts_ng, cells.measured_g).fingerprint_nd


def nearest(
    query_nd: NDArray[np.floating], reference_rd: NDArray[np.floating], k: int, *, block: int = 512
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Give the ``k`` references of greatest inner product, greatest first, and the products."""
    hits, products = [], []
    for start in range(0, len(query_nd), block):
        product_nr = query_nd[start : start + block] @ reference_rd.T
        hit_nk = np.argpartition(-product_nr, min(k, product_nr.shape[1] - 1), axis=1)[:, :k]
        order_nk = np.argsort(-np.take_along_axis(product_nr, hit_nk, axis=1), axis=1, kind="stable")
        hits.append(np.take_along_axis(hit_nk, order_nk, axis=1))
        products.append(np.take_along_axis(product_nr, hits[-1], axis=1))
    return np.concatenate(hits), np.concatenate(products)


@cache
def is_right(truth: str, term: str) -> bool:
    """Say whether a term is the truth or a subtype of it."""
    ontology = load_ontology()
    return term in ontology and truth in ontology.ancestors(term)


def is_compatible(truth: str, term: str) -> bool:
    """Say whether of two terms one is the other or above it."""
    return is_right(truth, term) or is_right(term, truth)


def relation(truth_n: Sequence[str], term_nk: NDArray[np.object_], rule: object) -> NDArray[np.bool_]:
    """Judge each hit of each query by a rule on two terms."""
    return np.array(
        [[rule(truth, term) for term in terms] for truth, terms in zip(truth_n, term_nk.tolist(), strict=True)]
    ).reshape(term_nk.shape)


def answerable(truth_n: Iterable[str], reference_terms: Iterable[str]) -> NDArray[np.bool_]:
    """Say for which queries some reference is right."""
    known = set(reference_terms)
    by_truth = {truth: any(is_right(truth, term) for term in known) for truth in set(truth_n)}
    return np.array([by_truth[truth] for truth in truth_n], dtype=bool)


def random_panel(measured_g: NDArray[np.bool_], size: int, *, seed: int) -> NDArray[np.bool_]:
    """Draw a panel from the genes that a data set measured."""
    panel_g = np.zeros_like(measured_g)
    panel_g[np.random.default_rng(seed).choice(np.flatnonzero(measured_g), size, replace=False)] = True
    return panel_g


def read_panel(path: Path, runtime: Runtime) -> NDArray[np.bool_]:
    """Read a real panel, one gene a line."""
    genes = [line.strip() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return match_genes({"panel": genes}, runtime.bundle.vocabulary).measured_g
