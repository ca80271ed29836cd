"""What a type made from its markers is worth, on real cells of types that were left out and made so.

    python -m benchmarks.accuracy.marker_types --cells runs/human-v1/cells --without runs/marker-types/cells
    python -m scripts.human_v1.marker_cells --cells runs/marker-types/cells \
        --markers benchmarks/accuracy/marker_types.yaml
    spoticell train --data-dir runs/marker-types/cells --output-dir runs/marker-types/model \
        --config configs/human-v1.yaml --panels-dir runs/human-v1/panels
    python -m benchmarks.accuracy.marker_types --bundle runs/marker-types/model/best_model_f1 --save marker_types

The first command copies CELLS without the types of `TYPES` and their subtypes, without every made type, and without
the studies that are tested; the second makes the types from lists of markers written from textbook knowledge (the
file says of which types some genes had been seen before). The last reports F1 of the types on those studies, whose
other types the network did learn, from other studies. Beside it stands a bundle that was trained on these very cells:
as much as can be had, not a fair peer. Answers of a plasma cell count as right for a plasmablast.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lib.answering import answer_cells
from benchmarks.lib.fewer_cells import copy_without
from benchmarks.lib.saving import DATA, save_result
from benchmarks.lib.studies import Cells, read_cells
from spoticell.annotation.figures import score
from spoticell.biology.ontology import load_ontology
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime

PLASMA_CELL, PLASMABLAST = "CL:0000786", "CL:0000980"
TYPES = (
    "CL:0000115",  # endothelial cell
    "CL:0002079",  # pancreatic ductal cell
    "CL:0002064",  # pancreatic acinar cell
    PLASMA_CELL,
    "CL:0000623",  # natural killer cell
    "CL:0000097",  # mast cell
    "CL:0000128",  # oligodendrocyte
    "CL:0000127",  # astrocyte
)
STUDIES = ("baron_human1", "wu2021_breast_cid4465", "darmanis2015_brain", "zheng2017_sorted_mudan")
MEANS_OF_STUDIES = ("clustifyrdata_pan_indrop_avg", "darmanis_brain_mean_per_type")
FEWEST = 8
"""Cells of a type that a data set needs."""


def answered(cells: Cells, runtime: Runtime, threshold: float) -> NDArray[np.object_]:
    """Give a bundle's answers."""
    answer_n = answer_cells(cells, runtime, threshold=threshold).term_n
    return np.where(answer_n == PLASMABLAST, PLASMA_CELL, answer_n)


def rows(name: str, runtimes: list[Runtime], threshold: float) -> list[str]:
    """Measure the types in one data set: a line of a table for each."""
    cells = read_cells(DATA / "train" / f"{name}.h5ad", runtimes[0]).labelled()
    truth_n = np.where(cells.term_n == PLASMABLAST, PLASMA_CELL, cells.term_n)
    answers_n = [answered(cells, runtime, threshold) for runtime in runtimes]
    made, trained = (score(truth_n.tolist(), answer_n.tolist())["per_type"] for answer_n in answers_n)
    return [
        f"| {name} | {load_ontology().name(label)} | {made[label]['cells']} | {made[label]['precision']:.3f} "
        f"| {made[label]['recall']:.3f} | {made[label]['f1']:.3f} | {trained[label]['f1']:.3f} "
        f"| {commonest(answers_n[0][truth_n == label])} |"
        for label in TYPES
        if (truth_n == label).sum() >= FEWEST
    ]


def commonest(answer_n: NDArray[np.object_]) -> str:
    """Give the two commonest answers and their shares."""
    ontology, common = load_ontology(), Counter(answer_n).most_common(2)
    return ", ".join(
        f"{ontology.name(term) if term in ontology else term} {n / len(answer_n):.0%}" for term, n in common
    )


def main() -> None:
    """Read the command line; copy, or measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=Path, help="folder of human_v1_cells.py, to copy from")
    parser.add_argument("--without", type=Path, help="folder to make, of the cells but the types and the studies")
    parser.add_argument("--bundle", help="trained with types made from markers")
    parser.add_argument("--trained", default="human-v1", help="trained on real cells of the types")
    parser.add_argument("--threshold", type=float, default=0.4)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    if args.without:
        made = [path.stem for path in args.cells.glob("markers_*.h5ad")]
        copy_without(args.cells, args.without, types=(*TYPES, PLASMABLAST), sets=(*STUDIES, *MEANS_OF_STUDIES, *made))
        return
    runtimes = [Runtime(load_bundle(name), threads=1) for name in (args.bundle, args.trained)]
    lines = [
        "| set | type | cells | precision | recall | F1 | F1, trained on these cells | taken for |",
        "|---|---|---|---|---|---|---|---|",
        *(line for name in STUDIES for line in rows(name, runtimes, args.threshold)),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Types made from their markers, on real cells", lines)


if __name__ == "__main__":
    main()
