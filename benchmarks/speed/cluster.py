"""How much faster two workers of a Dask cluster are than one, by the clock.

    python -m benchmarks.speed.cluster --save cluster

Several files of made cells (see ``made_cells``) are named by ``spoticell annotate ... --dask ADDRESS`` with workers of
one thread, started beforehand, by turns with one worker and with two; and once without a cluster, whose answers are
compared to the byte.  The machine must be idle: with fewer idle cores than workers the clock says nothing.
"""

from __future__ import annotations

import argparse
import filecmp
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import distributed

from benchmarks.lib.made_cells import write_cells
from benchmarks.lib.saving import save_result
from benchmarks.speed.throughput import run

WORKERS = (1, 2)
WAYS = {"each cell alone": ["--each-cell-alone"], "with the sample": []}


@contextmanager
def cluster(workers: int) -> Iterator[str]:
    """Start workers of one thread, and give the address of their scheduler."""
    # what a worker loads at its first task is loaded before the clock is started
    with (
        distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as started,
        distributed.Client(started) as client,
    ):
        client.run(__import__, "spoticell.annotation.cluster.task")
        yield started.scheduler_address


def command(files: list[Path], folder: Path, *options: str) -> list[str]:
    """Give the command that names the cells of some files into a folder, with one thread of its own."""
    to = ["-o", str(folder), "--threads", "1", "--overwrite", "-q"]
    return [sys.executable, "-m", "spoticell", "annotate", *map(str, files), *to, *options]


def measured(files: list[Path], folder: Path, turns: int) -> dict[str, dict[int, float]]:
    """Give the seconds that each way takes with each number of workers."""
    spent: dict[str, dict[int, list[float]]] = {way: {workers: [] for workers in WORKERS} for way in WAYS}
    for way, options in WAYS.items():
        alone = folder / f"{way} without"
        alone.mkdir()
        run(command(files, alone, *options))
        for _ in range(turns):
            for workers in WORKERS:
                out = folder / f"{way} {workers}"
                out.mkdir(exist_ok=True)
                with cluster(workers) as address:
                    spent[way][workers].append(run(command(files, out, "--dask", address, *options)).wall)
                names = sorted(path.name for path in alone.iterdir())
                if filecmp.cmpfiles(alone, out, names, shallow=False)[0] != names:
                    raise SystemExit(f"{way}: {workers} workers give other answers than none")
                print(f"{way}, {workers} workers: {spent[way][workers][-1]:.1f} s", flush=True)
    return {way: {workers: median(seconds) for workers, seconds in of.items()} for way, of in spent.items()}


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=4)
    parser.add_argument("--cells", type=int, default=25_000, help="of each file")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.h5ad" for number in range(args.files)]
        for number, path in enumerate(files):
            write_cells(path, args.cells, seed=number)
        found = measured(files, Path(folder), args.turns)
    lines = [
        f"{args.files} files of {args.cells:,} cells and 33,538 genes: seconds by the clock, medians of {args.turns}",
        "turns. Workers have one thread each, and so has the process that was started. Answers were those without",
        "a cluster, to the byte.",
        "",
        "| what | one worker | two workers | times as fast |",
        "|---|---|---|---|",
        *(f"| {way} | {of[1]:.1f} | {of[2]:.1f} | {of[1] / of[2]:.2f} |" for way, of in found.items()),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Workers of a cluster", lines)


if __name__ == "__main__":
    main()
