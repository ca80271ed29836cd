"""How near the web page's guess of a run's time is, for the first run of a server.

    python -m benchmarks.speed.page_estimate --save web_estimate

For each number of cells a server is started that has run nothing, and asked how long the run takes.  Cells are drawn as
in ``page_server``.  On a machine that others use too the clock says little, so the processor time of the server and all
its processes stands for it.  Divided by the threads that are busy, 1 in a check and 1.3 of two in a run, it is what the
clock says on a machine that has nothing else to do; the guess is made of such a check.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from benchmarks.lib.saving import DATA, save_result
from benchmarks.speed.page_server import draw_cells, follow, processor_seconds, server
from spoticell.web.jobs import Job
from spoticell.web.rates import guess

SIZES = (1_000, 10_000, 100_000)
BUSY = 1.3
"""Threads that are busy in a run on two quiet cores: processor time by clock."""


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    head = (
        "cells",
        "values",
        "guessed s",
        "run s",
        "off by",
        "processor s: check",
        "run",
        "clock here s: guessed",
        "run",
    )
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for n_cells in args.cells:
        lines.append(row(n_cells, args.data))
        print(lines[-1], flush=True)
    lines += ["", f"The machine's load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "The web page's guess of a run's time", lines)


def row(n_cells: int, data: Path) -> str:
    """Measure the first run of a server."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cells.h5ad"
        draw_cells(path, n_cells, data=data)
        with server(Path(folder) / "state") as (process, client), path.open("rb") as file:
            begun = processor_seconds(process.pid)
            sent = client.post("/api/jobs", files={"file": (path.name, file)}).raise_for_status().json()
            job = follow(client, sent)
            checked, start = processor_seconds(process.pid), time.perf_counter()
            follow(client, client.post(f"{job['links']['self']}/run", json={}).raise_for_status().json())
            clock, done = time.perf_counter() - start, processor_seconds(process.pid)
    check, run = checked - begun, done - checked
    quiet = guess(Job("", "", "", job["bytes"], 0, 0, findings=job["findings"], looked=check))
    off = max(run / BUSY / quiet, quiet * BUSY / run)
    seconds = [f"{value:.1f}" for value in (quiet, run / BUSY)], [f"{value:.1f}" for value in (check, run)]
    here = [f"{job['seconds']:.1f}", f"{clock:.1f}"]
    values = f"{job['findings']['values']:,}"
    return f"| {' | '.join([f'{n_cells:,}', values, *seconds[0], f'{off:.2f}', *seconds[1], *here])} |"


if __name__ == "__main__":
    main()
