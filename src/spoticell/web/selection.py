"""A set of the cells of a job, and the genes that set it apart from the others.

Axes: ``n`` cells, ``s`` cells that are compared, ``g`` the bundle's genes.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.group_genes import group_genes, telling
from spoticell.web import sink
from spoticell.web.arrays import Counts
from spoticell.web.marked import known_for
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results
from spoticell.web.sample_schemas import Chosen
from spoticell.web.summary import UNKNOWN_TYPE

MOST_COMPARED = 1000
"""Cells of a set, and as many of the others, that are compared; of more, so many are drawn, each as likely."""
NONE_LEFT = "The filters leave none of these cells."


def members(results: Results, chosen: Chosen) -> NDArray[np.bool_]:
    """Say of each cell whether it is in a set, or refuse one that can't be."""
    said = [way for way in (chosen.types, chosen.group, chosen.cells) if way is not None]
    if len(said) != 1:
        raise Refusal(422, "Say which cells are meant in one way: types, group or cells.")
    if chosen.types is not None:
        member_n = np.isin(results.types(), chosen.types)
    elif chosen.group is not None:
        member_n = _of_group(results, chosen.group)
    else:
        member_n = unpacked_bits(chosen.cells or "", results.n_cells)
    if not member_n.any():
        raise Refusal(422, "No cell is chosen.")
    return member_n


def kept_members(results: Results, chosen: Chosen, kept_n: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say of each cell whether it is in a set and a reader's filters keep it, or refuse where none is."""
    member_n = members(results, chosen) & kept_n
    if not member_n.any():
        raise Refusal(422, NONE_LEFT)
    return member_n


def types_meant(results: Results, chosen: Chosen, member_n: NDArray[np.bool_]) -> list[str]:
    """Give the terms whose markers tell a set of cells: its types, commonest first; its group's; its commonest type."""
    if chosen.group is not None:
        summary = json.loads((results.folder / sink.SUMMARY).read_text(encoding="utf-8"))
        return [str(summary["groups"][chosen.group]["term"])]
    own_n = results.types()[member_n]
    numbers, cells = np.unique(own_n[own_n != UNKNOWN_TYPE], return_counts=True)
    common = numbers[np.argsort(-cells, kind="stable")]
    nodes_t = results.array(sink.NODES)
    terms = [results.bundle.nodes[nodes_t[number]] for number in common.tolist()]
    return terms if chosen.types is not None else terms[:1]


def _of_group(results: Results, group: int) -> NDArray[np.bool_]:
    path = results.folder / sink.GROUPS
    if not path.exists():
        raise Refusal(422, "This run was asked for no groups.")
    group_n = np.frombuffer(gzip.decompress(path.read_bytes()), dtype="<u2")
    return np.asarray(group_n == group)


def unpacked_bits(text: str, n_cells: int) -> NDArray[np.bool_]:
    """Read a bit for each cell.

    Examples
    --------
    >>> unpacked_bits("BQ==", 4).tolist()
    [True, False, True, False]
    """
    try:
        packed = np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint8)
    except (binascii.Error, ValueError):
        raise Refusal(422, "The cells can't be read: they are no base64.") from None
    if len(packed) != (n_cells + 7) // 8:
        raise Refusal(422, f"The cells can't be read: {n_cells:,} cells take {(n_cells + 7) // 8:,} bytes.")
    return np.unpackbits(packed, count=n_cells, bitorder="little").astype(np.bool_)


def drawn(cells: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """Give some of the cells, in their order, always the same."""
    if len(cells) <= most:
        return cells
    return np.sort(np.random.default_rng(0).choice(cells, most, replace=False))


def apart(
    results: Results, member_n: NDArray[np.bool_], terms: Sequence[str], *, kept_n: NDArray[np.bool_]
) -> dict[str, Any]:
    """Give the genes that set cells apart from the others that are kept, with the share of cells that have them.

    Those that are known to mark one of some types say which.

    The statistic is that of the groups: the AUC of log-normalised counts, genes of mitochondria and ribosomes left out.
    """
    own_s = drawn(np.flatnonzero(member_n), MOST_COMPARED)
    other_s = drawn(np.flatnonzero(kept_n & ~member_n), MOST_COMPARED)
    cell_s = np.sort(np.concatenate([own_s, other_s]))
    counts_sg = Counts(results.folder / sink.COUNTS).rows(cell_s)
    code_s = np.where(member_n[cell_s], 0, -1)
    vocabulary = results.bundle.vocabulary
    (found,) = group_genes(counts_sg, code_s, 1, among_g=telling(vocabulary))
    seen_sk = counts_sg[:, [gene.gene for gene in found]].toarray() > 0
    known = known_for(results.markers, terms, [gene.gene for gene in found])
    share_k, elsewhere_k = (seen_sk[code_s == code].mean(axis=0) for code in (0, -1)) if found else ([], [])
    return {
        "cells": int(member_n.sum()),
        "compared": len(own_s),
        "others": len(other_s),
        "genes": [
            {
                "symbol": vocabulary.symbols[gene.gene],
                "id": vocabulary.ids[gene.gene],
                "auc": round(gene.auc, 4),
                "share": round(float(share), 4),
                "elsewhere": round(float(elsewhere), 4),
                "known": mark,
            }
            for gene, share, elsewhere, mark in zip(found, share_k, elsewhere_k, known, strict=True)
        ],
    }
