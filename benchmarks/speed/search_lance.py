"""Ways to search with LanceDB, for ``search_speed.py``: the index of Spoticell in a Lance database, and other kinds.

Positions in a Lance database are in the order in which cells came, so they are numbers of vectors.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.search_vectors import K, reference_blocks
from spoticell.index import create_index, open_index
from spoticell.index.lance.writer import lists_for
from spoticell.model.bundle import load_bundle

NAME = "spoticell.lance"


def build_lance(x_nd: np.ndarray, folder: Path) -> None:
    if not (folder / NAME / "about.lance").exists():
        create_index(folder / NAME, load_bundle(), reference_blocks(x_nd))


def open_lance(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    index = open_index(folder / NAME)
    _ = index.groups
    return lambda q_nd: index.search(q_nd, k=K).row_nk


def build_kind(x_nd: np.ndarray, folder: Path, *, kind: str) -> None:
    """Give a copy of the table of cells an inverted file of another kind."""
    shutil.rmtree(folder / f"{kind}.lance", ignore_errors=True)
    cells = connected(folder / NAME).open_table("cells").search().select(["row", "fingerprint"]).to_batches(1 << 16)
    table = connected(folder / f"{kind}.lance").create_table("cells", data=cells)
    table.create_index("fingerprint", config=config(kind, len(x_nd)))


def config(kind: str, n: int) -> Any:
    import lancedb.index  # noqa: PLC0415 - only where it is installed

    if kind == "hnsw":
        return lancedb.index.HnswSq(distance_type="cosine", num_partitions=max(1, n // 1_000_000))
    return lancedb.index.IvfPq(
        distance_type="cosine", num_partitions=lists_for(n), num_sub_vectors=16, max_iterations=10, sample_rate=40
    )


def open_kind(folder: Path, *, kind: str, probes: int) -> Callable[[np.ndarray], np.ndarray]:
    """Search an inverted file, and rank five times as many candidates as are wanted by the stored half floats."""
    table = connected(folder / f"{kind}.lance").open_table("cells")

    def search(q_nd: np.ndarray) -> np.ndarray:
        found = []
        for start in range(0, len(q_nd), 1024):
            part = q_nd[start : start + 1024].astype(np.float16)
            question = table.search(part, vector_column_name="fingerprint").distance_type("cosine").limit(K)
            hits = question.nprobes(probes).refine_factor(5).select(["row", "_distance"]).to_arrow()
            query = hits["query_index"].to_numpy() if len(part) > 1 else np.zeros(len(hits), int)
            found.append(hits["row"].to_numpy()[np.argsort(query, kind="stable")].reshape(-1, K))
        return np.concatenate(found)

    return search


def connected(place: Path) -> Any:
    import lancedb  # noqa: PLC0415 - only where it is installed

    return lancedb.connect(place)


METHODS = {
    "lance": ("Spoticell in a Lance database: lists, half floats", build_lance, open_lance, NAME),
    "lance_pq": (
        "LanceDB IVF_PQ of 128 bits, 50 ranked again",
        partial(build_kind, kind="pq"),
        partial(open_kind, kind="pq", probes=10),
        "pq.lance",
    ),
    "lance_hnsw": (
        "LanceDB IVF_HNSW_SQ, 50 ranked again",
        partial(build_kind, kind="hnsw"),
        partial(open_kind, kind="hnsw", probes=1),
        "hnsw.lance",
    ),
}
