"""Counts of some cells as bytes, and back, without loss.

The genes of a cell rise, so what is kept of them is the way from each to the next: most ways are short and squeeze
well.  Both lists are squeezed by Blosc with Zstandard, their low and high bytes apart; nearly all high bytes are zero.
Axes: ``n`` cells, ``g`` genes, ``e`` counts that aren't zero.
"""

from __future__ import annotations

import numpy as np
from numcodecs import Blosc
from numpy.typing import NDArray
from scipy import sparse

MOST_GENES = 1 << 16
"""Genes that a way of two bytes can lead to."""
MOST_COUNTS = (1 << 32) - 1
"""Largest count that is kept; a larger one is cut to it."""

HEADER = 16
"""Bytes before the contents of a Blosc frame; the last four are its length."""

_ONE_BLOCK = 1 << 24
"""More bytes than a piece of a shard has.  Blosc squeezes blocks in threads and puts them in the order in which they
are done; with one block a frame the same cells give the same bytes."""

_blosc = Blosc("zstd", clevel=1, shuffle=Blosc.SHUFFLE, blocksize=_ONE_BLOCK)


def encode(counts_ng: sparse.csr_array) -> tuple[bytes, bytes]:
    """Give the genes and the counts of some cells as bytes; how many entries each cell has is kept elsewhere.

    Parameters
    ----------
    counts_ng
        Counts, canonical (sorted, no zeros); fractions are rounded.

    Examples
    --------
    >>> cells = sparse.csr_array(np.array([[0, 3, 0, 1], [7, 0, 0, 0]]))
    >>> decode(*encode(cells), entries_n=np.array([2, 1]), n_genes=4).toarray().tolist()
    [[0.0, 3.0, 0.0, 1.0], [7.0, 0.0, 0.0, 0.0]]
    """
    if counts_ng.shape[1] > MOST_GENES:
        raise ValueError(f"{counts_ng.shape[1]} genes; at most {MOST_GENES} can be kept")
    way_e = np.diff(counts_ng.indices, prepend=np.int32(0))
    first_n = counts_ng.indptr[:-1][np.diff(counts_ng.indptr) > 0]
    way_e[first_n] = counts_ng.indices[first_n]
    whole_e = np.clip(np.rint(counts_ng.data.astype(np.float64)), 0, MOST_COUNTS)
    kind = "<u2" if whole_e.max(initial=0) < 1 << 16 else "<u4"
    return _squeeze(way_e.astype("<u2")), _squeeze(whole_e.astype(kind))


def decode(genes: bytes, counts: bytes, *, entries_n: NDArray[np.integer], n_genes: int) -> sparse.csr_array:
    """Give the counts of some cells, ``(n, g)``, float32.

    Parameters
    ----------
    genes, counts
        From `encode`.
    entries_n
        Entries of each cell.
    n_genes
        Number of genes ``g``.

    Raises
    ------
    ValueError
        If the bytes don't hold as many entries, or a gene that isn't there.
    """
    pointer_n = np.concatenate([[0], np.cumsum(entries_n, dtype=np.int64)])
    way_e = np.frombuffer(_expand(genes), dtype="<u2")
    raw = _expand(counts)
    value_e = np.frombuffer(raw, dtype="<u2" if len(raw) == 2 * len(way_e) else "<u4")
    if not len(way_e) == len(value_e) == pointer_n[-1]:
        raise ValueError(f"{len(way_e)} genes and {len(value_e)} counts where {pointer_n[-1]} are said to be")
    # sums may wrap around, which differences don't notice
    sum_e = np.cumsum(way_e, dtype=np.uint32)
    before_n = np.concatenate([np.zeros(1, dtype=np.uint32), sum_e])[pointer_n[:-1]]
    gene_e = (sum_e - np.repeat(before_n, entries_n)).astype(np.int32)
    if gene_e.max(initial=0) >= n_genes:
        raise ValueError("counts of genes that aren't there")
    shape = (len(entries_n), n_genes)
    return sparse.csr_array((value_e.astype(np.float32), gene_e, pointer_n), shape=shape)


def _squeeze(values_e: NDArray[np.uint16] | NDArray[np.uint32]) -> bytes:
    # Blosc makes something of nothing that it can't read
    return bytes(_blosc.encode(values_e)) if len(values_e) else b""


def _expand(frame: bytes) -> bytes:
    # Blosc trusts the length that a frame states of itself
    if frame and (len(frame) < HEADER or int.from_bytes(frame[12:HEADER], "little") != len(frame)):
        raise ValueError("a piece of another length than it states")
    return bytes(_blosc.decode(frame)) if frame else b""
