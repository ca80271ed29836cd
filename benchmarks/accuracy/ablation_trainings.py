"""Trainings that no config describes, for the ablation: cells as ranks, and a network that learns from others.

While one of these holds, trainings in this process differ.  Graphs are exported as ever: the ablation asks networks.
Axes: ``n`` cells, ``g`` genes, ``v`` values of a sparse matrix, ``c`` labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from spoticell.training import export
from spoticell.training.data.batches import Batch
from spoticell.training.fast import FastFingerprintNetwork
from spoticell.training.loop import Run
from spoticell.training.objective import Lesson
from spoticell.training.pretrained import load_start

TAUGHT = 0.7
"""Weight of what the teachers say; the rest is the label's."""


@contextmanager
def cells_as_ranks() -> Iterator[None]:
    """Let networks see the rank of each expressed gene within its cell, from 0 to 1, in place of its count."""
    scale, write_graph = FastFingerprintNetwork.scale, export.write_graph

    def by_rank(network: FastFingerprintNetwork, counts_ng: Tensor) -> Tensor:
        sparse_ng = counts_ng if counts_ng.is_sparse else counts_ng.to_sparse()
        cell_v = sparse_ng.indices()[0]
        # squared, as the network takes roots
        rank_v = torch.from_numpy(ranks(cell_v.numpy(), sparse_ng.values().numpy())).square()
        ranked_ng = torch.sparse_coo_tensor(
            sparse_ng.indices(), rank_v, sparse_ng.shape, is_coalesced=True, check_invariants=False
        )
        return scale(network, ranked_ng if counts_ng.is_sparse else ranked_ng.to_dense())

    def plainly(*args: Any, **kwargs: Any) -> None:
        with patch.object(FastFingerprintNetwork, "scale", scale):
            write_graph(*args, **kwargs)

    with patch.object(FastFingerprintNetwork, "scale", by_rank), patch.object(export, "write_graph", plainly):
        yield


def ranks(cell_v: NDArray[np.integer], value_v: NDArray[np.floating]) -> NDArray[np.float32]:
    """Give the rank of each value among those of its cell, over their number; equal values share their mean rank.

    Examples
    --------
    >>> ranks(np.array([0, 0, 0, 0, 1]), np.array([5.0, 1.0, 1.0, 9.0, 2.0])).tolist()
    [0.75, 0.375, 0.375, 1.0, 1.0]
    """
    return pd.Series(value_v).groupby(cell_v).rank(pct=True).to_numpy(dtype=np.float32)


@contextmanager
def learning_from(bundles: Sequence[Path]) -> Iterator[None]:
    """Let trainings learn the mean of what some networks say of the same cells, seen in the same way, beside labels.

    Hinton, Vinyals and Dean 2015, arXiv:1503.02531.
    """
    starts = [load_start(bundle) for bundle in bundles]
    teachers = [(start.labels, start.network().eval()) for start in starts]
    start_run = Run.__init__

    def with_teachers(started: Run, *args: Any, **kwargs: Any) -> None:
        start_run(started, *args, **kwargs)
        placed = [(places_of(labels, started.labels), teacher) for labels, teacher in teachers]
        started.lesson = Taught(started.lesson, placed)  # type: ignore[assignment]

    with patch.object(Run, "__init__", with_teachers):
        yield


def places_of(labels: Sequence[str], wanted: Sequence[str]) -> Tensor:
    """Give the position of each wanted label; one behind the last for those that aren't there.

    Examples
    --------
    >>> places_of(("a", "b"), ("b", "c")).tolist()
    [1, 2]
    """
    return torch.tensor([labels.index(label) if label in labels else len(labels) for label in wanted])


class Taught:
    """A lesson with teachers.

    Parameters
    ----------
    lesson
        What labels teach.
    teachers
        Networks, each with the positions of the labels in what it says.
    """

    def __init__(self, lesson: Lesson, teachers: Sequence[tuple[Tensor, FastFingerprintNetwork]]) -> None:
        self.lesson, self.teachers = lesson, teachers

    def __call__(self, network: FastFingerprintNetwork, batch: Batch) -> Tensor:
        """Give the mean loss of a batch."""
        found: list[Tensor] = []

        def once(counts_ng: Tensor, measured_ng: Tensor) -> tuple[Tensor, Tensor]:
            fingerprint_nd, logits_nc = network(counts_ng, measured_ng)
            found.append(logits_nc)
            return fingerprint_nd, logits_nc

        labelled = self.lesson(once, batch)
        with torch.no_grad():
            said_nc = sum(self._say(place_c, teacher, batch) for place_c, teacher in self.teachers)
            said_nc = said_nc / said_nc.sum(1, keepdim=True).clamp_min(1e-6)
        taught = -(said_nc * torch.log_softmax(found[0], dim=1)).sum(1).mean()
        return (1 - TAUGHT) * labelled + TAUGHT * taught

    def _say(self, place_c: Tensor, teacher: FastFingerprintNetwork, batch: Batch) -> Tensor:
        chance_nc = torch.softmax(teacher(batch.counts_ng, batch.measured_ng)[1], dim=1)
        return torch.cat([chance_nc, torch.zeros(len(chance_nc), 1)], dim=1)[:, place_c]
