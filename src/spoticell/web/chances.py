"""The probability of each node for some cells of a job: worked out from the weights of the labels when it is asked for.

To write them for all cells takes longer than to answer these, and most are never looked at.
Axes: ``s`` cells that are asked, ``c`` labels, ``m`` ontology nodes.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.decision import probabilities_of
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.model.bundle import Bundle
from spoticell.web import grounds
from spoticell.web.atlas import Kept
from spoticell.web.weights import WEIGHTS, WEIGHTS_ALONE, read_weights

PROBABILITIES, POSSIBLE = "probabilities.npy", "possible.npy"
"""Files of the probabilities, where they don't follow from weights, and of the nodes that can be."""


def keep_possible(relatives: Relatives | None, folder: Path) -> None:
    """Write which nodes the cells of a run can be; nothing where that is any."""
    if relatives is not None:
        np.save(folder / POSSIBLE, relatives.possible_m, allow_pickle=False)


def probabilities(folder: Path, cell_s: NDArray[np.integer], bundle: Bundle) -> NDArray[np.float16]:
    """Give the probability of each node for some cells of a job, ``(s, m)``.

    Parameters
    ----------
    folder
        The job's results.
    cell_s
        Places of the cells.
    bundle
        The model that named them.
    """
    if (folder / PROBABILITIES).exists():
        kept_nm = np.load(folder / PROBABILITIES, mmap_mode="r")
        return np.asarray(kept_nm[cell_s], dtype=np.float16)
    n_labels = len(bundle.manifest.labels)
    (weight_nc, name), *_ = (
        (found, beside)
        for file, beside in ((WEIGHTS, grounds.GROUNDS), (WEIGHTS_ALONE, grounds.GROUNDS_ALONE))
        if (found := read_weights(folder / file, n_labels=n_labels)) is not None
    )
    counts_n = grounds.read_counts(folder / name)
    possible = folder / POSSIBLE
    relatives = _relatives(Kept(bundle), np.load(possible).tobytes()) if possible.exists() else None
    return probabilities_of(np.array(weight_nc[cell_s]), counts_n[cell_s], bundle, relatives).astype(np.float16)


@lru_cache(maxsize=8)
def _relatives(kept: Kept, possible: bytes) -> Relatives:
    bundle = kept.bundle
    possible_m = np.frombuffer(possible, dtype=np.bool_)
    return Relatives(bundle.label_weights, bundle.nodes, load_ontology(), possible_m)
