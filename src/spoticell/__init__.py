"""Spoticell names human cells from single-cell RNA counts.

    >>> import spoticell
    >>> spoticell.annotate(adata)  # doctest: +SKIP
    >>> spoticell.annotate("cells.h5ad", "named.h5ad")  # doctest: +SKIP

Names are loaded when they are first used, so that ``import spoticell`` costs nothing.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from spoticell.version import __version__

if TYPE_CHECKING:
    from spoticell import errors, keys
    from spoticell.annotation.evaluation import Evaluation
    from spoticell.annotation.explanation import Explanation
    from spoticell.annotation.result import Annotation
    from spoticell.api import annotate, build_index, check, evaluate, explain, finetune, prepare, search, train
    from spoticell.index import Index, open_index
    from spoticell.index.build import add_to_index, merge_indexes
    from spoticell.io.demo import demo_cells
    from spoticell.io.findings import Findings
    from spoticell.model.bundle import Bundle, load_bundle, packaged_bundles
    from spoticell.model.pull import pull_model
    from spoticell.report import plots as pl

# ONNX Runtime from 1.32 on tells its maker of each process that loads it, and keeps a number for the machine in the
# home folder, unless it finds this when it is loaded.  No other value is left to stand: nothing is sent anywhere.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

_HOME = {
    "Annotation": "spoticell.annotation.result",
    "Bundle": "spoticell.model.bundle",
    "Evaluation": "spoticell.annotation.evaluation",
    "Explanation": "spoticell.annotation.explanation",
    "Findings": "spoticell.io.findings",
    "Index": "spoticell.index",
    "add_to_index": "spoticell.index.build",
    "annotate": "spoticell.api",
    "build_index": "spoticell.api",
    "check": "spoticell.api",
    "demo_cells": "spoticell.io.demo",
    "evaluate": "spoticell.api",
    "explain": "spoticell.api",
    "finetune": "spoticell.api",
    "load_bundle": "spoticell.model.bundle",
    "merge_indexes": "spoticell.index.build",
    "open_index": "spoticell.index",
    "packaged_bundles": "spoticell.model.bundle",
    "prepare": "spoticell.api",
    "pull_model": "spoticell.model.pull",
    "search": "spoticell.api",
    "train": "spoticell.api",
}
_MODULES = {"errors": "spoticell.errors", "keys": "spoticell.keys", "pl": "spoticell.report.plots"}

__all__ = [
    "Annotation",
    "Bundle",
    "Evaluation",
    "Explanation",
    "Findings",
    "Index",
    "__version__",
    "add_to_index",
    "annotate",
    "build_index",
    "check",
    "demo_cells",
    "errors",
    "evaluate",
    "explain",
    "finetune",
    "keys",
    "load_bundle",
    "merge_indexes",
    "open_index",
    "packaged_bundles",
    "pl",
    "prepare",
    "pull_model",
    "search",
    "train",
]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'spoticell' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
