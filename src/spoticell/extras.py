"""Libraries that only some installs have, loaded when they are needed, with a sentence where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from spoticell.errors import ConfigError


def needed(name: str, *, extra: str, doing: str) -> Any:  # noqa: ANN401 - a module
    """Give a module of an extra.

    Parameters
    ----------
    name
        Of the module.
    extra
        What ``pip`` must be asked for.
    doing
        What the library is needed for, as a sentence begins.

    Raises
    ------
    ConfigError
        If it isn't installed.

    Examples
    --------
    >>> needed("no_such_library", extra="search", doing="searching")
    Traceback (most recent call last):
    spoticell.errors.ConfigError: searching needs no_such_library, which is not installed; run: pip install ...
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"{doing} needs {name.partition('.')[0]}, which is not installed; run: pip install 'spoticell[{extra}]'"
        ) from error
