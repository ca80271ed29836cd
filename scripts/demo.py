"""What ``make demo`` shows: Spoticell on 700 real blood cells that scanpy carries, beside the labels they came with.

    demo.py CELLS FOLDER

CELLS is ``10x_pbmc68k_reduced.h5ad`` from scanpy (BSD-3): cells of Zheng 2017, 765 genes kept, values scaled in
``X`` and log-normalised in ``raw``.  Its labels were given by correlation with sorted cells and are noisy.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import anndata
import pandas as pd

from spoticell import keys
from spoticell.annotation.evaluation import score

TERMS = {
    "CD14+ Monocyte": "CL:0000576",  # most of them carry FCGR3A, so just monocyte
    "CD19+ B": "CL:0000236",
    "CD34+": "CL:0008001",
    "CD4+/CD25 T Reg": "CL:0000792",
    "CD4+/CD45RA+/CD25- Naive T": "CL:0000895",
    "CD4+/CD45RO+ Memory": "CL:0000897",
    "CD56+ NK": "CL:0000623",
    "CD8+ Cytotoxic T": "CL:0000625",
    "CD8+/CD45RA+ Naive Cytotoxic": "CL:0000900",
    "Dendritic": "CL:0000451",
}
"""Labels of the data set as terms of the Cell Ontology."""

SHOWN = 15


def main() -> None:
    """Write the cells, annotate them, compare."""
    source, folder = map(Path, sys.argv[1:])
    cells, annotated, report = folder / "pbmc68k.h5ad", folder / "annotated.h5ad", folder / "report.html"
    folder.mkdir(parents=True, exist_ok=True)
    write_cells(source, cells)
    # beside this Python, which no newcomer has on the path
    spoticell = os.path.relpath(Path(sys.executable).with_name("spoticell"))
    command = [spoticell, "annotate", str(cells), "-o", str(annotated), "--report", str(report), "--overwrite"]
    print(f"\n$ {shlex.join(command)}", flush=True)
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)
    table = anndata.read_h5ad(annotated, backed="r").obs
    print(f"\nThe cells, by the labels they came with and by Spoticell ({SHOWN} commonest pairs):\n")
    print(pairs(table))
    print(f"\n{agreement(table)}\n")
    print(f"The cells with their answers: {annotated}\nThe report, for a browser:    {report.resolve().as_uri()}")
    print("\nNext, with these cells or a file of yours in their place:\n")
    for command in next_commands(spoticell, cells, annotated):
        print(f"  {shlex.join(command)}")


def next_commands(spoticell: str, cells: Path, annotated: Path) -> list[list[str]]:
    """Give three commands that run as they stand, again and again."""
    table = cells.with_name("blood.csv")
    return [
        [spoticell, "check", str(cells)],
        [spoticell, "annotate", str(cells), "-o", str(table), "--tissue", "blood", "--overwrite"],
        [spoticell, "evaluate", str(annotated), "--label-column", keys.LABEL],
    ]


def write_cells(source: Path, path: Path) -> None:
    """Bring the packaged file, which is from 2018, to today's format; the values stay as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cells = anndata.read_h5ad(source)
        cells.obs[keys.LABEL] = cells.obs["bulk_labels"].astype(str).map(TERMS).astype("category")
        cells.write_h5ad(path)


def pairs(table: pd.DataFrame) -> str:
    """Table of labels, answers and cells."""
    columns = {"bulk_labels": "label", keys.CELL_TYPE.format(key=keys.KEY_ADDED): "answer"}
    counts = table[list(columns)].rename(columns=columns).astype(str).value_counts().head(SHOWN)
    return counts.rename("cells").reset_index()[["cells", "label", "answer"]].to_string(index=False)


def agreement(table: pd.DataFrame) -> str:
    """Say in words how far answers and labels agree."""
    term, probability = (key.format(key=keys.KEY_ADDED) for key in (keys.TERM, keys.SCORE))
    figures = score(
        table[keys.LABEL].astype(str).tolist(), table[term].astype(str).tolist(), table[probability].to_numpy()
    )
    return (
        f"Agreement with the labels: {figures['accuracy']:.0%} of all cells are answered with the label or a subtype\n"
        f"of it ({figures['accuracy_answered']:.0%} of the {figures['coverage']:.0%} that are answered at all). "
        f"Macro-F1 {figures['macro_f1']:.2f}, hierarchical F1 {figures['hierarchical_f1']:.2f}\n"
        "(part marks for a right but coarser answer). The labels were given by correlation and are noisy."
    )


if __name__ == "__main__":
    main()
