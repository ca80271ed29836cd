"""Whether cells get the same answers from other versions of Python and of libraries.

    python -m benchmarks.reliability.versions lowest=PATH/bin/python newest=PATH/bin/python --save versions

Each interpreter must have Spoticell installed.  All name the same files on the command line; this one's answers are
what theirs are compared with.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.lib.saving import DATA, save_result
from spoticell.keys import KEY_ADDED, SCORE, TERM

FILES = ("test/kang2018_ifnb_pbmc", "test/cosmx_nsclc_960_profast", "train/darmanis2015_brain", "train/baron_human1")
LIBRARIES = ("numpy", "scipy", "pandas", "anndata", "h5py", "onnxruntime")
ASK = (
    "import sys, importlib.metadata as m; "
    "print('.'.join(map(str, sys.version_info[:3])), *(f'{name} {m.version(name)}' for name in sys.argv[1:]), sep=', ')"
)


def answers(python: str, cells: Path, output: Path) -> pd.DataFrame:
    """Name cells with an interpreter's Spoticell."""
    command = [python, "-W", "ignore", "-m", "spoticell", "annotate", cells, "-o", output, "--overwrite", "--quiet"]
    subprocess.run(command, check=True)
    return pd.read_csv(output, index_col=0)


def main() -> None:
    """Read the command line, name, compare, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("others", nargs="+", metavar="NAME=PYTHON", help="interpreters, each with a name")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real cells")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    others = dict(word.split("=", 1) for word in args.others)
    term, score = (name.format(key=KEY_ADDED) for name in (TERM, SCORE))
    lines = ["| versions | cells | same answers (%) | largest difference of scores |", "|---" * 4 + "|"]
    with tempfile.TemporaryDirectory() as name:
        output = Path(name) / "answers.csv"
        cells = [args.data / f"{file}.h5ad" for file in FILES]
        these = pd.concat([answers(sys.executable, path, output) for path in cells])
        for title, python in others.items():
            those = pd.concat([answers(python, path, output) for path in cells])
            same = 100 * np.mean(those[term].to_numpy() == these[term].to_numpy())
            furthest = np.max(np.abs(those[score].to_numpy() - these[score].to_numpy()))
            lines.append(f"| {title} | {len(these):,} | {same:.2f} | {furthest:.1e} |")
        versions = {
            title: subprocess.check_output([python, "-c", ASK, *LIBRARIES], text=True).strip()
            for title, python in {"this one": sys.executable, **others}.items()
        }
    lines += ["", *(f"- {title}: Python {words}" for title, words in versions.items())]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "The same answers from other versions", lines)


if __name__ == "__main__":
    main()
