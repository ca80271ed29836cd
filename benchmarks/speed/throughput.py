"""Cells a second, as whole processes: Spoticell beside other methods, on the same files.

    python -m benchmarks.speed.throughput --python PEERS/bin/python --save throughput
    python -m benchmarks.speed.throughput --quick

Each method reads an h5ad of raw counts (33,538 genes, some 2,000 with counts in a cell, see ``made_cells``), names its
cells and writes the names.  Wall time, processor time and peak memory are those of the process, median of several runs
by turns.  ``--python`` is one that has CellTypist and actinn-jax; without it these are left out.  ``--quick`` compares
the processor time for a few cells with that of a sparse linear model in the same run, and fails if it is far more.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from benchmarks.lib.made_cells import write_cells
from benchmarks.lib.saving import DATA, ROOT, save_figures, save_picture, save_result

SIZES = (3_000, 30_000, 100_000)
QUICK, MOST_TIMES = 5_000, 4.0
"""Cells of a quick comparison, and how many times the linear model's processor time Spoticell may take."""

LINEAR = """
import sys, anndata, numpy as np, pandas as pd
from scipy import sparse
cells = anndata.read_h5ad(sys.argv[1])
counts = sparse.csr_matrix(cells.X)
counts.data = np.log1p(counts.data * np.repeat(1e4 / counts.sum(axis=1).A1, np.diff(counts.indptr))).astype(np.float32)
weights = np.random.default_rng(0).normal(size=(counts.shape[1], 371)).astype(np.float32)
label = np.concatenate([(counts[s : s + 4096] @ weights).argmax(axis=1) for s in range(0, counts.shape[0], 4096)])
pd.Series(label, index=cells.obs_names).to_csv(sys.argv[2])
"""
"""A linear model of as many labels, its weights at random: how it was trained costs no time."""

NEIGHBOURS = """
import sys, anndata, numpy as np, pandas as pd
from scipy import sparse
from sklearn.neighbors import KNeighborsClassifier
cells = anndata.read_h5ad(sys.argv[1])
counts = sparse.csr_matrix(cells.X)
counts.data = np.log1p(counts.data * np.repeat(1e4 / counts.sum(axis=1).A1, np.diff(counts.indptr))).astype(np.float32)
rng = np.random.default_rng(0)
components = (rng.normal(size=(counts.shape[1], 50)) / 100).astype(np.float32)
place = np.concatenate([counts[s : s + 4096] @ components for s in range(0, counts.shape[0], 4096)])
reference = rng.normal(0, place.std(), size=(29_000, 50)).astype(np.float32)
voters = KNeighborsClassifier(15).fit(reference, rng.integers(0, 371, 29_000))
pd.Series(voters.predict(place), index=cells.obs_names).to_csv(sys.argv[2])
"""
"""Principal components and the votes of as many reference cells as the packaged index has."""

CELLTYPIST = """
import sys, warnings
warnings.simplefilter("ignore")
import anndata, celltypist, numpy as np, scanpy
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
cells = anndata.read_h5ad(sys.argv[1])
scanpy.pp.normalize_total(cells, target_sum=1e4)
scanpy.pp.log1p(cells)
rng, genes, labels = np.random.default_rng(0), cells.var_names.to_numpy()[:20_000], 371
model = LogisticRegression()
model.classes_ = np.array([f"type {number}" for number in range(labels)])
model.coef_, model.intercept_ = rng.normal(0, 0.01, (labels, len(genes))), np.zeros(labels)
model.features, model.n_features_in_ = genes, len(genes)
scaler = StandardScaler()
scaler.mean_, scaler.var_, scaler.scale_ = np.zeros(len(genes)), np.ones(len(genes)), np.ones(len(genes))
scaler.n_features_in_ = len(genes)
model = celltypist.models.Model(model, scaler, {"date": "", "details": "", "number_celltypes": labels})
celltypist.annotate(cells, model=model).predicted_labels.to_csv(sys.argv[2])
"""
"""CellTypist's own way from counts to names, each cell by itself, with a model of as many labels and 20,000 genes."""

ACTINN = """
import sys, anndata, actinn_jax
cells = anndata.read_h5ad(sys.argv[1])
model = actinn_jax.bundled_reference("panhuman_distill_v1", quiet=True)
model.predict_frame(cells)[0].to_csv(sys.argv[2])
"""
"""The model that actinn-jax ships with."""


class Cost(NamedTuple):
    """What a run takes."""

    wall: float
    processor: float
    memory: float
    """Peak, in MB."""


Command = Callable[[Path, Path], list[str]]


def methods(peers: str | None) -> dict[str, Command]:
    """Give each method's command for a file and where its names go."""

    def spoticell(*options: str, ending: str = "csv") -> Command:
        start = [sys.executable, "-m", "spoticell", "annotate"]
        return lambda cells, out: [*start, str(cells), "-o", f"{out}.{ending}", "--overwrite", *options]

    def script(python: str, text: str) -> Command:
        return lambda cells, out: [python, "-c", text, str(cells), f"{out}.csv"]

    found = {
        "Spoticell": spoticell(),
        "Spoticell, each cell alone": spoticell("--each-cell-alone"),
        "Spoticell, to h5ad": spoticell(ending="h5ad"),
        "sparse linear model": script(sys.executable, LINEAR),
        "components and neighbours": script(sys.executable, NEIGHBOURS),
    }
    if peers is not None:
        found |= {"CellTypist": script(peers, CELLTYPIST), "actinn-jax": script(peers, ACTINN)}
    return found


def run(command: list[str]) -> Cost:
    """Run a command to its end."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(command)[:300]} failed")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


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


def measured(sizes: list[int], peers: str | None, folder: Path, *, runs: int) -> dict[str, dict[int, Cost]]:
    """Run every method on every size, by turns."""
    commands = methods(peers)
    found: dict[str, dict[int, Cost]] = {name: {} for name in commands}
    for size in sizes:
        cells = folder / f"{size}.h5ad"
        write_cells(cells, size)
        turns = [{name: run(command(cells, folder / "out")) for name, command in commands.items()} for _ in range(runs)]
        for name in commands:
            found[name][size] = Cost(*(median(values) for values in zip(*(turn[name] for turn in turns), strict=True)))
            print(f"{size:,} {name}: {found[name][size]}", flush=True)
        cells.unlink()
    packed = folder / "packed.h5ad"
    write_cells(packed, sizes[-1], compression="gzip")
    costs = [run(commands["Spoticell"](packed, folder / "out")) for _ in range(runs)]
    found["Spoticell, from a gzipped file"] = {sizes[-1]: Cost(*map(median, zip(*costs, strict=True)))}
    return found


def table(found: dict[str, dict[int, Cost]]) -> list[str]:
    """Give the rows of the result."""
    lines = [
        "| method | cells | wall (s) | cells a second | processor time (s) | peak memory (MB) |",
        "|---|---|---|---|---|---|",
    ]
    return lines + [
        f"| {name} | {size:,} | {cost.wall:.1f} | {size / cost.wall:,.0f} | {cost.processor:.1f} | {cost.memory:,.0f} |"
        for name, costs in found.items()
        for size, cost in costs.items()
    ]


def draw(found: dict[str, dict[int, Cost]]) -> plt.Figure:
    """Draw time and memory against the number of cells."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for name, costs in found.items():
        if len(costs) > 1:
            for axes, values in ((left, [c.wall for c in costs.values()]), (right, [c.memory for c in costs.values()])):
                axes.plot(list(costs), values, marker="o", label=name, linewidth=2 if name == "Spoticell" else 1)
    for axes, what in ((left, "seconds, whole process"), (right, "peak memory (MB)")):
        axes.set(xscale="log", yscale="log", xlabel="cells", ylabel=what)
        axes.xaxis.set(minor_formatter=NullFormatter(), major_formatter=StrMethodFormatter("{x:,.0f}"))
        axes.yaxis.set(minor_formatter=NullFormatter(), major_formatter=StrMethodFormatter("{x:,.0f}"))
        axes.set_xticks(sorted({size for costs in found.values() for size in costs}))
        axes.grid(alpha=0.3, which="both", axis="y")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return figure


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--python", help="a Python that has CellTypist and actinn-jax")
    parser.add_argument("--quick", action="store_true", help="compare a few cells with a linear model only")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.quick:
            if not DATA.is_dir():
                print(f"not compared: {DATA} isn't there (SPOTICELL_DATA), so there are no cells to make others of")
                return
            quick(Path(folder))
            return
        found = measured(args.sizes, args.python, Path(folder), runs=args.runs)
    lines = table(found)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Cells a second", lines)
        save_figures(
            args.save, {name: {n: cost._asdict() for n, cost in costs.items()} for name, costs in found.items()}
        )
        save_picture(args.save, draw(found))


if __name__ == "__main__":
    main()
