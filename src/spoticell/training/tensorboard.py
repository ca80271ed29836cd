"""Curves of a training for TensorBoard, written by the first process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from torch.utils.tensorboard import SummaryWriter

from spoticell.training.ranks import Ranks

EVERY = 20
"""Steps from one point of a curve to the next."""


class Log:
    """Writes curves into ``logs`` while it is open; a context manager.

    Parameters
    ----------
    output
        The folder of the training.
    ranks
        The processes that train together; only the first one writes.
    """

    def __init__(self, output: Path, ranks: Ranks) -> None:
        self._writer = SummaryWriter(str(output / "logs")) if ranks.is_first else None

    def step(self, step: int, *, loss: float, cells: float) -> None:
        """Add the loss of a step and the cells a second."""
        if self._writer is not None and step % EVERY == 0:
            self._writer.add_scalar("step/loss", loss, step)
            self._writer.add_scalar("step/cells_per_second", cells, step)

    def epoch(self, figures: Mapping[str, float]) -> None:
        """Add the figures of an epoch."""
        if self._writer is not None:
            for name, value in figures.items():
                self._writer.add_scalar(name, value, int(figures["epoch"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()
