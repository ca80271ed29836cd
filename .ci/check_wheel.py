"""Use the installed wheel as a stranger would: in an empty folder, from the command line, without torch."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

import spoticell
from spoticell.biology.genes import load_vocabulary

MOST_MEGABYTES = 725
"""Of all that is installed, pip and requirements among it; 28 are the two models with their references."""


def run(*arguments: str) -> str:
    """Run a command of Spoticell and give what it says; a failure ends everything."""
    command = [str(Path(sys.executable).with_name("spoticell")), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def write_cells(path: Path) -> None:
    """Write forty made-up cells: monocytes and B cells by their strongest genes, and noise."""
    rng = np.random.default_rng(0)
    genes = ["CD14", "LYZ", "S100A8", "S100A9", "FCN1", "VCAN", "CD79A", "CD79B", "MS4A1", "CD19", "BANK1", "HLA-DRA"]
    others = rng.choice([gene for gene in load_vocabulary().symbols if gene not in genes], 1500, replace=False)
    counts_nv = rng.poisson(0.5, size=(40, 1512))
    counts_nv[:20, :6] += rng.poisson(40, size=(20, 6))
    counts_nv[20:, 6:12] += rng.poisson(40, size=(20, 6))
    pd.DataFrame(counts_nv, index=[f"cell-{n}" for n in range(40)], columns=[*genes, *others]).to_csv(path)


def main() -> None:
    """Check the install, then the command line."""
    packages = Path(sysconfig.get_paths()["purelib"])
    if packages not in Path(spoticell.__file__).parents:
        sys.exit(f"spoticell comes from {spoticell.__file__}, not from the wheel")
    if find_spec("torch") is not None:
        sys.exit("the core pulls torch in")
    megabytes = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) / 1e6
    print(f"installed: {megabytes:.0f} MB")
    if megabytes > MOST_MEGABYTES:
        sys.exit(f"the core takes more than {MOST_MEGABYTES} MB")
    write_cells(Path("cells.csv"))
    run("--help")
    run("check", "cells.csv")
    run("annotate", "cells.csv", "-o", "types.csv")
    run("annotate", "cells.csv", "-o", "cells.h5ad", "--report", "report.html")
    types = pd.read_csv("types.csv")
    print(types["spoticell_cell_type"].value_counts().to_string())
    if len(types) != 40 or not Path("report.html").stat().st_size:
        sys.exit("the results are not whole")


if __name__ == "__main__":
    main()
