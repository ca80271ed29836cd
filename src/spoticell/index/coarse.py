"""Which lists of an index a fingerprint belongs to: the coarse step of a search.

An index of many cells is cut into lists, each around a centroid, and a search looks into the lists whose
centroids are nearest to the query: Sivic and Zisserman, Video Google (2003), https://doi.org/10.1109/ICCV.2003.1238663.
The centroids are found once, from a sample, so that cells can be added without touching those that are there.
They are themselves searched through a graph: Malkov and Yashunin (2018), https://doi.org/10.1109/TPAMI.2018.2889473.
Axes: ``n`` cells, ``d`` fingerprint, ``l`` lists, ``p`` lists that are looked into.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import SearchError
from spoticell.index.needs import needed

COARSE = "coarse.faiss"
EXACT = 50_000
"""An index of fewer cells has no lists; all of it is searched."""
SAMPLE = 40
"""Cells for each centroid that training looks at."""
STEPS = 10
NEIGHBOURS = 16
"""Links of a centroid in the graph of centroids, on each level but the lowest, which has twice as many."""
BEAM = 48
"""Centroids that a walk through the graph keeps in view, at least."""


class Coarse:
    """Centroids, ready to be searched.

    Parameters
    ----------
    graph
        FAISS's index of the centroids.
    """

    def __init__(self, graph: Any) -> None:  # noqa: ANN401 - FAISS has no types
        self.graph = graph
        self.n_lists = int(graph.ntotal)

    def nearest(
        self, fingerprint_nd: NDArray[np.float32], probes: int, *, among: NDArray[np.intp] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Give similarity and number of the ``probes`` lists nearest to each fingerprint, ``(n, p)`` each.

        With ``among``, which holds numbers of lists, only these are looked at, and all of them are.
        """
        if among is None:
            self.graph.hnsw.efSearch = max(BEAM, 2 * probes)
            similarity_np, list_np = self.graph.search(fingerprint_nd, probes)
            return similarity_np, list_np
        faiss = needed("faiss")
        centroids_ld = self._centroids_ld[among]
        similarity_np, place_np = faiss.knn(fingerprint_nd, centroids_ld, probes, metric=faiss.METRIC_INNER_PRODUCT)
        return similarity_np, among[place_np].astype(np.int64)

    @cached_property
    def _centroids_ld(self) -> NDArray[np.float32]:
        centroids_ld: NDArray[np.float32] = self.graph.reconstruct_n(0, self.n_lists)
        return centroids_ld

    def list_of(self, fingerprint_nd: NDArray[np.float32]) -> NDArray[np.int32]:
        """Give the list that each fingerprint belongs to."""
        list_n = self.nearest(fingerprint_nd, 1)[1][:, 0]
        if (list_n < 0).any():
            raise SearchError("some fingerprints are nearest to no list; build the index again.")
        return list_n.astype(np.int32)

    def to_bytes(self) -> bytes:
        """Give the centroids and their graph as they lie on the disk."""
        stored: NDArray[np.uint8] = needed("faiss").serialize_index(self.graph)
        return stored.tobytes()


def parse_coarse(contents: bytes, *, size: int, where: Path) -> Coarse:
    """Read what `Coarse.to_bytes` gave; ``size`` is that of a fingerprint, ``where`` how messages call the file."""
    try:
        graph = needed("faiss").deserialize_index(np.frombuffer(contents, dtype=np.uint8))
    except RuntimeError as error:
        raise SearchError(f"{where} is damaged ({str(error).splitlines()[0][:200]}); build the index again.") from None
    if graph.d != size or not hasattr(graph, "hnsw"):
        raise SearchError(f"{where} doesn't fit the index; build it again.")
    return Coarse(graph)


def lists_for(n_cells: int) -> int:
    """How many lists to cut an index of so many cells into: about four times the square root.

    Examples
    --------
    >>> [lists_for(n) for n in (49_999, 50_000, 1_000_000, 10_000_000)]
    [1, 1024, 4096, 16384]
    """
    if n_cells < EXACT:
        return 1
    return 1 << round(float(np.log2(4 * n_cells**0.5)))


def train_coarse(sample_nd: NDArray[np.float32], n_lists: int) -> Coarse:
    """Find centroids in two steps: parts of the sample, and then centroids of each part.

    That takes a time that grows with the root of the number of lists, and puts lists that lie near
    each other in space near each other on the disk.
    """
    faiss = needed("faiss")
    n_parts = max(1, round(n_lists**0.5))
    part_n = _centroids(sample_nd, n_parts).search(sample_nd, 1)[1][:, 0]
    share = np.bincount(part_n, minlength=n_parts) / len(sample_nd) * n_lists
    centroids = []
    for part, wanted in enumerate(_rounded(share, n_lists).tolist()):
        if wanted:
            graph = _centroids(np.ascontiguousarray(sample_nd[part_n == part]), wanted)
            centroids.append(graph.reconstruct_n(0, wanted))
    threads = faiss.omp_get_max_threads()
    graph = faiss.IndexHNSWFlat(sample_nd.shape[1], NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
    faiss.omp_set_num_threads(1)  # several threads would link the graph in another order each time
    graph.add(np.concatenate(centroids))
    faiss.omp_set_num_threads(threads)
    return Coarse(graph)


def _centroids(sample_nd: NDArray[np.float32], wanted: int) -> Any:  # noqa: ANN401 - FAISS has no types
    """Give FAISS's index of ``wanted`` centroids of unit length."""
    faiss = needed("faiss")
    means = faiss.Kmeans(
        sample_nd.shape[1],
        wanted,
        niter=STEPS,
        spherical=True,
        seed=1,
        min_points_per_centroid=1,
        max_points_per_centroid=1 << 20,
    )
    means.train(sample_nd)
    return means.index


def _rounded(share: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Round shares to whole numbers that add up to ``total``."""
    whole = np.floor(share).astype(np.int64)
    rest = np.argsort(whole - share, kind="stable")[: total - int(whole.sum())]
    whole[rest] += 1
    return whole
