"""Cells a second, as whole processes: Spoticell beside other methods, on the same files.

    python -m benchmarks.speed.throughput --folder FILES --python PEERS/bin/python --py-spy PY_SPY --save throughput
    python -m benchmarks.speed.throughput --quick

Each method reads an h5ad of raw counts (33,538 genes, some 2,000 with counts in a cell, see ``made_cells``), names its
cells and writes the names.  Wall time, processor time and peak memory are those of the process, the median of several
runs by turns; a file of more than 50,000 cells is read once.  The file of a million cells takes 16 GB, and all take
25 minutes to make and 20 to measure.

Files and what was measured stay in ``--folder``: what was stopped goes on there, and nothing is measured twice.  Remove
its ``measured.json`` to measure again.  ``--python`` is one that has CellTypist and actinn-jax; without it these are
left out.  What would need more memory than there is, or more time than ``--longest``, isn't run, and the table says
why.  With ``--py-spy`` the flame graph is drawn too (see ``flame``).  ``--quick`` compares the processor time for a few
cells with that of a sparse linear model in the same run, and fails if it is far more.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from benchmarks.lib.made_cells import write_cells
from benchmarks.lib.saving import DATA, ROOT, save_figures, save_picture, save_result
from benchmarks.speed import flame
from benchmarks.speed.throughput_methods import Command, methods
from spoticell.io.write import atomic

SIZES = (3_000, 50_000, 300_000, 1_000_000)
OFTEN = 50_000
"""Files of more cells are read once."""
PACKED, COPIED = "Spoticell, from a gzipped file", "Spoticell, to h5ad"
"""What is run on one file only, the largest that is read often."""
MEMORY = 0.95 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
"""Bytes that a process may ask for; one that takes more ends itself and not its neighbours."""
QUICK, MOST_TIMES = 5_000, 4.0
"""Cells of a quick comparison, and how many times the linear model's processor time Spoticell may take."""


class Cost(NamedTuple):
    """What a run takes."""

    wall: float
    processor: float
    memory: float
    """Peak, in MB."""


class TooLargeError(Exception):
    """A method wanted more memory or time than it may have."""


class Kept:
    """What was measured, each run written down as soon as it is over.

    Parameters
    ----------
    path
        The file, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs: list[dict] = json.loads(path.read_text()) if path.exists() else []

    def costs(self, name: str, size: int) -> list[Cost]:
        """Give the runs of a method on a file."""
        return [Cost(*run["cost"]) for run in self.runs if (run["method"], run["cells"]) == (name, size)]

    def add(self, name: str, size: int, cost: Cost) -> None:
        """Write a run down."""
        self.runs.append({"method": name, "cells": size, "cost": cost})
        with atomic(self.path) as path:
            path.write_text(json.dumps(self.runs, indent=1) + "\n")

    def guess(self, name: str, size: int) -> Cost | None:
        """Guess what a method will take from what it took for fewer cells; nothing if that says too little."""
        known = {run["cells"]: run["cost"] for run in self.runs if run["method"] == name and run["cells"] < size}
        if len(known) < 2:
            return None
        slopes, bases = np.polyfit(sorted(known)[-2:], [known[cells] for cells in sorted(known)[-2:]], 1)
        return Cost(*(bases + slopes * size).tolist())


def run(command: list[str]) -> Cost:
    """Run a command to its end."""
    # as where it is installed: without their bytecode on disk, our own modules alone take a quarter of a second to load
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start, nowhere = time.perf_counter(), subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere, cwd=ROOT, env=environment)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (int(MEMORY), int(MEMORY)))
    _, status, usage = os.wait4(process.pid, 0)
    wall, memory = time.perf_counter() - start, usage.ru_maxrss / 1024
    if status and memory * 2**20 > MEMORY / 2:
        raise TooLargeError(f"it wants more than {MEMORY / 1e9:.0f} GB")
    if status:
        raise SystemExit(f"{' '.join(command)[:300]} failed")
    return Cost(wall, usage.ru_utime + usage.ru_stime, memory)


def quick(folder: Path) -> None:
    """Compare the processor time for a few cells with that of a linear model, and fail if it is far more."""
    write_cells(folder / "cells.h5ad", QUICK)
    found, commands = {}, methods(None)
    for name in ("Spoticell", "sparse linear model"):
        found[name] = min(run(commands[name](folder / "cells.h5ad", folder / "out")).processor for _ in range(3))
    times = found["Spoticell"] / found["sparse linear model"]
    print(f"{QUICK:,} cells: {times:.1f} times the processor time of a sparse linear model ({MOST_TIMES:.0f} at most)")
    if times > MOST_TIMES:
        raise SystemExit(1)


def measured(
    sizes: list[int], peers: str | None, folder: Path, *, runs: int, longest: float = np.inf
) -> dict[str, dict[int, Cost | str]]:
    """Run every method on every size, by turns; what wasn't run has the reason in place of its cost."""
    kept, commands = Kept(folder / "measured.json"), methods(peers)
    found: dict[str, dict[int, Cost | str]] = {name: {} for name in (*commands, PACKED)}
    often = max((size for size in sizes if size <= OFTEN), default=None)
    for size in sorted(sizes):
        cells = made(folder / f"{size}.h5ad", size)
        turns = {name: (command, cells) for name, command in commands.items()}
        if size != often:
            del turns[COPIED]
        else:
            turns[PACKED] = commands["Spoticell"], made(folder / f"{size}.packed.h5ad", size, compression="gzip")
        for turn in range(runs if size <= OFTEN else 1):
            for name, (command, path) in turns.items():
                if isinstance(found[name].get(size), str) or len(kept.costs(name, size)) > turn:
                    continue
                try:
                    cost = one(command, path, kept.guess(name, size), longest)
                except TooLargeError as reason:
                    found[name][size] = str(reason)
                else:
                    kept.add(name, size, cost)
                    print(f"{size:,} {name}: {cost}", flush=True)
        for name in turns:
            if costs := kept.costs(name, size):
                found[name][size] = Cost(*(median(values) for values in zip(*costs, strict=True)))
    return found


def made(path: Path, size: int, *, compression: str | None = None) -> Path:
    """Give a file of made cells, which is made if it isn't there."""
    if not path.exists():
        print(f"making {path.name}", flush=True)
        with atomic(path) as passing:
            write_apart(passing, size, compression)
    return path


def write_apart(path: Path, size: int, compression: str | None) -> None:
    """Write cells in a process of its own: what is run later is counted as no smaller than this one has been."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
        maker.submit(write_cells, path, size, compression=compression).result()


def one(command: Command, cells: Path, wanted: Cost | None, longest: float) -> Cost:
    """Run a method once, unless it would want too much memory or time."""
    if wanted is not None and wanted.memory * 2**20 > MEMORY:
        raise TooLargeError(f"it would want {wanted.memory / 1024:,.0f} GB")
    if wanted is not None and wanted.wall > longest:
        raise TooLargeError(f"it would take {wanted.wall / 60:,.0f} minutes")
    with tempfile.TemporaryDirectory(dir=cells.parent) as results:
        return run(command(cells, Path(results) / "out"))


def table(found: dict[str, dict[int, Cost | str]]) -> list[str]:
    """Give the rows of the result."""
    lines = [
        "| method | cells | wall (s) | cells a second | processor time (s) | peak memory (MB) |",
        "|---|---|---|---|---|---|",
    ]
    for name, costs in found.items():
        for size, cost in costs.items():
            if isinstance(cost, str):
                lines.append(f"| {name} | {size:,} | not run: {cost} | | | |")
            else:
                figures = f"{cost.wall:.1f} | {size / cost.wall:,.0f} | {cost.processor:.1f} | {cost.memory:,.0f}"
                lines.append(f"| {name} | {size:,} | {figures} |")
    return lines


def draw(found: dict[str, dict[int, Cost | str]]) -> plt.Figure:
    """Draw time and memory against the number of cells."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
    for name, all_costs in found.items():
        costs = {size: cost for size, cost in all_costs.items() if not isinstance(cost, str)}
        if len(costs) > 1:
            ours = name.startswith("Spoticell")
            style = {"marker": "o", "label": name, "linewidth": 2.5 if name == "Spoticell" else 1.2}
            for axes, values in ((left, [c.wall for c in costs.values()]), (right, [c.memory for c in costs.values()])):
                axes.plot(list(costs), values, linestyle="-" if ours else "--", markersize=5, **style)
    for axes, what in ((left, "seconds, whole process"), (right, "peak memory (MB)")):
        axes.set(xscale="log", yscale="log", xlabel="cells", ylabel=what)
        axes.xaxis.set(minor_formatter=NullFormatter(), major_formatter=StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set(minor_formatter=NullFormatter(), major_formatter=StrMethodFormatter("{x:,.0f}"))
        axes.set_xticks(sorted({size for costs in found.values() for size in costs}))
        axes.grid(alpha=0.3, which="both", axis="y")
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--longest", type=float, default=np.inf, help="seconds; what would take more isn't run")
    parser.add_argument("--folder", type=Path, help="where files and what was measured stay; they don't without it")
    parser.add_argument("--python", help="a Python that has CellTypist and actinn-jax")
    parser.add_argument("--py-spy", help="the program py-spy, to draw a flame graph with")
    parser.add_argument("--quick", action="store_true", help="compare a few cells with a linear model only")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with ExitStack() as stack:
        folder = (args.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        if args.quick:
            if not DATA.is_dir():
                print(f"not compared: {DATA} isn't there (SPOTICELL_DATA), so there are no cells to make others of")
                return
            quick(folder)
            return
        folder.mkdir(parents=True, exist_ok=True)
        found = measured(args.sizes, args.python, folder, runs=args.runs, longest=args.longest)
        if args.py_spy:
            save_picture("flame", flame.draw(flame.record(made(folder / f"{OFTEN}.h5ad", OFTEN), args.py_spy)))
    lines = table(found)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Cells a second", lines)
        costs_of = {name: {n: c for n, c in costs.items() if not isinstance(c, str)} for name, costs in found.items()}
        save_figures(args.save, {name: {n: c._asdict() for n, c in costs.items()} for name, costs in costs_of.items()})
        save_picture(args.save, draw(found))


if __name__ == "__main__":
    main()
