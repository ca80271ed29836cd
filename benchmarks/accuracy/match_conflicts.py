"""What it says of an answer that reference cells say another type: how often it is wrong, by several stricter rules.

    python -m benchmarks.accuracy.match_conflicts --runs runs/human-v1/calibration-a runs/human-v1/calibration-b \
        --save match_conflicts

Each run was trained without some data sets, which are its queries here: whole, and through a panel.  References are the
labelled cells that it was trained on, of other studies.  Cells are read together, as ``annotate`` does it.  Then the
same for the development tests, by the packaged model, on which nothing was chosen.

An answer is wrong if it is neither the label nor above or below it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.accuracy.match_evidence import Fold, Known
from benchmarks.lib.answering import answer_together
from benchmarks.lib.held_out import held_out
from benchmarks.lib.saving import DATA, save_result
from benchmarks.lib.studies import NO_LABEL, Cells, fingerprints, is_compatible, read_cells, read_panel
from spoticell.annotation.evidence import CONFLICT, RULE, agreement
from spoticell.biology.ontology import load_ontology
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime

PANEL = "panel_cosmx_960_nsclc"
FEWEST = 5
"""Cells of a set for its share to count in a mean over sets."""
LOW = 0.7


def queries(
    cells: Sequence[Cells], references: Sequence[Cells], runtime: Runtime, panel: Path
) -> Iterator[pd.DataFrame]:
    """Give for each query data set and view a row a cell: truth, answer, what the matches say and how firmly."""
    known = Known(
        np.concatenate([fingerprints(one, runtime) for one in references]),
        np.concatenate([one.term_n for one in references]),
        np.concatenate([np.full(len(one), one.study, dtype=object) for one in references]),
    )
    panel_g = read_panel(panel, runtime)
    for one in cells:
        others = known.take(known.study_r != one.study)
        background = others.background()
        for view, seen in (("whole", one), ("panel", one.seen_through(panel_g))):
            answers = answer_together(seen, runtime)
            fold = Fold(one.name, one.term_n, answers.prediction.fingerprint_nd, others, background)
            evidence, ballot = fold.tally(RULE)
            theirs_n = np.array([*ballot.nodes, UNKNOWN], dtype=object)[evidence.answer_n]
            yield pd.DataFrame(
                {
                    "set": one.name,
                    "view": view,
                    "truth": one.term_n,
                    "ours": answers.term_n,
                    "theirs": theirs_n,
                    "score": answers.score_n,
                    "share": evidence.share_n,
                    "studies": evidence.studies_n,
                    "similarity": evidence.similarity_n,
                    "p": evidence.p_n,
                }
            )


def judged(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of each answer whether it is wrong, and how the matches stand to it."""
    rows = rows[~rows["ours"].isin(NO_LABEL)].copy()
    ontology = load_ontology()
    rows["wrong"] = [not is_compatible(*pair) for pair in zip(rows["truth"], rows["ours"], strict=True)]
    word_n = agreement(rows["ours"].to_numpy(dtype=object), rows["theirs"].to_numpy(dtype=object))
    rows["word"] = np.where(rows["theirs"] == UNKNOWN, "the matches agree on no type", word_n)
    broad = {term: ontology.broad(term) for term in set(rows["ours"]) | set(rows["theirs"])}
    rows["apart"] = rows["ours"].map(broad) != rows["theirs"].map(broad)
    return rows


def described(words: str, part: pd.DataFrame, cells: int) -> str:
    """Give a line: how many cells a rule marks, and how many of their answers are wrong."""
    by_set = part.groupby("set")["wrong"].agg(["mean", "size"])
    by_set = by_set[by_set["size"] >= FEWEST]["mean"]
    shares = "- | - | -" if by_set.empty else f"{part['wrong'].mean():.2f} | {by_set.mean():.2f} | {by_set.min():.2f}"
    said = f"{1 - part['score'].mean():.2f}" if len(part) else "-"
    return f"| {words} | {len(part):,} ({len(part) / max(cells, 1):.1%}) | {shares} | {said} |"


def table(rows: pd.DataFrame) -> list[str]:
    """Compare the words, and stricter rules for another type."""
    clash = rows[rows["word"] == CONFLICT]
    parts = {f"`{word}`": rows[rows["word"] == word] for word in ("agree", "compatible", CONFLICT)}
    parts |= {"the matches agree on no type": rows[rows["word"] == "the matches agree on no type"]}
    parts |= {
        f"`conflict`, share of the vote at least {share}": clash[clash["share"] >= share] for share in (0.6, 0.7, 0.8)
    }
    parts |= {f"`conflict`, {n} studies or more": clash[clash["studies"] >= n] for n in (2, 3, 4)}
    parts |= {f"`conflict`, p at most {p}": clash[clash["p"] <= p] for p in (0.1, 0.05, 0.01)}
    parts |= {
        f"`conflict`, similarity at least {cosine}": clash[clash["similarity"] >= cosine] for cosine in (0.95, 0.98)
    }
    low = clash["score"] < LOW
    parts |= {
        "`conflict`, of another broad type": clash[clash["apart"]],
        f"`conflict`, score below {LOW}": clash[low],
        f"`conflict`, of another broad type and score below {LOW}": clash[clash["apart"] & low],
        f"score below {LOW}, whatever the matches say": rows[rows["score"] < LOW],
    }
    head = ["| | cells | wrong | mean of sets | least of sets | wrong, by the scores |", "|---|---|---|---|---|---|"]
    return [*head, *(described(words, part, len(rows)) for words, part in parts.items())]


def read(folders: Sequence[Path], runtime: Runtime, most: int) -> list[Cells]:
    """Read the labelled cells of all data sets of some folders."""
    found = [read_cells(path, runtime).labelled() for folder in folders for path in sorted(folder.glob("*.h5ad"))]
    return [cells.sample(most) for cells in found if len(cells)]


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="trainings without some data sets")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, default=1500, help="queries of a set, drawn at random where it has more")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    panel = args.data / "refs" / "panels" / f"{PANEL}.txt"
    train, test = ([args.data / name, args.data / "more" / name] for name in ("train", "test"))
    packaged = Runtime(load_bundle("human-v1"), threads=args.threads)
    every = read(train, packaged, most=10**9)
    found = []
    for run in args.runs:
        runtime, names = held_out(run, args.threads)
        asked = [cells.sample(args.most) for cells in every if cells.name in names]
        found += queries(asked, [cells for cells in every if cells.name not in names], runtime, panel)
    parts = {
        "Data sets held out of a training": judged(pd.concat(found)),
        "Development tests": judged(pd.concat(queries(read(test, packaged, args.most), every, packaged, panel))),
    }
    lines = []
    for title, rows in parts.items():
        for view, words in (("whole", "all genes"), ("panel", "through the 960 genes of CosMx")):
            lines += [f"## {title}, {words}", "", *table(rows[rows["view"] == view]), ""]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "What it says of an answer that reference cells say another type", lines)


if __name__ == "__main__":
    main()
