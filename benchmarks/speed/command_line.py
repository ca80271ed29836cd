"""Wall time and peak memory of the command line, as whole processes: help, check, annotate.

    python -m benchmarks.speed.command_line --save command_line

Annotates kang2018 (2,800 cells) and made cells of realistic size (20,000 genes, 2,000 non-zeros a cell) at two sizes,
so that it shows whether memory grows.  Each command runs several times; medians are printed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem

from benchmarks.lib.saving import DATA, save_result
from spoticell.biology.genes import load_vocabulary

NON_ZEROS = 2000
SIZES = (5_000, 20_000)


def make_cells(path: Path, n_cells: int, *, seed: int = 0) -> None:
    """Write cells of realistic size, block by block."""
    rng = np.random.default_rng(seed)
    genes = load_vocabulary().ids[:20_000]
    with h5py.File(path, "w") as file:
        file.attrs.update({"encoding-type": "anndata", "encoding-version": "0.1.0"})
        write_elem(file, "obs", pd.DataFrame(index=[f"cell{number}" for number in range(n_cells)]))
        write_elem(file, "var", pd.DataFrame(index=list(genes)))
        matrix = file.create_group("X")
        matrix.attrs.update(
            {"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": (n_cells, len(genes))}
        )
        matrix["indptr"] = np.arange(n_cells + 1, dtype=np.int64) * NON_ZEROS
        options = {"chunks": (100 * NON_ZEROS,), "compression": "gzip", "compression_opts": 1}
        data = matrix.create_dataset("data", (n_cells * NON_ZEROS,), np.float32, **options)
        indices = matrix.create_dataset("indices", (n_cells * NON_ZEROS,), np.int32, **options)
        for start in range(0, n_cells, 1000):
            stop = min(start + 1000, n_cells)
            columns = [np.sort(rng.choice(len(genes), NON_ZEROS, replace=False)) for _ in range(start, stop)]
            rows = slice(start * NON_ZEROS, stop * NON_ZEROS)
            indices[rows] = np.concatenate(columns)
            data[rows] = rng.geometric(0.5, (stop - start) * NON_ZEROS)


def measure(command: Sequence[str], *, runs: int) -> tuple[float, float, float]:
    """Run a command and give median, least and greatest wall seconds, and peak memory in MB."""
    seconds, peak = [], 0
    for _ in range(runs):
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        peak = max(peak, usage.ru_maxrss)
        if status:
            raise SystemExit(f"{' '.join(command)} failed")
    return statistics.median(seconds), max(seconds), peak / 1024


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    spoticell = str(Path(sys.executable).with_name("spoticell"))
    kang = str(DATA / "test" / "kang2018_ifnb_pbmc.h5ad")
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out.h5ad")
        commands = {
            "spoticell --help": [spoticell, "--help"],
            "check, 2,800 cells": [spoticell, "check", kang],
            "annotate to csv, 2,800 cells": [spoticell, "annotate", kang, "-o", out[:-4] + "csv", "--overwrite"],
            "annotate to h5ad, 2,800 cells": [spoticell, "annotate", kang, "-o", out, "--overwrite"],
            "the same with a report": [
                *[spoticell, "annotate", kang, "-o", out, "--overwrite"],
                *["--report", out[:-4] + "html"],
            ],
        }
        for size in SIZES:
            path = Path(folder) / f"{size}.h5ad"
            make_cells(path, size)
            commands[f"annotate to h5ad, {size:,} cells of 2,000 genes"] = [
                *[spoticell, "annotate", str(path), "-o", out, "--overwrite"],
            ]
        rows = {name: measure(command, runs=args.runs) for name, command in commands.items()}
    lines = ["| command | median wall (s) | slowest (s) | peak memory (MB) |", "|---|---|---|---|"]
    lines += [f"| {name} | {median:.2f} | {most:.2f} | {peak:.0f} |" for name, (median, most, peak) in rows.items()]
    lines += ["", "Memory below that of the measuring process itself can't be seen, which is what `--help` shows."]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "The command line", lines)


if __name__ == "__main__":
    main()
