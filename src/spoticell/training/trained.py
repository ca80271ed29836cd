"""A network that has learned, with all that its bundle must carry.

Axes: ``g`` genes, ``b`` bits of the code, ``d`` fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.genes import Vocabulary
from spoticell.model.calibration import Calibration, Softening, Trust
from spoticell.training.data.supply import Supply
from spoticell.training.layout import Pixels
from spoticell.training.network import FingerprintNetwork
from spoticell.training.rehearsal import Examples


@dataclass(frozen=True)
class Trained:
    """What training or teaching ends with."""

    network: FingerprintNetwork
    vocabulary: Vocabulary
    pixel_g: Pixels
    labels: tuple[str, ...]
    planes_bd: NDArray[np.float16]
    """Planes of the binary code, unit normals."""
    examples: Examples
    threshold: float
    temperature: float = 1.0
    """Logits are divided by it: more than 1 makes answers less sure."""
    calibration: Calibration | None = None
    """What calibrates the probabilities of a network that learned from a bundle up to format 1.2."""
    softening: Softening | None = None
    """What calibrates the weights of labels."""
    trust: Trust | None = None
    """What makes scores of chances and familiarity."""
    sources: tuple[Mapping[str, Any], ...] = ()
    """Data sets that it has learned from."""


def plain_sources(supply: Supply) -> tuple[dict[str, Any], ...]:
    """Name the data sets of a supply, with the cells that it trains on."""
    return tuple(
        {"name": name, "licence": "not stated", "cells": int(cells)}
        for name, cells in zip(supply.datasets, supply.cells_cs.sum(axis=0), strict=True)
    )
