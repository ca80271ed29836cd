"""Whether cells get the labels of their plain counts in whatever form they are given, and are told of where not.

    python -m benchmarks.reliability.torture --save torture

Cells are written in every form of values and every format; sets of cells and forms of gene names take turns, so that
every two of the four meet. Where counts can be had back, exactly or nearly, the labels must be those of
the plain counts; where not, the input must be refused, or a note must say so. "Silent" is an input of which nothing
is said but at most that its counts were worked back. **Wrong and silent** must never be: less than nine in ten of
the labels, and no word.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import anndata
import numpy as np
from scipy import sparse

from benchmarks.lib.saving import DATA, save_result
from benchmarks.reliability.formats import FORMATS
from benchmarks.reliability.forms import FORMS, Back
from benchmarks.reliability.names import NAMES, Table
from spoticell.annotation.result import Annotation
from spoticell.api import annotate
from spoticell.errors import SpoticellError
from spoticell.model.bundle import Bundle, load_bundle

SETS = {
    "pbmc3k_10x": "train/pbmc3k_10x",
    "wu2021_breast (shallow)": "train/wu2021_breast_cid4465",
    "cosmx_nsclc (960 genes)": "test/cosmx_nsclc_960_profast",
    "darmanis2015_brain (deep)": "train/darmanis2015_brain",
}
GOALS = {Back.EXACTLY: 0.995, Back.NEARLY: 0.97}
WRONG = 0.9
"""Below this share of the labels an input is wrong."""
WORKED_BACK = (
    "worked back from it.",
    "worked back from them.",
    "divided by it to have counts.",
    "was taken for zero.",
    "by a few percent.",
)
"""Ends of notes that claim the counts were had back, exactly or nearly."""


@dataclass(frozen=True)
class Case:
    """One input, by the names of its parts."""

    cells: str
    form: str
    names: str
    format: str

    @property
    def back(self) -> Back:
        """How much of its counts can be had back."""
        return FORMS[self.form].back


@dataclass(frozen=True)
class Outcome:
    """What became of one input."""

    case: Case
    share: float
    """Share of the cells that have the label of the plain counts; 0 where the input was refused."""
    refused: str
    notes: tuple[str, ...]
    """On values, beyond those on the plain counts."""

    @property
    def said(self) -> bool:
        """Whether it was refused, or a note says more than that the counts were worked back."""
        return bool(self.refused) or any(not note.endswith(WORKED_BACK) for note in self.notes)

    @property
    def wrong_and_silent(self) -> bool:
        """The one thing that must never be."""
        return self.share < WRONG and not self.said

    @property
    def missed(self) -> bool:
        """Whether it misses what its form must reach; that holds over all inputs of one kind, not for each."""
        if self.case.back is Back.NOT:
            return not self.said
        return self.share < GOALS[self.case.back]

    @property
    def words(self) -> str:
        """What was said of it."""
        return self.refused or " ".join(self.notes) or "no word"


def pairwise(forms: Sequence[str] = tuple(FORMS), sets: Sequence[str] = tuple(SETS), rounds: int = 1) -> list[Case]:
    """Let every two of sets, forms, names and formats meet.

    Parameters
    ----------
    forms
        Forms of values, each of which is written in every format.
    sets
        Sets of cells, which take turns.
    rounds
        How often each form meets each format, every time in another set and with other names.

    Examples
    --------
    >>> len({(case.form, case.names) for case in pairwise()}) == len(FORMS) * len(NAMES)
    True
    """
    names = list(NAMES)
    return [
        Case(sets[(i + j + turn) % len(sets)], form, names[(3 * i + i // 4 + j + turn) % len(names)], format_)
        for turn in range(rounds)
        for i, form in enumerate(forms)
        for j, format_ in enumerate(FORMATS)
    ]


def read_cells(path: Path, n: int) -> Table:
    """Read some cells of an h5ad file, spread over all of it."""
    adata = anndata.read_h5ad(path)
    adata = adata[np.sort(np.random.default_rng(0).choice(adata.n_obs, min(n, adata.n_obs), replace=False))]
    counts_nv = sparse.csr_matrix(adata.X).toarray().astype(np.float64)
    return Table(counts_nv, [f"cell{i}" for i in range(len(counts_nv))], adata.var_names.astype(str).tolist())


Answer = Callable[[Path | anndata.AnnData], Annotation]


def outcomes(plain: Table, cases: Sequence[Case], answer: Answer) -> Iterator[Outcome]:
    """Write each case, and compare what it gives with the plain counts.

    Parameters
    ----------
    plain
        Counts with symbols.
    cases
        Cases of these cells.
    answer
        Names the cells of a path or an object.
    """
    expected = answer(FORMATS["in memory"](plain, Path()))
    known = {*expected.findings.verdict.remarks}
    for case in cases:
        table = NAMES[case.names](plain)
        with np.errstate(divide="ignore", invalid="ignore"):
            values_nv = FORMS[case.form].make(table.values_nv, np.random.default_rng(0))
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = answer(FORMATS[case.format](replace(table, values_nv=values_nv), Path(folder)))
            except SpoticellError as error:
                yield Outcome(case, 0.0, str(error), ())
            else:
                share = float(np.mean(found.terms_n == expected.terms_n))
                remarks = tuple(note for note in found.findings.verdict.remarks if note not in known)
                yield Outcome(case, share, "", remarks)


def answering(bundle: Bundle) -> Answer:
    """Give a function that names cells, each by its own values, and shows nothing."""

    def answer(cells: Path | anndata.AnnData) -> Annotation:
        with warnings.catch_warnings(action="ignore"):
            # what neighbours say would hide which cells' values are read otherwise, and add others
            return annotate(cells, model=bundle, threads=1, each_cell_alone=True, on_progress=False)

    return answer


def try_all(cases: Sequence[Case], data: Path, n: int) -> list[Outcome]:
    """Try cases of one set, and print at once which are missed."""
    plain, answer = read_cells(data / f"{SETS[cases[0].cells]}.h5ad", n), answering(load_bundle("human-v1"))
    found = []
    for outcome in outcomes(plain, cases, answer):
        found.append(outcome)
        if outcome.missed:
            print(*misses([outcome]), file=sys.stderr, flush=True)
    return found


def table(title: str, part: Callable[[Outcome], str], found: Sequence[Outcome]) -> list[str]:
    """Give a table by one part of the cases."""
    lines = [
        "",
        f"| {title} | inputs | plain labels (%) | least | refused | noted | silent | wrong and silent |",
        "|---" * 8 + "|",
    ]
    for name in dict.fromkeys(map(part, found)):
        these = [outcome for outcome in found if part(outcome) == name]
        answered = [outcome.share for outcome in these if not outcome.refused]
        refused = len(these) - len(answered)
        noted = sum(outcome.said and not outcome.refused for outcome in these)
        shares = f"{100 * np.mean(answered):.1f} | {100 * min(answered):.1f}" if answered else " | "
        wrong = sum(outcome.wrong_and_silent for outcome in these)
        silent = len(answered) - noted
        lines.append(f"| {name} | {len(these)} | {shares} | {refused} | {noted} | {silent} | {wrong} |")
    return lines


def misses(found: Sequence[Outcome]) -> list[str]:
    """Give the inputs that miss the goal of their form, those of one set and form in one line."""
    kinds = dict.fromkeys((outcome.case.cells, outcome.case.form) for outcome in found if outcome.missed)
    lines = []
    for cells, form in kinds:
        these = [one for one in found if one.missed and (one.case.cells, one.case.form) == (cells, form)]
        worst = min(these, key=lambda outcome: outcome.share)
        lines.append(
            f"- {cells}, {form}: {len(these)} inputs, the worst ({worst.case.names}, {worst.case.format}) with "
            f"{100 * worst.share:.1f} % of the labels. {worst.words}"
        )
    return lines


def report(found: Sequence[Outcome]) -> list[str]:
    """Give the tables and, below, the inputs that miss the goal of their form."""
    back = [outcome for outcome in found if outcome.case.back is not Back.NOT]
    return [
        *table("counts come back", lambda outcome: outcome.case.back, found)[1:],
        *table("values", lambda outcome: f"{outcome.case.form} ({outcome.case.back})", found),
        "\nOf inputs whose counts come back, exactly or nearly:",
        *table("names", lambda outcome: outcome.case.names, back),
        *table("format", lambda outcome: outcome.case.format, back),
        *table("cells", lambda outcome: outcome.case.cells, back),
        "\nInputs that miss the goal of their form:\n",
        *misses(found),
    ]


def parts(cases: Sequence[Case], size: int = 30) -> list[list[Case]]:
    """Cut cases into parts of few, each of one set."""
    by_set = [[case for case in cases if case.cells == cells] for cells in SETS]
    return [these[start : start + size] for these in by_set for start in range(0, len(these), size)]


def main() -> None:
    """Read the command line, try all cases, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of real cells")
    parser.add_argument("--cells", type=int, default=200, help="cells of each set")
    parser.add_argument("--rounds", type=int, default=1, help="how often each form meets each format")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(args.jobs, mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(try_all, part, args.data, args.cells) for part in parts(pairwise(rounds=args.rounds))]
        found = [outcome for task in tasks for outcome in task.result()]
    lines = report(found)
    print("\n".join(lines))
    if args.save:
        save_result(args.save, f"{len(found):,} forms of the same cells", lines)


if __name__ == "__main__":
    main()
