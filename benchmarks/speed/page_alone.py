"""The page in the browser alone: from the drop to names and to the coloured map, beside the page with a server.

    python -m benchmarks.speed.page_alone --folder FILES --save page_alone

Writes the folder of `spoticell page`, gives it out with Python's own server and opens it in Chromium without a graphics
card.  Made cells (h5ad, 33,538 genes, some 2,000 with counts in a cell, see ``made_cells``) are put into it; "run" is
pressed as soon as that can be pressed.  One worker or as many as the browser likes; the same file through
``spoticell serve`` in the same run.  Memory is that of the process in which the tab and its workers are.  Files stay in
``--folder``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

from benchmarks.lib.folder_server import given_out
from benchmarks.lib.saving import save_result
from benchmarks.speed.page_large import LOOK, PAINTED, PATIENCE, WINDOWS, from_drop_to_map
from benchmarks.speed.page_server import server
from benchmarks.speed.throughput import made
from spoticell.web.static_page import write_page

SIZES, OFTEN = (10_000, 100_000), 50_000
"""Cells, and up to how many a file is read more than once."""
LOADED = "() => performance.getEntriesByType('resource').reduce((sum, one) => sum + one.encodedBodySize, 0)"


class Run(NamedTuple):
    """What one visit took: seconds from the drop, and MB."""

    checked: float
    mapped: float
    memory: float


class Tab:
    """The most memory that the largest process of a browser's tabs held, in MB."""

    def __init__(self) -> None:
        self.peak, self._done = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.2):
            self.peak = max([self.peak, *map(_resident, Path("/proc").glob("[0-9]*"))])


def _resident(process: Path) -> float:
    """Give the memory of a process that draws pages; 0 for others, and those that are gone."""
    try:
        if b"--type=renderer" not in (process / "cmdline").read_bytes():
            return 0.0
        return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6
    except OSError:
        return 0.0


def visit(browser: Browser, address: str, path: Path, cores: int | None) -> Run:
    """Do as a visitor does, on a machine that the page takes to have so many cores."""
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    if cores is not None:
        context.new_cdp_session(page).send("Emulation.setHardwareConcurrencyOverride", {"hardwareConcurrency": cores})
    page.goto(address)
    page.wait_for_selector("#version:not(:empty)")
    with Tab() as tab:
        start = time.perf_counter()
        page.set_input_files("#file", path)
        page.wait_for_selector("#run button.main:visible")
        checked = time.perf_counter() - start
        page.click("#run button.main")
        page.wait_for_selector("#map[data-drawn]")
        mapped = time.perf_counter() - start
    context.close()
    return Run(checked, mapped, tab.peak)


def first_look(browser: Browser, address: str) -> tuple[float, float]:
    """Give the seconds until a window that has never seen the page shows something, and the MB that it loads."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    painted = page.evaluate(PAINTED) / 1000
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate(LOADED) / 1e6
    context.close()
    return painted, loaded


def row(cells: int, how: str, runs: list[Run]) -> str:
    """Give a line of the table, of medians."""
    checked, mapped, memory = (statistics.median(values) for values in zip(*runs, strict=True))
    shown = f"{memory:,.0f}" if memory else "–"
    return f"| {cells:,} | {how} | {checked:.1f} | {mapped:.1f} | {cells / mapped:,.0f} | {shown} |"


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where files stay; they don't without it")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    rows = []
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = args.folder or work
        folder.mkdir(parents=True, exist_ok=True)
        write_page(work / "page", "human-v1")
        address = stack.enter_context(given_out(work / "page"))
        driver = stack.enter_context(sync_playwright())
        chromium = os.environ.get("SPOTICELL_CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=chromium, args=LOOK.split())
        looks = [first_look(browser, address) for _ in range(WINDOWS)]
        stack.enter_context(server(work / "state"))
        for size in args.sizes:
            path = made(folder / f"{size}.h5ad", size, compression=None)
            taken: dict[str, list[Run]] = {"one worker": [], "all cores": [], "with a server": []}
            for _ in range(args.runs if size <= OFTEN else 1):
                taken["one worker"].append(visit(browser, address, path, 1))
                taken["all cores"].append(visit(browser, address, path, None))
                seconds = from_drop_to_map(browser, path)
                taken["with a server"].append(Run(seconds["received and checked"], seconds["map in colours"], 0))
            rows += [row(size, how, runs) for how, runs in taken.items()]
            print("\n".join(rows[-3:]), flush=True)
        browser.close()
    painted, loaded = zip(*looks, strict=True)
    lines = [
        f"h5ad files of made cells, {args.runs} runs by turns (one above {OFTEN:,} cells); seconds from the drop:",
        "",
        "| cells | how | checked (s) | map in colours (s) | cells a second | the tab's memory (MB) |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"First paint of {WINDOWS} new windows from this machine: {statistics.median(painted):.2f} s, the slowest "
        f"{max(painted):.2f} s. To load before the first cell: {max(loaded):.1f} MB.",
        "",
        f"The machine's load at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores.",
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "The page in the browser alone", lines)


if __name__ == "__main__":
    main()
