"""Spoticell's store beside the loaders that others have made: size, writing, shuffled reading, and what order it is.

    python -m benchmarks.speed.loaders FOLDER --venvs VENVS --save loaders

FOLDER gets the cells (made by benchmarks/corpus_cells.py, then put in order of data set and donor, as corpora come) and
a store of each loader.  Each loader runs in processes and an environment of its own, VENVS/NAME, made with

    python3.12 -m venv annbatch
    annbatch/bin/pip install 'annbatch[zarrs]==0.3.1' anndata==0.13.4 zarr==3.4.2 zarrs==0.2.3
    python3.11 -m venv scdataset
    scdataset/bin/pip install scDataset==0.3.0 torch==2.13.0 anndata==0.12.19 zarr==3.1.6 zarrs==0.2.3
    python3.11 -m venv tiledbsoma-ml
    tiledbsoma-ml/bin/pip install tiledbsoma-ml==0.1.0 tiledbsoma==2.3.0 torch==2.13.0 anndata==0.12.19
    python3.11 -m venv scdl
    scdl/bin/pip install bionemo-scdl==0.1.3 torch==2.13.0 anndata==0.12.19

(torch's CPU build is enough).  A loader whose environment is missing is left out.  What each does is in
benchmarks/loader_arms.py.  Speeds are medians of rounds in which all loaders have their turn one after the other, the
files in the system's memory; ratios are to Spoticell in the same round.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

import anndata as ad
import numpy as np
from scipy import sparse

from benchmarks.lib.saving import save_result
from benchmarks.speed.corpus_cells import make_corpus
from benchmarks.speed.loader_arms import ARMS, BATCH, HELD, KEYS, LABEL, SOURCE, Arm, cell_keys

HERE = Path(__file__).parent
PYTHONS = {"": "3.11", "annbatch": "3.12", "scdataset": "3.8", "tiledbsoma-ml": "3.9", "scdl": "3.10"}
"""Oldest Python that each states for itself."""
NOTES = f"""\
All but BioNeMo SCDL, which needs none, draw from {HELD:,} cells in memory, in batches of {BATCH} as sparse counts.
Spoticell draws pieces of 64 cells of a type with replacement, by types and data sets, puts a tenth of the cells aside
for validation, counts no more cells than it read, and reads in one thread; annbatch uses both cores. The others give
each cell once an epoch, unless types are balanced. annbatch shuffles once when it writes, then reads chunks of 512
cells, or 64; its balanced drawing needs a store sorted by type, and leaves out types of fewer cells than a chunk.
scDataset reads blocks of 32 cells where nothing else is said. With workers it repeats its epoch, unless they are kept
alive; tiledbsoma-ml always does. Neither tiledbsoma-ml nor BioNeMo SCDL balances types, but torch's samplers can draw
from BioNeMo SCDL by any weights. Every loader gave the counts that were put in. Writing begins with the gzip h5ad;
Spoticell's also checks counts and labels. Memory includes imports (torch, but for annbatch) and mapped files."""


def make_source(folder: Path, cells: int) -> None:
    """Write the cells that all begin with, and what tells them."""
    if (folder / KEYS).exists():
        return
    drawn = ad.read_h5ad(make_corpus(folder / "drawn", cells=cells, files=1)[0])
    ordered = drawn[np.lexsort([drawn.obs["donor_id"].cat.codes, drawn.obs["tissue"].cat.codes])].copy()
    ordered.write_h5ad(folder / SOURCE, compression="gzip")
    labels = ordered.obs[LABEL].cat.codes.to_numpy()
    keys = cell_keys(sparse.csr_array(ordered.X))
    np.savez(folder / KEYS, keys=keys, labels=labels, genes=ordered.n_vars)


def bytes_of(path: Path) -> int:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return sum(one.stat().st_size for one in files)


class Bench:
    """The arms that can run here, each in its environment."""

    def __init__(self, folder: Path, venvs: Path, names: list[str]) -> None:
        self.folder = folder.resolve()
        self.pythons = {name: self._python(ARMS[name], venvs) for name in names}
        for name in [name for name, python in self.pythons.items() if not python.exists()]:
            print(f"{name}: no {self.pythons.pop(name)}", file=sys.stderr)

    def _python(self, arm: Arm, venvs: Path) -> Path:
        return venvs.resolve() / arm.venv / "bin" / "python" if arm.venv else Path(sys.executable)

    def run(self, name: str, what: str) -> dict[str, Any]:
        """Have an arm do one thing in a process of its own."""
        command = [str(self.pythons[name]), str(HERE / "loader_arms.py"), name, what, str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{name} {what} failed: {done.stderr[-2000:]}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        print(name, what, result, file=sys.stderr, flush=True)
        return result

    def write(self) -> dict[str, dict[str, Any]]:
        """Write every store that some arm makes, anew."""
        written = {}
        for name in self.pythons:
            store = self.folder / ARMS[name].store
            if ARMS[name].write is not None:
                shutil.rmtree(store) if store.is_dir() else store.unlink(missing_ok=True)
                written[name] = self.run(name, "write")
        return written

    def read(self, rounds: int) -> dict[str, list[dict[str, Any]]]:
        """Have all arms read in turn, round after round."""
        turns = [{name: self.run(name, "read") for name in self.pythons} for _ in range(rounds)]
        return {name: [turn[name] for turn in turns] for name in self.pythons}


def middle(rows: list[dict[str, Any]], key: str) -> float:
    return median(row[key] for row in rows)


def table(bench: Bench, rounds: int) -> list[str]:
    """Measure everything and give the lines of the tables."""
    written, read = bench.write(), bench.read(rounds)
    order = {name: bench.run(name, "order") for name in bench.pythons if name != "scdataset-gzip"}
    gzip = bytes_of(bench.folder / SOURCE)
    lines = [
        "| | Python from | size / gzip h5ad | write (s) | memory (MB) | shuffled reading (cells/s) | / Spoticell | "
        "cells per CPU second | / Spoticell | memory (MB) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ours = read["spoticell"]
    for name, turns in read.items():
        arm, made = ARMS[name], written.get(name)
        wall, cpu = (median(a[key] / b[key] for a, b in zip(turns, ours, strict=True)) for key in ("rate", "cpu_rate"))
        writing = f"{made['seconds']:,.0f} | {made['mb']:,.0f}" if made else " | "
        lines.append(
            f"| {arm.title} | {PYTHONS[arm.venv]} | {bytes_of(bench.folder / arm.store) / gzip:.2f} | {writing} | "
            f"{middle(turns, 'rate'):,.0f} | {wall:.2f} | {middle(turns, 'cpu_rate'):,.0f} | {cpu:.2f} | "
            f"{middle(turns, 'mb'):,.0f} |"
        )
    rates = [turn["rate"] for turn in ours]
    lines += [
        "",
        f"Medians of {rounds} rounds; Spoticell's were between {min(rates):,.0f} and {max(rates):,.0f} cells/s.",
        "",
        f"| | places of 64 cells in a batch of {BATCH} | types in a batch | types in an epoch | cells seen in an "
        "epoch | second epoch differs | same for a seed |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in order.items():
        lines.append(
            f"| {ARMS[name].title} | {row['blocks']:.0f} | {row['labels']:.1f} | {row['types']} | {row['seen']:.0%} | "
            f"{'yes' if row['differ'] else 'no'} | {'yes' if row['repeats'] else 'no'} |"
        )
    return lines


def ideal(folder: Path) -> str:
    """Say what batches drawn from all cells at once would look like."""
    with np.load(folder / KEYS) as file:
        label_n = file["labels"]
    rng = np.random.default_rng(0)
    batches = [rng.choice(len(label_n), BATCH, replace=False) for _ in range(200)]
    blocks = np.mean([len(np.unique(batch // 64)) for batch in batches])
    labels = np.mean([len(np.unique(label_n[batch])) for batch in batches])
    return (
        f"Batches drawn from all {len(label_n):,} cells at once would have {blocks:.0f} places and {labels:.1f} of the "
        f"{len(np.unique(label_n))} types."
    )


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--cells", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--arms", nargs="+", default=list(ARMS), choices=list(ARMS))
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    make_source(args.folder, args.cells)
    bench = Bench(args.folder, args.venvs, ["spoticell", *(name for name in args.arms if name != "spoticell")])
    lines = table(bench, args.rounds)
    lines += ["", ideal(args.folder), "", NOTES]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Spoticell's store beside other loaders", lines)


if __name__ == "__main__":
    main()
