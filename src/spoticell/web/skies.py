"""Pictures of single cells and of types on the gene grid, with the numbers behind each pixel.

A picture travels as its levels, one byte a pixel row by row, then the numbers of the pixels that shine, little-endian
float32 in the same order.
Axes: ``n`` cells, ``g`` the bundle's genes, ``t`` types in the order of the summary, ``p`` pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from spoticell.io.passing import passing_place
from spoticell.model.bundle import Bundle
from spoticell.report.picture import SEEN, level_picture
from spoticell.web import sink
from spoticell.web.arrays import Counts, log_normalised

MEANS = "means.npy"

Floats = NDArray[np.float32]


def sky_of_cell(folder: Path, bundle: Bundle, n: int) -> bytes:
    """Give a cell's picture, which goes with the root of its counts, and its counts."""
    counts_g = Counts(folder / sink.COUNTS).cell(n)
    return _sent(bundle, _levels(counts_g, bundle, folder), counts_g)


def sky_of_type(folder: Path, bundle: Bundle, t: int) -> bytes:
    """Give a type's mean picture and the mean log-normalised count of each gene."""
    mean_g = type_means(folder, bundle)[t]
    return _sent(bundle, _mean_levels(mean_g, bundle, folder), mean_g)


def skies_of_types(folder: Path, bundle: Bundle) -> bytes:
    """Give the levels of all types' mean pictures, one after the other."""
    return b"".join(_mean_levels(mean_g, bundle, folder).tobytes() for mean_g in type_means(folder, bundle))


def type_means(folder: Path, bundle: Bundle) -> Floats:
    """Give the mean log-normalised counts of each type's cells, ``(t, g)``; kept beside the counts once worked out.

    A count c of a cell with s counts is ``log(1 + 10,000 c / s)``.
    """
    path = folder / MEANS
    if path.exists():
        return np.asarray(np.load(path, mmap_mode="r"))
    types_n, nodes = np.load(folder / sink.TYPES), np.load(folder / sink.NODES)
    sum_tg: Floats = np.zeros((len(nodes), bundle.manifest.n_genes), dtype=np.float32)
    for first, counts_ng in Counts(folder / sink.COUNTS).blocks():
        own_n = types_n[first : first + counts_ng.shape[0]]
        known = np.flatnonzero(own_n < len(nodes))
        of_type = sparse.csr_array(
            (np.ones(len(known), dtype=np.float32), (own_n[known], known)), shape=(len(nodes), len(own_n))
        )
        sum_tg += (of_type @ _log_normalised(counts_ng)).toarray()
    cells_t = np.bincount(types_n[types_n < len(nodes)], minlength=len(nodes))
    mean_tg: Floats = (sum_tg / np.maximum(cells_t, 1)[:, None]).astype(np.float32)
    with passing_place(path) as made:
        with made.open("wb") as file:
            np.save(file, mean_tg, allow_pickle=False)
        made.replace(path)
    return mean_tg


def _log_normalised(counts_ng: sparse.csc_array) -> sparse.csc_array:
    total_n = np.bincount(counts_ng.indices, weights=counts_ng.data, minlength=counts_ng.shape[0])
    logs = log_normalised(np.maximum(counts_ng.data, 0), total_n[counts_ng.indices]).astype(np.float32)
    return sparse.csc_array((logs, counts_ng.indices, counts_ng.indptr), shape=counts_ng.shape)


def _levels(values_g: Floats, bundle: Bundle, folder: Path) -> NDArray[np.uint8]:
    measured_g = np.load(folder / sink.MEASURED)
    return level_picture(values_g, bundle.pixel_g, measured_g=measured_g, grid=bundle.manifest.grid).ravel()


def _mean_levels(mean_g: Floats, bundle: Bundle, folder: Path) -> NDArray[np.uint8]:
    # the brightness of a picture is the root of what it is given
    return _levels(np.square(mean_g), bundle, folder)


def _sent(bundle: Bundle, level_p: NDArray[np.uint8], values_g: Floats) -> bytes:
    value_p = np.zeros(len(level_p), dtype="<f4")
    value_p[bundle.pixel_g] = values_g
    return level_p.tobytes() + value_p[level_p >= SEEN].tobytes()
