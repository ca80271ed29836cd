"""The web page with a large file, in a real browser: first paint, and from the drop to the coloured map.

    python -m benchmarks.speed.page_large --folder FILES --save web_large

Starts ``spoticell serve``, opens its page in Chromium without a graphics card, puts a file of 150,000 made cells
(gzip h5ad, 33,538 genes, see ``made_cells``) into it, presses "run" as soon as that can be pressed, and waits for the
map to be drawn in the colours of the types.  The file stays in ``--folder``, and is made there if it is missing.
First paint is that of a window that has never seen the page, median and slowest of several.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, sync_playwright

from benchmarks.lib.saving import save_result
from benchmarks.speed.page_server import PORT, Memory, processor_seconds, server
from benchmarks.speed.throughput import made

CELLS, WINDOWS = 150_000, 7
LOOK = "--no-sandbox --disable-gpu --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader"
PATIENCE = 900_000
"""Milliseconds that anything may take."""
PAINTED = """() => new Promise(painted => new PerformanceObserver(list => {
    const first = list.getEntriesByName('first-contentful-paint')[0];
    if (first) painted(first.startTime);
}).observe({type: 'paint', buffered: true}))"""
"""Milliseconds from asking for the page to its first words."""


def patient(browser: Browser) -> BrowserContext:
    """Give a visitor who has never been here, and waits."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{PORT}", viewport={"width": 1280, "height": 860})
    context.set_default_timeout(PATIENCE)
    return context


def first_paint(browser: Browser) -> float:
    """Give the seconds until a window that has never seen the page shows something."""
    context = patient(browser)
    page = context.new_page()
    page.goto("/")
    seconds = page.evaluate(PAINTED) / 1000
    context.close()
    return seconds


def from_drop_to_map(browser: Browser, path: Path) -> dict[str, float]:
    """Do as a visitor does, and give the seconds from the drop to each stage."""
    context = patient(browser)
    page = context.new_page()
    page.goto("/")
    page.wait_for_selector("#version:not(:empty)")
    start, seconds = time.perf_counter(), {}
    page.set_input_files("#file", path)
    page.wait_for_selector("#run button.main:visible")
    seconds["received and checked"] = time.perf_counter() - start
    page.click("#run button.main")
    page.wait_for_selector("#map[data-drawn]")
    seconds["map in colours"] = time.perf_counter() - start
    context.close()
    return seconds


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=CELLS)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where the file stays; it doesn't without it")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder = args.folder or work
        folder.mkdir(parents=True, exist_ok=True)
        path = made(folder / f"{args.cells}.packed.h5ad", args.cells, compression="gzip")
        size = path.stat().st_size / 1e6
        process, _ = stack.enter_context(server(work / "state"))
        memory = stack.enter_context(Memory(process.pid))
        driver = stack.enter_context(sync_playwright())
        chromium = os.environ.get("SPOTICELL_CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=chromium, args=LOOK.split())
        paints = [first_paint(browser) for _ in range(WINDOWS)]
        used = processor_seconds(process.pid)
        runs = [from_drop_to_map(browser, path) for _ in range(args.runs)]
        used = (processor_seconds(process.pid) - used) / args.runs
        browser.close()
    lines = [
        f"One gzip h5ad of {args.cells:,} cells ({size:,.0f} MB), {args.runs} runs, from the drop:",
        "",
        "| stage | median s | slowest s |",
        "|---|---|---|",
        *(
            f"| {stage} | {statistics.median(run[stage] for run in runs):.1f} | {max(run[stage] for run in runs):.1f} |"
            for stage in runs[0]
        ),
        "",
        f"First paint of {WINDOWS} new windows: {statistics.median(paints):.2f} s, the slowest {max(paints):.2f} s.",
        "",
        f"Processor time of a file, the server and all its processes: {used:.1f} s. Memory at most: "
        f"{memory.peak:,.0f} MB with all processes. The machine's load at the end: {os.getloadavg()[0]:.1f} on "
        f"{os.cpu_count()} cores.",
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "The web page with a large file", lines)


if __name__ == "__main__":
    main()
