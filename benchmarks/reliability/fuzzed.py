"""A child process that damages files and gives them to Spoticell, one after another.

    python -m benchmarks.reliability.fuzzed ORIGINALS FIRST LAST

Each case follows from its number alone.  A line is printed before it and another after it, so that the parent knows
of which case a child died, or hangs.
"""

from __future__ import annotations

import json
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import spoticell
from benchmarks.reliability.formats import FORMATS
from benchmarks.reliability.mutations import damage
from benchmarks.reliability.torture import read_cells
from spoticell.errors import SpoticellError
from spoticell.model.bundle import load_bundle

ROOT = Path(__file__).parents[2]
ARCHIVE = ROOT / "tests" / "archive"
CELLS = ARCHIVE / "cells.h5ad"
DEMO = ROOT / "src" / "spoticell" / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
ROOM = 4 << 30
"""Address space that a child may have beyond what it has when it starts, in bytes."""

Use = Callable[[Path, Path], object]


def write_originals(folder: Path) -> None:
    """Write what is damaged: some cells in every format that is a file, and a bundle and an index of the archive."""
    table = read_cells(DEMO, 40)
    table = type(table)(np.rint(np.abs(table.values_nv[:, :200])), table.cells, table.genes[:200], table.columns)
    for name, write in FORMATS.items():
        if name != "in memory":
            place = folder / name.replace(" ", "_")
            place.mkdir()
            write(table, place)
    shutil.copytree(ARCHIVE / "bundle-1.2" / "bundle", folder / "bundle" / "bundle")
    shutil.copytree(ARCHIVE / "index-1.0" / "index", folder / "index" / "index")


def uses() -> tuple[Use, dict[str, Use]]:
    """Give what is done with damaged cells, and with other damaged things by the names of their originals."""
    model, small = load_bundle("human-v1"), load_bundle(ARCHIVE / "bundle-1.0" / "bundle")

    def annotate(path: Path, output: Path) -> object:
        return spoticell.annotate(path, output, model=model, threads=1, on_progress=False)

    def with_bundle(path: Path, output: Path) -> object:
        return spoticell.annotate(CELLS, output, model=path, threads=1, on_progress=False)

    def with_index(path: Path, output: Path) -> pd.DataFrame:
        return spoticell.search(CELLS, path, output, k=3, model=small, threads=1, on_progress=False)

    return annotate, {"bundle": with_bundle, "index": with_index}


def peak_mb() -> float:
    """Give the most memory that this process had at a time since the last call of `forget_peak`, in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1e3


def forget_peak() -> None:
    """Begin to measure the most memory anew."""
    Path("/proc/self/clear_refs").write_text("5")


def one(number: int, originals: Path, use: Use, others: dict[str, Use]) -> dict[str, object]:
    """Try one case: damage a copy of an original, and use it."""
    rng = random.Random(number)
    original = rng.choice(sorted(originals.iterdir()))
    with tempfile.TemporaryDirectory() as name:
        place, out = Path(name) / "place", Path(name) / "out"
        shutil.copytree(original, place)
        out.mkdir()
        whole = next((path for path in place.iterdir() if path.is_dir() or path.suffix == ".mtx"), None)
        path = whole or next(place.iterdir())
        if path.suffix == ".mtx":
            damaged, what = damage(place, rng)
            path = damaged / path.name
        else:
            path, what = damage(path, rng)
        found = {"number": number, "original": original.name, "what": what, "message": ""}
        suffix = ".h5ad" if path.suffix == ".h5ad" and rng.random() < 0.5 else ".csv"
        start = time.monotonic()
        forget_peak()
        try:
            others.get(original.name, use)(path, out / f"answers{suffix}")
            found["outcome"] = "answered"
        except SpoticellError as error:
            found |= {"outcome": "refused", "message": str(error)}
        except Exception as error:  # noqa: BLE001 - what should have been explained is what is sought
            found |= {"outcome": "unexplained", "message": f"{type(error).__name__}: {error}"}
        found |= {"seconds": time.monotonic() - start, "mb": peak_mb()}
        if found["outcome"] != "answered" and any(out.iterdir()):
            found |= {"outcome": "left behind", "message": ", ".join(path.name for path in out.iterdir())}
    return found


def main() -> None:
    """Try a range of cases."""
    originals, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    warnings.simplefilter("ignore")
    use, others = uses()
    use(CELLS.with_name("cells.h5ad"), Path(tempfile.mkdtemp()) / "warm.csv")
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ROOM, size + ROOM))
    for number in range(first, last):
        print(json.dumps({"number": number}), flush=True)
        print(json.dumps(one(number, originals, use, others)), flush=True)


if __name__ == "__main__":
    main()
