"""Whether any damaged file, bundle or index crashes Spoticell, hangs it, or meets with an error that says nothing.

    python -m benchmarks.reliability.fuzz --cases 20000 --save fuzz

Cells in every format, a bundle and an index are damaged at random: bits, runs of bytes, lines, fields, arrays and
attributes. Each is given to Spoticell in a child process with bounded memory. It must be answered, or refused in a
sentence; "unexplained" counts every other error.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.lib.saving import ROOT, save_result
from benchmarks.reliability.fuzzed import write_originals

LIMIT = 60
"""Seconds that a case may take."""
START = 120
"""Seconds that a child may take to start."""
MOST_MB = 2000
"""Memory that a case may take: all files are small."""
BAD = ("unexplained", "left behind", "too much memory", "crash", "hang")

Found = dict[str, Any]


def run(originals: Path, first: int, last: int, until: float = float("inf")) -> Iterator[Found]:
    """Try cases in a child process; of one that dies or hangs another goes on with the next case.

    Parameters
    ----------
    originals
        What `write_originals` wrote.
    first, last
        Numbers of the cases, the last one not among them.
    until
        The time (of ``time.monotonic``) after which no case is begun.
    """
    while first < last and time.monotonic() < until:
        command = [sys.executable, "-m", "benchmarks.reliability.fuzzed", originals, str(first), str(last)]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        with (
            tempfile.TemporaryFile() as said,
            subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=said, bufsize=0
            ) as child,
        ):
            begun, end = None, "crash"
            while first < last and time.monotonic() < until:
                line = read_line(child, START if begun is None else LIMIT)
                if not line:
                    end = "hang" if line is None else "crash"
                    break
                found = json.loads(line)
                begun = found["number"]
                if "outcome" in found:
                    over = found["mb"] > MOST_MB and found["outcome"] not in BAD
                    yield found | ({"outcome": "too much memory"} if over else {})
                    first = begun + 1
            else:
                child.kill()
                return
            child.kill()
            child.wait()
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()[-1:]
        if begun is None:
            raise RuntimeError(f"a child process doesn't start: {words}")
        message = f"status {child.returncode}, {' '.join(words)}"
        yield {"number": first, "original": "", "what": "", "outcome": end, "message": message, "seconds": 0, "mb": 0}
        first += 1


def read_line(child: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """Read a line that a child prints, nothing if it died, None if it takes too long."""
    if not select.select([child.stdout], [], [], seconds)[0]:
        return None
    return child.stdout.readline() if child.stdout is not None else b""


def report(found: Sequence[Found]) -> list[str]:
    """Give a table by what was damaged, and every case that must not be."""
    outcomes = ["answered", "refused", *BAD]
    lines = [
        f"| damaged | cases | {' | '.join(outcomes)} | most memory (MB) | longest (s) |",
        "|---" * (len(outcomes) + 4) + "|",
    ]
    for name in [*sorted({one["original"] for one in found}), "all"]:
        these = [one for one in found if name in ("all", one["original"])]
        counts = [str(sum(one["outcome"] == outcome for one in these)) for outcome in outcomes]
        memory, seconds = max(one["mb"] for one in these), max(one["seconds"] for one in these)
        title = name.replace("_", " ") or "died or hung"
        lines.append(f"| {title} | {len(these)} | {' | '.join(counts)} | {memory:.0f} | {seconds:.1f} |")
    bad = [one for one in found if one["outcome"] in BAD]
    cases = [
        f"- case {one['number']}, {one['original']}, {one['what']}: {one['outcome']}, {one['message']}" for one in bad
    ]
    return [*lines, *([""] if bad else []), *cases]


def main() -> None:
    """Read the command line, try all cases, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="time after which no case is begun")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    until = time.monotonic() + 60 * args.minutes
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(args.jobs) as pool:
        originals = Path(name)
        write_originals(originals)
        bounds = [args.first + args.cases * job // args.jobs for job in range(args.jobs + 1)]
        parts = [
            pool.submit(lambda first, last: list(run(originals, first, last, until)), first, last)
            for first, last in itertools.pairwise(bounds)
        ]
        found = [one for part in parts for one in part.result()]
    lines = report(found)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, f"{len(found):,} damaged files", lines)


if __name__ == "__main__":
    main()
