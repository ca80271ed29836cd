"""Real gene panels, through which cells are seen at times.

Axis: ``g`` genes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spoticell.biology.genes import Vocabulary
from spoticell.training.data.augment import Mask


def read_panels(folder: Path | None, vocabulary: Vocabulary) -> list[Mask]:
    """Read gene panels: text files of one gene a line, lines with # left out.

    Parameters
    ----------
    folder
        Holds ``.txt`` files; None gives no panels.
    vocabulary
        The genes ``g``.

    Returns
    -------
    One boolean array ``(g,)`` a panel.
    """
    masks = []
    for path in sorted(folder.glob("*.txt")) if folder else []:
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        measured_g = np.zeros(len(vocabulary), dtype=np.bool_)
        measured_g[[vocabulary.exact[name] for name in names if name in vocabulary.exact]] = True
        masks.append(measured_g)
    return masks
