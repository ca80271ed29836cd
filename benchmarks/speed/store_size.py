"""A store at scale: preparing it, its size, reading it shuffled, and training from it, with time and memory.

    python -m benchmarks.speed.store_size CELLS --save store

CELLS is a folder of h5ad files that benchmarks/corpus_cells.py made.  The same files are taken in three portions, to
show whether time grows with the cells and memory doesn't.  Every figure is of a process of its own; memory is its
largest resident set.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.lib.saving import save_result

PORTIONS = (0.05, 0.2, 1.0)
READ_SECONDS, TRAIN_STEPS = 20.0, 30

READ = """
import json, sys, time
from pathlib import Path
import numpy as np
from spoticell.biology.genes import load_vocabulary
from spoticell.training.config import TrainConfig
from spoticell.training.data.opening import open_supply
start = time.perf_counter()
supply = open_supply(Path(sys.argv[1]), load_vocabulary(), TrainConfig())
opened, cells, pools = time.perf_counter() - start, 0, 0
start = time.perf_counter()
while time.perf_counter() - start < float(sys.argv[2]):
    cells += len(supply.pool(np.random.default_rng(pools), streams=1).cells)
    pools += 1
print(json.dumps({"opened": opened, "rate": cells / (time.perf_counter() - start)}))
"""

TRAIN = """
import json, statistics, sys, tempfile, time
from pathlib import Path
import torch
from spoticell.biology.genes import load_vocabulary
from spoticell.training.config import NetworkConfig, TrainConfig
from spoticell.training.data.opening import open_supply
from spoticell.training.loop import Run
steps, config = int(sys.argv[2]), TrainConfig(network=NetworkConfig(layout="random"))
supply = open_supply(Path(sys.argv[1]), load_vocabulary(), config)
with tempfile.TemporaryDirectory() as folder:
    run = Run(supply, load_vocabulary(), config, output=Path(folder), random_state=0)
    draws = run.draws.from_step(0, [0])
    fixed = [next(draws)]
    seconds = {"with": [], "without": []}
    for _ in range(steps):
        for kind in seconds:
            start = time.perf_counter()
            run.advance([next(draws)] if kind == "with" else fixed)
            seconds[kind].append(time.perf_counter() - start)
    draws.close()
rates = {kind: config.batch_size / statistics.median(times) for kind, times in seconds.items()}
print(json.dumps(rates))
"""


def run(command: list[str]) -> tuple[float, float, str]:
    """Run a command and give its wall seconds, its peak memory in MB and what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate()
    peak = int(err.rsplit("PEAK ", 1)[-1].split()[0]) / 1024 if "PEAK " in err else 0.0
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {err[-2000:]}")
    return time.perf_counter() - start, peak, out


def measured(*arguments: str) -> tuple[float, float, str]:
    """Run Python code or a module in a process that tells its own peak memory at the end."""
    tail = "import atexit, resource, sys\natexit.register(lambda: print('PEAK', resource.getrusage("
    tail += "resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr))\n"
    code, *rest = arguments
    return run([sys.executable, "-c", tail + code, *rest])


PREPARE = "import sys\nsys.argv[0] = 'spoticell'\nfrom spoticell.cli.app import main\nmain()\n"


def portion(files: list[Path], share: float, folder: Path, *, train: bool) -> dict[str, float]:
    chosen = files[: max(round(len(files) * share), 1)]
    cells = folder / "cells"
    shutil.rmtree(cells, ignore_errors=True)
    cells.mkdir()
    for path in chosen:
        (cells / path.name).symlink_to(path.resolve())
    recipe, store = folder / "recipe.yaml", folder / "store"
    recipe.write_text("name: big\nsources:\n- file: cells/*.h5ad\n")
    shutil.rmtree(store, ignore_errors=True)
    seconds, peak, _ = measured(PREPARE, "prepare", str(recipe), "-o", str(store), "--quiet")
    manifest = json.loads((store / "store.json").read_text())
    shards = sum(one["bytes"] for source in manifest["sources"] for one in source["shards"])
    _, read_peak, out = measured(READ, str(store), str(READ_SECONDS))
    read = json.loads(out)
    row = {
        "cells": manifest["cells"],
        "genes a cell": manifest["entries"] / manifest["cells"],
        "prepare_s": seconds,
        "prepare_mb": peak,
        "ratio": shards / sum(path.stat().st_size for path in chosen),
        "opened_s": read["opened"],
        "read": read["rate"],
        "read_mb": read_peak,
    }
    if train:
        _, train_peak, out = measured(TRAIN, str(store), str(TRAIN_STEPS))
        row |= {"train_mb": train_peak, **json.loads(out)}
    return row


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("--portions", type=float, nargs="+", default=PORTIONS)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    files = sorted(args.cells.glob("*.h5ad"))
    with tempfile.TemporaryDirectory(dir=args.cells.parent) as folder:
        rows = []
        for share in args.portions:
            rows.append(portion(files, share, Path(folder), train=share == max(args.portions)))
            print(rows[-1], file=sys.stderr, flush=True)
    lines = [
        "| cells | genes with a count | prepare (s) | cells/s | memory (MB) | store / gzip h5ad | open (s) | shuffled "
        "reading (cells/s) | memory (MB) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        rate = row["cells"] / row["prepare_s"]
        lines.append(
            f"| {row['cells']:,} | {row['genes a cell']:,.0f} | {row['prepare_s']:,.0f} | {rate:,.0f} | "
            f"{row['prepare_mb']:,.0f} | {row['ratio']:.2f} | {row['opened_s']:.1f} | {row['read']:,.0f} | "
            f"{row['read_mb']:,.0f} |"
        )
    last = rows[-1]
    lines += [
        "",
        f"Training the default network from the largest store: {last['with']:,.0f} cells/s with batches drawn from it "
        f"as they are needed, {last['without']:,.0f} cells/s with one batch over and over, steps of both kinds in turn "
        f"(medians); memory {last['train_mb']:,.0f} MB.",
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "A store of labelled cells at scale", lines)


if __name__ == "__main__":
    main()
