"""What the examples in docstrings share: figures that they leave open are closed, or matplotlib warns of too many."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _no_figure_stays() -> Iterator[None]:
    yield
    # not imported here: most examples draw nothing
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
