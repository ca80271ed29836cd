"""Whether anything is lost, broken or left behind when commands are killed at random moments, or the disk is full.

    python -m benchmarks.reliability.kills --kills 100 --save kills

`annotate`, `index add`, `prepare` and `train` run once to their end and are then killed again and again, each time
after a random part of the time that the whole takes: most by SIGKILL, every fifth by SIGTERM or SIGHUP. After each
kill what was there before must be whole, and nothing may have a final name that isn't complete; after a signal that
lets a process tidy up, nothing of it may be left. After all kills the command runs to its end, and must leave what an
undisturbed run leaves, and nothing else, neither beside its output nor in the folder for temporary files.

For a full disk each command runs with files limited to a part of the size that it needs and, if this process may mount
one, on a disk of a part of the room that it needs.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.lib.saving import DATA, save_result
from benchmarks.reliability.killing import Killing, fill, kill_often
from benchmarks.reliability.victims import annotating, indexing, preparing, training

HEAD = (
    "| command | whole run (s) | kills | by SIGKILL | runs that ended before | broken outputs | left by tidy ends | "
    "left after the next run | in the end as if never killed |"
)
FULL = "| command | tries on a full disk | told in one sentence | broken outputs | left behind |"


def row(killing: Killing) -> str:
    cells = [
        killing.name,
        f"{killing.seconds:.0f}",
        str(killing.kills),
        str(killing.outright),
        str(killing.ended),
        str(len(killing.broken)),
        str(len(killing.left)),
        str(len(killing.left_in_the_end)),
        "yes" if not killing.differs else f"NO: {killing.differs}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Read the command line, kill, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--only", nargs="+", default=["annotate", "index", "prepare", "train"])
    parser.add_argument("--cells", type=Path, default=DATA / "train" / "pbmc3k_10x.h5ad", help="labelled cells, h5ad")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    makers = {"annotate": annotating, "index": indexing, "prepare": preparing, "train": training}
    lines, full, rng = [HEAD, "|---" * 9 + "|"], ["", FULL, "|---" * 5 + "|"], random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        for which in args.only:
            folder = Path(name) / which
            for sub in ("place", "temporary"):
                (folder / sub).mkdir(parents=True)
            victim = makers[which](args.cells, folder)
            killing = kill_often(victim, args.kills, rng)
            lines.append(row(killing))
            filling = fill(victim, max(args.kills // 10, 3), rng)
            told = f"{filling.told} of {filling.tries}"
            full.append(f"| {victim.name} | {filling.tries} | {told} | {len(filling.broken)} | {len(filling.left)} |")
            print(lines[-1], full[-1], *killing.notes(), *filling.notes(), sep="\n", file=sys.stderr, flush=True)
            shutil.rmtree(folder)
    print("\n".join([*lines, *full]))
    if args.save:
        save_result(args.save, f"Killed {args.kills} times, and out of room", [*lines, *full])


if __name__ == "__main__":
    main()
