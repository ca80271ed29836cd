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
    >>> needed("no_such_library", extra="search", doing="search")
    Traceback (most recent call last):
    spoticell.errors.ConfigError: search needs no_such_library. Install the extra 'search': pip install ...
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(missing(name.partition(".")[0], extra=extra, doing=doing)) from error


def missing(library: str, *, extra: str, doing: str) -> str:
    """Say what is missing and how to get it.

    Examples
    --------
    >>> print(missing("faiss", extra="search", doing="search"))
    search needs faiss. Install the extra 'search': pip install '.[search]' in your clone, or pip install ...
    """
    # the package is on no index, so its name alone would find nothing, or another's
    lines = f"pip install '.[{extra}]' in your clone, or pip install 'FILE.whl[{extra}]'"
    return f"{doing} needs {library}. Install the extra '{extra}': {lines}."
