"""Where results, their figures and their pictures go, and what stands above them: date, machine, command."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from spoticell.io.write import atomic

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SPOTICELL_DATA", ROOT.parent / "shared" / "data"))
RESULTS = ROOT / "benchmarks" / "results"
IMAGES = ROOT / "docs" / "images"


def save_result(name: str, title: str, lines: Sequence[str]) -> None:
    """Write a result in Markdown under the command line that made it."""
    head = [
        f"# {title}",
        "",
        f"{datetime.now(UTC).date()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "",
        f"`python -m {shlex.join([_module(), *map(_shown, sys.argv[1:])])}`",
        "",
    ]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.md").write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def _module() -> str:
    """Name of the benchmark that runs."""
    return ".".join(Path(sys.argv[0]).resolve().relative_to(ROOT).with_suffix("").parts)


def _shown(argument: str) -> str:
    """Give an argument as a reader can use it: of a place on this machine only the last name, in capitals."""
    return Path(argument).name.upper() if Path(argument).is_absolute() else argument


def save_figures(name: str, figures: Any) -> None:
    """Write the figures of a result as JSON beside it."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def save_picture(name: str, figure: Figure) -> None:
    """Write the picture of a result among those of the documentation."""
    with atomic(IMAGES / f"{name}.png") as path:
        figure.savefig(path, dpi=120, metadata={"Software": None})
