"""What the answer to each labelled cell is worth, by the rule of an evaluation.

Axis: ``n`` cells.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.figures import verdicts

RIGHT, COARSER = "right", "coarser"


def worth(label_n: NDArray[np.object_], answer_n: NDArray[np.object_]) -> NDArray[np.object_]:
    """Give what `figures.verdicts` says of each cell: ``right``, ``coarser``, ``wrong``, ``unanswered``; '' unlabelled.

    Examples
    --------
    >>> label_n = np.array(["CL:0000084", "CL:0000624", ""], dtype=object)
    >>> worth(label_n, np.array(["CL:0000624", "CL:0000084", "CL:0000084"], dtype=object)).tolist()
    ['right', 'coarser', '']
    """
    pairs = list(zip(label_n.tolist(), answer_n.tolist(), strict=True))
    found = {pair: _only(verdicts([pair[0]], [pair[1]])) for pair in set(pairs)}
    return np.array([found[pair] for pair in pairs], dtype=object)


def _only(counts: dict[str, int]) -> str:
    return next((what for what, cells in counts.items() if cells), "")
