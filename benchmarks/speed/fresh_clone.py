"""The first README command on a fresh clone: how long it takes, how much it installs, whether torch came along.

python -m benchmarks.speed.fresh_clone --save fresh_clone
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.lib.saving import ROOT, save_result


def size_of(folder: Path) -> float:
    """Give the size of a folder on disk, in MB."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 1e6


def main() -> None:
    """Clone, run, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "spoticell"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        start = time.perf_counter()
        done = subprocess.run(["make", "demo"], cwd=clone, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        packages = clone / ".venv" / "lib"
        torch = bool(list(packages.glob("*/site-packages/torch")))
        outputs = sorted(path.name for path in (clone / "demo").glob("*.*"))
        lines = [
            "| what | measured |",
            "|---|---|",
            f"| `make demo`, install included | {seconds:.0f} s |",
            f"| installed packages | {size_of(packages):.0f} MB |",
            f"| torch among them | {'yes' if torch else 'no'} |",
            f"| outputs | {', '.join(outputs)} |",
        ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "A fresh clone", lines)


if __name__ == "__main__":
    main()
