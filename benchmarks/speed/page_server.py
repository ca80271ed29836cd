"""The web page's server: time from drop to coloured map, twenty uploads at once, weight of the page.

    python -m benchmarks.speed.page_server --save web

Starts ``spoticell serve`` and talks to it over HTTP as a browser does.  The 10,000 cells are made
of those of combat2022 (blood, six donors, 25,456 genes): each count goes to one of a cell's copies, so that no two are
more alike than chance allows, which a check would take for smoothed values.
Memory is the proportional set size of the server and of all its processes together, looked at five times a second.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anndata
import httpx
import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.lib.saving import DATA, ROOT, save_result

PORT = 8377
CELLS, AT_ONCE, SMALL = 10_000, 20, 1_000
SOURCE = "unlabelled/combat2022_blood_6donors_unlabelled_scdapp.h5ad"
STATIC = ROOT / "src" / "spoticell" / "web" / "static"


def draw_cells(path: Path, n_cells: int, *, data: Path, seed: int = 0) -> None:
    """Write cells drawn from real ones."""
    rng = np.random.default_rng(seed)
    cells = anndata.read_h5ad(data / SOURCE)
    left = sparse.csr_matrix(cells.X).astype(np.int64)
    copies = []
    for n_left in range(-(-n_cells // cells.n_obs), 0, -1):
        copy = left.copy()
        copy.data = rng.binomial(left.data, 1 / n_left)
        left.data -= copy.data
        copies.append(copy)
    counts = sparse.vstack(copies, format="csr")[:n_cells].astype(np.float32)
    counts.eliminate_zeros()
    obs = pd.DataFrame(index=[f"cell-{n}" for n in range(n_cells)])
    anndata.AnnData(counts, obs=obs, var=cells.var[[]]).write_h5ad(path, compression="gzip")


@contextmanager
def server(folder: Path, *options: str):
    """Run a server, and give its process once it answers and has loaded what jobs need."""
    command = [sys.executable, "-m", "spoticell", "serve", "--no-browser", "--port", str(PORT), "--data-dir"]
    process = subprocess.Popen([*command, str(folder), *options], stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=600) as client:
            wait_for(lambda: answers(client))
            follow(client, client.post("/api/jobs/demo").json())
            yield process, client
    finally:
        process.terminate()
        process.wait()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/api/info").is_success
    except httpx.TransportError:
        return False


def wait_for(done, *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise SystemExit("the server doesn't answer")
        time.sleep(0.05)


def follow(client: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    while job["state"] in {"checking", "queued", "running"}:
        time.sleep(0.05)
        job = client.get(job["links"]["self"]).json()
    if job["state"] == "failed":
        raise SystemExit(f"failed: {job['error']}")
    return job


def name_cells(client: httpx.Client, path: Path) -> dict[str, float]:
    """Do as a visitor does, and give the seconds from the beginning to each stage."""
    start, seconds = time.perf_counter(), {}
    with path.open("rb") as file:
        job = client.post("/api/jobs", files={"file": (path.name, file)}).raise_for_status().json()
    seconds["received"] = time.perf_counter() - start
    job = follow(client, job)
    seconds["checked"] = time.perf_counter() - start
    job = follow(client, client.post(f"{job['links']['self']}/run", json={}).raise_for_status().json())
    seconds["done"] = time.perf_counter() - start
    summary = client.get(job["links"]["summary"]).raise_for_status().json()
    cells_map = client.get(job["links"]["map"]).raise_for_status().content
    if summary["cells"] != int.from_bytes(cells_map[:4], "little"):
        raise SystemExit("the map is not whole")
    seconds["map and summary here"] = time.perf_counter() - start
    client.delete(job["links"]["self"])
    return seconds


def upload_at_once(client: httpx.Client, path: Path) -> dict[str, Any]:
    """Send many files at the same moment, run them all, and say how many came through."""

    def one(_: int) -> tuple[int, str]:
        with path.open("rb") as file:
            reply = client.post("/api/jobs", files={"file": (path.name, file)})
        if not reply.is_success:
            return reply.status_code, "refused"
        job = follow(client, reply.json())
        job = follow(client, client.post(f"{job['links']['self']}/run", json={}).raise_for_status().json())
        return reply.status_code, job["state"]

    start = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as visitors:
        outcomes = list(visitors.map(one, range(AT_ONCE)))
    return {"seconds": time.perf_counter() - start, "done": sum(state == "done" for _, state in outcomes)}


class Memory:
    """The most memory that a process and its descendants held together."""

    def __init__(self, pid: int) -> None:
        self.pid, self.peak, self.server_peak, self.done = pid, 0.0, 0.0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()

    def watch(self) -> None:
        """Look again and again until it is over."""
        while not self.done.wait(0.2):
            self.peak = max(self.peak, sum(map(held, family(self.pid))))
            self.server_peak = max(self.server_peak, held(self.pid))


def family(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def held(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processor_seconds(pid: int) -> float:
    """Add up the processor time of a process, its descendants, and those that have ended."""
    ticks = 0
    for member in family(pid):
        ticks += sum(map(int, Path(f"/proc/{member}/stat").read_text().rsplit(") ", 1)[1].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder) / "many.h5ad", Path(folder) / "few.h5ad"
        draw_cells(many, CELLS, data=args.data)
        draw_cells(few, SMALL, data=args.data, seed=1)
        with server(Path(folder) / "state") as (process, client), Memory(process.pid) as memory:
            used = processor_seconds(process.pid)
            runs = [name_cells(client, many) for _ in range(args.runs)]
            used = (processor_seconds(process.pid) - used) / args.runs
        with server(Path(folder) / "crowded") as (process, client), Memory(process.pid) as crowded:
            crowd = upload_at_once(client, few)
            first = time.perf_counter()
            page = sum(len(client.get(path).content) for path in pieces())
            seconds = time.perf_counter() - first
        size = many.stat().st_size / 1e6
    lines = [
        f"One file of {CELLS:,} cells ({size:.0f} MB), from the drop on:",
        "",
        "| stage | median s | slowest s |",
        "|---|---|---|",
    ]
    lines += [
        f"| {stage} | {statistics.median(run[stage] for run in runs):.1f} | {max(run[stage] for run in runs):.1f} |"
        for stage in runs[0]
    ]
    lines += [
        "",
        f"Processor time of a file, all processes together: {used:.1f} s. The machine's load at the end: "
        f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
        "",
        f"Memory at most: {memory.peak:,.0f} MB with all processes, the server itself {memory.server_peak:,.0f} MB.",
        "",
        f"{AT_ONCE} uploads of {SMALL:,} cells at once, one worker: {crowd['done']} of {AT_ONCE} done after "
        f"{crowd['seconds']:.0f} s. Memory at most: {crowded.peak:,.0f} MB with all processes, the server itself "
        f"{crowded.server_peak:,.0f} MB.",
        "",
        f"The page and all its files, unpacked: {page / 1e3:,.0f} kB, fetched in {1000 * seconds:.0f} ms.",
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "The web page's server", lines)


def pieces() -> list[str]:
    """Give the addresses of all files of the page."""
    return ["/", *(f"/static/{path.relative_to(STATIC)}" for path in STATIC.rglob("*") if path.is_file())]


if __name__ == "__main__":
    main()
