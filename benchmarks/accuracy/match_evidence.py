"""Can the evidence of matches be believed? The vote's parameters, p-values, novelty, and what agreement is worth.

    python -m benchmarks.accuracy.match_evidence --bundle human-v1 --save evidence

The first three parts use the training studies alone: each is the query in turn, and the others are the references.

* The vote for several parameters, by macro-F1 over the cells that some reference could answer, and by hierarchical
  F1, precision and coverage over all cells.  The shipped parameters were chosen here.
* Calibration.  Of cells whose type another study has, which share has a fit p of .05 or less?  Of cells whose broad
  type was taken out of the references, which share has a chance p of .05 or less?  Both should be 5%.
* Novelty of left-out types: every type of a study is taken out of the references (with all that is above or below it)
  in turn, and the nearest similarity must tell its cells from the study's others whose type is still there.

The last two are reports on the development tests, on which nothing was chosen: unknown cell lines as novel cells beside
the test cells of known types, and how often classifier and vote are right where they agree and where they don't.
Searches are exact.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.lib.answering import answer_cells
from benchmarks.lib.saving import DATA, save_result
from benchmarks.lib.studies import (
    Cells,
    answerable,
    fingerprints,
    is_compatible,
    is_right,
    nearest,
    read_cells,
    read_studies,
)
from spoticell.annotation.evidence import AGREEMENTS, RULE, Ballot, Evidence, Rule, agreement
from spoticell.annotation.figures import score
from spoticell.biology.ontology import load_ontology
from spoticell.index.background import Background, background_of, broad_terms
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import load_bundle
from spoticell.model.runtime import Runtime

LEVELS = (0.01, 0.05, 0.1)
GRID = list(itertools.product((10, 50), (0.01, 0.02, 0.05, 0.1), (0.4, 0.5)))
MOST_MATCHES = 50
FEWEST = 10
"""Cells that a type needs on both sides for an AUROC."""


@dataclass(frozen=True)
class Known:
    """References in memory, or some of them."""

    fingerprint_rd: NDArray[np.float32]
    term_r: NDArray[np.object_]
    study_r: NDArray[np.object_]

    def take(self, rows: NDArray[np.bool_]) -> Known:
        """Give some of them."""
        return Known(self.fingerprint_rd[rows], self.term_r[rows], self.study_r[rows])

    def groups(self) -> tuple[pd.DataFrame, NDArray[np.int32]]:
        """Give the distinct pairs of type and study, and each reference's row among them."""
        table = pd.DataFrame({"term": self.term_r, "study": self.study_r})
        group_r = table.groupby(["term", "study"], sort=False).ngroup().to_numpy(dtype=np.int32)
        groups = table.drop_duplicates().reset_index(drop=True)
        return groups.assign(dataset=groups["study"], donor=""), group_r

    def background(self) -> Background:
        """Measure their background."""
        groups, group_r = self.groups()
        return background_of(lambda: [self.fingerprint_rd], groups, group_r)


@dataclass(frozen=True)
class Fold:
    """One study as queries, the others as references."""

    name: str
    term_n: NDArray[np.object_]
    fingerprint_nd: NDArray[np.float32]
    references: Known
    background: Background

    def tally(self, rule: Rule, *, background: bool = True) -> tuple[Evidence, Ballot]:
        """Count the votes of the references."""
        groups, group_nk, cosine_nk = self.matches
        ballot = Ballot(groups, self.background if background else None)
        return ballot.tally(group_nk[:, : rule.matches], cosine_nk[:, : rule.matches], rule), ballot

    @cached_property
    def matches(self) -> tuple[pd.DataFrame, NDArray[np.int32], NDArray[np.floating]]:
        """Groups of the references, and group and cosine of each query's nearest."""
        groups, group_r = self.references.groups()
        hit_nk, cosine_nk = nearest(self.fingerprint_nd, self.references.fingerprint_rd, MOST_MATCHES)
        return groups, group_r[hit_nk], cosine_nk


def known_cells(studies: Sequence[Cells], runtime: Runtime) -> Known:
    """Make references of labelled data sets."""
    return Known(
        np.concatenate([fingerprints(cells, runtime) for cells in studies]),
        np.concatenate([cells.term_n for cells in studies]),
        np.concatenate([np.full(len(cells), cells.study, dtype=object) for cells in studies]),
    )


def folds(known: Known, most: int) -> Iterator[Fold]:
    """Hold out each study in turn; of a large one a random part asks."""
    for study in sorted(set(known.study_r)):
        others = known.take(known.study_r != study)
        rows = np.flatnonzero(known.study_r == study)
        if len(rows) > most:
            rows = np.sort(np.random.default_rng(0).choice(rows, most, replace=False))
        yield Fold(study, known.term_r[rows], known.fingerprint_rd[rows], others, others.background())


def vote_figures(fold: Fold, rule: Rule, *, background: bool) -> list[float]:
    """Give macro-F1 over answerable cells, hierarchical F1 and precision and coverage over all."""
    evidence, ballot = fold.tally(rule, background=background)
    answer_n = np.array([*ballot.nodes, UNKNOWN], dtype=object)[evidence.answer_n]
    can_n = answerable(fold.term_n, fold.references.term_r)
    macro = score(fold.term_n[can_n].tolist(), answer_n[can_n].tolist())["macro_f1"] if can_n.any() else None
    over_all = score(fold.term_n.tolist(), answer_n.tolist())
    rest = [over_all[key] for key in ("hierarchical_f1", "hierarchical_precision", "coverage")]
    return [np.nan if macro is None else macro, *rest]


def vote_table(held_out: Sequence[Fold], grid: Sequence[tuple[int, float, float]]) -> list[str]:
    """Compare parameters, means over the studies, with and without taking chance off."""
    heads = ("matches", "sharpness", "share", "chance off", "macro-F1", "hierarchical F1", "its precision", "coverage")
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for matches, sharpness, share in grid:
        rule = Rule(matches=matches, sharpness=sharpness, share=share)
        for background in (True, False):
            figures = np.nanmean([vote_figures(fold, rule, background=background) for fold in held_out], axis=0)
            mark = "**" if rule == RULE and background else ""
            cells = (f"{mark}{value:.3f}{mark}" for value in figures)
            lines.append(
                f"| {matches} | {sharpness} | {share} | {'yes' if background else 'no'} | {' | '.join(cells)} |"
            )
    return lines


def calibration_table(held_out: Sequence[Fold]) -> list[str]:
    """Say how often p-values are small where they should seldom be, and where they should often be."""
    heads = [f"fit p <= {level}" for level in LEVELS] + [f"chance p <= {level}" for level in LEVELS]
    lines = [
        f"| study | known cells | {' | '.join(heads[:3])} | stranger cells | {' | '.join(heads[3:])} | "
        "known cells with chance p <= 0.05 |",
        "|---|" + "---|" * 9,
    ]
    rows = []
    for fold in held_out:
        known_n = np.isin(fold.term_n, fold.references.term_r)
        fit_n, cosine_n = fit(fold.fingerprint_nd, fold.references, fold.background)
        chance_n = fold.background.p_chance(cosine_n)
        strange_n = fold.background.p_chance(without_kin(fold))
        row = [
            *(mean(fit_n[known_n] <= level) for level in LEVELS),
            *(mean(strange_n <= level) for level in LEVELS),
            mean(chance_n[known_n] <= 0.05),
        ]
        rows.append(row)
        cells = [f"{value:.3f}" for value in row]
        words = [fold.name, f"{known_n.sum():,}", *cells[:3], f"{len(known_n):,}", *cells[3:]]
        lines.append(f"| {' | '.join(words)} |")
    means = [f"**{value:.3f}**" for value in np.nanmean(rows, axis=0)]
    lines.append(f"| **mean** | | {' | '.join(means[:3])} | | {' | '.join(means[3:6])} | {means[6]} |")
    return lines


def fit(
    fingerprint_nd: NDArray[np.float32], references: Known, background: Background
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the fit p of each query, and the cosine to its nearest reference."""
    hit_nk, cosine_nk = nearest(fingerprint_nd, references.fingerprint_rd, 1)
    return background.p_fit(cosine_nk[:, 0], broad_terms(references.term_r[hit_nk[:, 0]])), cosine_nk[:, 0]


def without_kin(fold: Fold) -> NDArray[np.float32]:
    """Give the similarity to the nearest reference when a cell's broad type is taken out of the references."""
    best_n = np.empty(len(fold.term_n), dtype=np.float32)
    for term in set(fold.term_n):
        kept = ~kin(term, fold.references.term_r, broad=True)
        rows = fold.term_n == term
        best_n[rows] = nearest(fold.fingerprint_nd[rows], fold.references.fingerprint_rd[kept], 1)[1][:, 0]
    return best_n


def kin(term: str, term_r: NDArray[np.object_], *, broad: bool) -> NDArray[np.bool_]:
    """Say which terms are above or below a term, or, if wanted, of its broad type."""
    ontology = load_ontology()
    lineage = ontology.broad(term)
    related = {
        other: is_compatible(term, other) or (broad and lineage not in (UNKNOWN,) and ontology.broad(other) == lineage)
        for other in set(term_r)
    }
    return np.array([related[other] for other in term_r], dtype=bool)


def novelty_figures(fold: Fold, *, broad: bool) -> list[list[float]]:
    """Take each type out of the references: AUROC, and the shares with a small fit p of its cells and of the others."""
    found = []
    for term in sorted(set(fold.term_n)):
        novel_n = fold.term_n == term
        kept = ~kin(term, fold.references.term_r, broad=broad)
        references = fold.references.take(kept)
        others_n = np.isin(fold.term_n, references.term_r) & ~kin(term, fold.term_n, broad=broad)
        if kept.all() or novel_n.sum() < FEWEST or others_n.sum() < FEWEST or len(set(references.study_r)) < 2:
            continue
        fit_n, cosine_n = fit(fold.fingerprint_nd, references, references.background())
        used = novel_n | others_n
        shares = [mean(fit_n[rows] <= level) for level in LEVELS for rows in (novel_n, others_n)]
        found.append([roc_auc_score(novel_n[used], -cosine_n[used]), *shares])
    return found


def novelty_lines(held_out: Sequence[Fold]) -> list[str]:
    """Sum up how left-out types are told from known ones; flagged are cells with a fit p at or below a level."""
    heads = [f"{what} flagged at {level}" for level in LEVELS for what in ("novel", "known")]
    lines = [f"| taken out | types and studies | AUROC | {' | '.join(heads)} |", "|---|---|---|" + "---|" * len(heads)]
    for broad, words in ((False, "the type and its kin"), (True, "the whole broad type")):
        found = [row for fold in held_out for row in novelty_figures(fold, broad=broad)]
        auroc, *shares = np.mean(found, axis=0)
        lines.append(f"| {words} | {len(found)} | {auroc:.3f} | {' | '.join(f'{part:.1%}' for part in shares)} |")
    return lines


@dataclass(frozen=True)
class Answered:
    """A development test set with the classifier's answers and the evidence of its matches."""

    cells: Cells
    ours_n: NDArray[np.object_]
    theirs_n: NDArray[np.object_]
    evidence: Evidence


def answer(cells: Cells, known: Known, runtime: Runtime) -> Answered:
    """Name the cells of a data set by the classifier and by references of other studies."""
    found = answer_cells(cells, runtime)
    others = known.take(known.study_r != cells.study)
    fold = Fold(cells.study, cells.term_n, found.prediction.fingerprint_nd, others, others.background())
    evidence, ballot = fold.tally(RULE)
    return Answered(
        cells,
        found.term_n,
        np.array([*ballot.nodes, UNKNOWN], dtype=object)[evidence.answer_n],
        evidence,
    )


def vote_lines(answered: Sequence[Answered], known: Known) -> list[str]:
    """Compare classifier and vote on the development tests, over the cells that some reference could answer."""
    lines = [
        "| set | cells | classifier | vote | hierarchical precision of the vote, all cells | flagged novel |",
        "|---|---|---|---|---|---|",
    ]
    rows = []
    for one in answered:
        can_n = answerable(one.cells.term_n, known.term_r[known.study_r != one.cells.study])
        truth = one.cells.term_n[can_n].tolist()
        ours, theirs = (score(truth, answer_n[can_n].tolist()) for answer_n in (one.ours_n, one.theirs_n))
        over_all = score(one.cells.term_n.tolist(), one.theirs_n.tolist())
        row = [ours["macro_f1"], ours["hierarchical_f1"], theirs["macro_f1"], theirs["hierarchical_f1"]]
        row += [over_all["hierarchical_precision"], one.evidence.novel_n[can_n].mean()]
        rows.append(row)
        lines.append(f"| {one.cells.name} | {can_n.sum():,} | {_row(row)} |")
    return [*lines, f"| **mean** | | {_row(np.mean(rows, axis=0).tolist())} |"]


def _row(row: list[float]) -> str:
    return f"{row[0]:.3f} / {row[1]:.3f} | {row[2]:.3f} / {row[3]:.3f} | {row[4]:.3f} | {row[5]:.1%}"


def agreement_lines(answered: Sequence[Answered]) -> list[str]:
    """Say how often each is right, or at least not wrong, where they agree and where not; means over the sets."""
    lines = [
        "| agreement | share of cells | classifier right / right or coarser | vote right / right or coarser |",
        "|---|---|---|---|",
    ]
    for word in AGREEMENTS:
        rows = []
        for one in answered:
            here = agreement(one.ours_n, one.theirs_n) == word
            pairs = [
                list(zip(one.cells.term_n[here], answer_n[here], strict=True))
                for answer_n in (one.ours_n, one.theirs_n)
            ]
            shares = [mean([rule(*pair) for pair in two]) for two in pairs for rule in (is_right, is_compatible)]
            rows.append([here.mean(), *shares])
        share, *parts = np.nanmean(rows, axis=0)
        ours, theirs = (f"{parts[i]:.1%} / {parts[i + 1]:.1%}" for i in (0, 2))
        lines.append(f"| {word} | {share:.1%} | {ours} | {theirs} |")
    return lines


def mean(values: Any) -> float:
    """Give a mean, NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def lines_lines(lines_cells: Cells, answered: Sequence[Answered], known: Known, runtime: Runtime) -> list[str]:
    """Tell unknown cell lines from the test cells whose types are known."""
    lines = answer(lines_cells, known, runtime).evidence
    known_cosine = np.concatenate(
        [
            one.evidence.similarity_n[answerable(one.cells.term_n, known.term_r[known.study_r != one.cells.study])]
            for one in answered
            if one.cells.measured_g.sum() > 5000
        ]
    )
    is_line = np.r_[np.ones(len(lines)), np.zeros(len(known_cosine))]
    auroc = roc_auc_score(is_line, -np.r_[lines.similarity_n, known_cosine])
    return [
        f"Unknown cell lines ({lines_cells.name}, {len(lines):,} cells) beside {len(known_cosine):,} test cells of "
        f"known types with more than 5,000 genes: AUROC {auroc:.3f} by nearest similarity; "
        f"{lines.novel_n.mean():.1%} of the lines are flagged novel, and the vote names "
        f"{(lines.answer_n >= 0).mean():.1%} of them.",
    ]


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1", help="bundle folder or packaged name")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, default=800, help="queries of a set, drawn at random where it has more")
    parser.add_argument("--quick", action="store_true", help="only the shipped parameters of the vote")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    runtime = Runtime(load_bundle(args.bundle), threads=args.threads)
    known = known_cells(read_studies(args.data / "train", runtime), runtime)
    held_out = list(folds(known, args.most))
    grid = [(RULE.matches, RULE.sharpness, RULE.share)] if args.quick else GRID
    head = f"Bundle {runtime.bundle.name} ({runtime.bundle.sha256[:12]}), {len(known.term_r):,} references."
    lines = [
        head,
        "",
        "## On training studies, each held out in turn",
        "",
        "Means over the studies; shipped in bold:",
        "",
    ]
    lines += [*vote_table(held_out, grid), "", "Calibration:", "", *calibration_table(held_out)]
    lines += ["", "Novelty of left-out types:", "", *novelty_lines(held_out)]
    tests = [cells.sample(args.most) for cells in read_studies(args.data / "test", runtime)]
    answered = [answer(cells, known, runtime) for cells in tests]
    lines += [
        "",
        "## On the development tests",
        "",
        "Macro-F1 / hierarchical F1 over cells that a reference could answer:",
        "",
    ]
    lines += [
        *vote_lines(answered, known),
        "",
        "All labelled cells, means over the sets:",
        "",
        *agreement_lines(answered),
    ]
    cell_lines = read_cells(args.data / "test" / "tian2019_celllines_mixology.h5ad", runtime)
    lines += ["", *lines_lines(cell_lines, answered, known, runtime)]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Evidence of matches", lines)


if __name__ == "__main__":
    main()
