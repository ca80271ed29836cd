"""Spoticell names human cells from single-cell RNA counts.

    >>> import spoticell
    >>> spoticell.annotate(adata)  # doctest: +SKIP
    >>> spoticell.annotate_file("in.h5ad", "out.h5ad")  # doctest: +SKIP

Names are loaded when they are first used, so that ``import spoticell`` costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spoticell import errors, evaluate, keys, pl, tl
    from spoticell.annotation import Annotation
    from spoticell.bundle import Bundle, load_bundle, packaged_bundles
    from spoticell.files import annotate_file, check
    from spoticell.index import Index, open_index
    from spoticell.indexing import add_to_index, build_index, merge_indexes
    from spoticell.searching import search
    from spoticell.tl import annotate

__version__ = "0.1.0"

# ONNX Runtime from 1.32 on tells its maker of each process that loads it, and keeps a number for the machine in the
# home folder, unless it finds this when it is loaded.  No other value is left to stand: nothing is sent anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOME = {
    "Annotation": "spoticell.annotation",
    "Bundle": "spoticell.bundle",
    "Index": "spoticell.index",
    "add_to_index": "spoticell.indexing",
    "annotate": "spoticell.tl",
    "annotate_file": "spoticell.files",
    "build_index": "spoticell.indexing",
    "check": "spoticell.files",
    "load_bundle": "spoticell.bundle",
    "merge_indexes": "spoticell.indexing",
    "open_index": "spoticell.index",
    "packaged_bundles": "spoticell.bundle",
    "search": "spoticell.searching",
}
_MODULES = frozenset({"errors", "evaluate", "keys", "pl", "tl"})

__all__ = [
    "Annotation",
    "Bundle",
    "Index",
    "__version__",
    "add_to_index",
    "annotate",
    "annotate_file",
    "build_index",
    "check",
    "errors",
    "evaluate",
    "keys",
    "load_bundle",
    "merge_indexes",
    "open_index",
    "packaged_bundles",
    "pl",
    "search",
    "tl",
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(f"spoticell.{name}")
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'spoticell' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
