"""Types that a network was never trained on, named in another study from the index alone.

    python -m benchmarks.accuracy.left_out_types --bundle runs/without/bundle --trained human-v1 \
        --types CL:0000236 CL:0002079

BUNDLE was trained without the given types and their subtypes; TRAINED with them.  References are the labelled cells of
DATA/train, those of the types among them, with the fingerprints of BUNDLE; queries are the labelled cells of DATA/test,
from which hits of the same study never count.  Per set, macro-F1 over its labels that are one of the types or below
one, each with at least ten cells and a right reference: of the vote of the matches with BUNDLE, of the classifier of
TRAINED, and of the vote with TRAINED's fingerprints.  All other cells of a set are named too, so a type that is
given too freely loses precision.  Where BUNDLE knows a type after all, the result says so.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.match_evidence import answer, known_cells
from benchmarks.lib.saving import DATA, RESULTS, save_result
from benchmarks.lib.studies import Cells, answerable, is_right, read_studies
from spoticell.annotation.figures import MIN_SUPPORT, score
from spoticell.biology.ontology import load_ontology
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.runtime import Runtime

TYPES = ("CL:0000236", "CL:0000623", "CL:0000860", "CL:0002079", "CL:0000057", "CL:0000115")
"""B cell, natural killer cell, classical monocyte, pancreatic ductal cell, fibroblast, endothelial cell."""

Figures = dict[str, dict[str, float]]
"""F1 by label, for each set."""


def known_types(bundle: Bundle, types: Sequence[str]) -> list[str]:
    """Give the types that a bundle has a label for, or for a subtype."""
    return [term for term in types if any(is_right(term, label) for label in bundle.manifest.labels)]


def f1_by_label(truth_n: NDArray[np.object_], answer_n: NDArray[np.object_], labels: set[str]) -> dict[str, float]:
    """Give F1 of some labels."""
    rows = score(truth_n.tolist(), answer_n.tolist())["per_type"]
    return {label: rows[label]["f1"] for label in sorted(labels)}


def wanted(cells: Cells, types: Sequence[str], can_n: NDArray[np.bool_]) -> set[str]:
    """Give the labels of a data set that are one of the types or below one, and that a reference could answer."""
    terms, counts = np.unique(cells.term_n[can_n].astype(str), return_counts=True)
    return {
        term
        for term, count in zip(terms.tolist(), counts.tolist(), strict=True)
        if count >= MIN_SUPPORT and any(is_right(kind, term) for kind in types)
    }


def measure(runtime: Runtime, data: Path, types: Sequence[str], most: int) -> tuple[Figures, Figures]:
    """Give the figures of a bundle's vote and of its classifier."""
    known = known_cells(read_studies(data / "train", runtime), runtime)
    vote, classifier = {}, {}
    for cells in read_studies(data / "test", runtime):
        few = cells.sample(most)
        labels = wanted(few, types, answerable(few.term_n, known.term_r[known.study_r != few.study]))
        if labels:
            found = answer(few, known, runtime)
            vote[few.name] = f1_by_label(few.term_n, found.theirs_n, labels)
            classifier[few.name] = f1_by_label(few.term_n, found.ours_n, labels)
    return vote, classifier


def table(columns: dict[str, Figures]) -> list[str]:
    """Lay out F1 by set and label, then macro-F1 as the mean over sets of their means."""
    ontology, first = load_ontology(), next(iter(columns.values()))
    lines = ["| set | type | " + " | ".join(columns) + " |", "|---|---|" + "---|" * len(columns)]
    for name, labels in first.items():
        for label in labels:
            cells = (f"{figures[name][label]:.3f}" for figures in columns.values())
            lines.append(f"| {name} | {ontology.name(label)} | {' | '.join(cells)} |")
    means = (f"**{macro(figures):.3f}**" for figures in columns.values())
    return [*lines, f"| **macro-F1** | | {' | '.join(means)} |"]


def macro(figures: Figures) -> float:
    """Give the mean over sets of the mean F1 of their labels."""
    return float(np.mean([np.mean(list(labels.values())) for labels in figures.values()]))


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1", help="trained without the types: a folder or packaged name")
    parser.add_argument("--trained", default="human-v1", help="trained with them: a folder or packaged name")
    parser.add_argument("--types", nargs="+", default=TYPES, help="Cell Ontology terms")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, default=1500, help="queries of a set, drawn at random where it has more")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    without, trained = (Runtime(load_bundle(name), threads=args.threads) for name in (args.bundle, args.trained))
    vote, _ = measure(without, args.data, args.types, args.most)
    trained_vote, classifier = measure(trained, args.data, args.types, args.most)
    columns = {"matches": vote, "classifier trained on them": classifier, "matches, trained on them": trained_vote}
    lines = [f"Types: {', '.join(load_ontology().name(term) for term in args.types)}.", ""]
    if still := known_types(without.bundle, args.types):
        lines += [f"{without.bundle.name} was trained on {len(still)} of these {len(args.types)} types itself.", ""]
    lines += [*table(columns), "", f"The matches reach {macro(vote) / macro(classifier):.0%} of what training gives."]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Types left out of training", lines)
        figures: dict[str, Any] = {"types": list(args.types), **columns}
        (RESULTS / f"{args.save}.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
