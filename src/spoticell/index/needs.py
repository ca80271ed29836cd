"""Libraries that only searching needs, loaded when they are, with a sentence where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from spoticell.errors import ConfigError


def check_installed() -> None:
    """Refuse to begin what would end for want of a library."""
    for name in ("faiss", "pyarrow"):
        needed(name)


def needed(name: str) -> Any:  # noqa: ANN401 - a module
    """Give a module of the extra ``search``.

    Raises
    ------
    ConfigError
        If it isn't installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"searching needs {name.partition('.')[0]}, which is not installed; run: pip install 'spoticell[search]'"
        ) from error
