"""What goes for every plot: axes that can be drawn into, and words that are shown as they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase
from matplotlib.text import Text

from spoticell.errors import ConfigError

Asked = ParamSpec("Asked")
Drawn = TypeVar("Drawn")

LEVELS = ("fine", "broad")
MOST_NAMED = 50
"""Genes that may be named on a picture; more cover it."""
OWN = "\\mathdefault"
"""What numbers of matplotlib's own are written with, as on logarithmic axes."""


def drawn(plot: Callable[Asked, Drawn]) -> Callable[Asked, Drawn]:
    """Refuse axes, levels and numbers that can't be, and show names with a dollar as they are, not as formulas."""

    @wraps(plot)
    def checked(*args: Asked.args, **kwargs: Asked.kwargs) -> Drawn:
        ax = kwargs.get("ax")
        if ax is not None and not (isinstance(ax, Axes) and ax.name == "rectilinear"):
            raise ConfigError(f"ax is {_called(ax)}; give plain axes, as plt.subplots() makes them.")
        level, n_named = kwargs.get("level", LEVELS[0]), kwargs.get("n_named", 0)
        if level not in LEVELS:
            raise ConfigError(f"there is no level {level!r}; there are {' and '.join(map(repr, LEVELS))}.")
        if not (isinstance(n_named, int) and 0 <= n_named <= MOST_NAMED):
            raise ConfigError(f"n_named is {n_named!r}; it may be a whole number from 0 to {MOST_NAMED}.")
        given = ax.get_figure() if isinstance(ax, Axes) else None
        parsed = {text: text.get_parse_math() for text in _texts(given)}
        words = {text: text.get_text() for text in parsed}
        try:
            for text in parsed:
                text.set_parse_math(False)
            # texts are measured while they are placed
            with plt.rc_context({"text.parse_math": False}):
                result = plot(*args, **kwargs)
        finally:
            for text, is_parsed in parsed.items():
                text.set_parse_math(is_parsed)
        for text in _texts(given or _figure_of(result)):
            said = text.get_text()
            is_ours = "$" in said and OWN not in said and words.get(text) != said
            text.set_parse_math(parsed.get(text, True) and not is_ours)
        return result

    return checked


def _called(ax: object) -> str:
    return f"axes of the kind {ax.name!r}" if isinstance(ax, Axes) else f"of the kind {type(ax).__name__}"


def _figure_of(result: object) -> FigureBase | None:
    if isinstance(result, FigureBase):
        return result
    first = next(iter(np.ravel(np.asarray(result, dtype=object))), None)
    return first.get_figure() if isinstance(first, Axes) else None


def _texts(figure: FigureBase | None) -> list[Text]:
    return [] if figure is None else [text for text in figure.findobj(Text) if isinstance(text, Text)]
