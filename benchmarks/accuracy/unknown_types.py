"""Cells of types that the model never learnt: how well they are told from cells of types that it knows.

    python -m benchmarks.lib.fewer_cells CELLS FEWER --types TERM ... --sets NAME ...
    spoticell train --data-dir FEWER --config configs/human-v1.yaml --output-dir RUN
    python -m benchmarks.accuracy.unknown_types --bundle human-v1 --cells CELLS \
        --without RUN/best_model_f1 FEWER TERM ... --save unknowns

scripts/types_left_out.sh does this for three groups of types, with three seeds each; figures are means over these.

Each --without names a bundle, the cells that it was trained on, and the types that it was trained without.  Queries are
the labelled cells of DATA/test, and of the sets of DATA/train that FEWER lacks.  In each set the cells of a type left
out are held against the set's cells whose types are known; a cell whose label is above a type left out could be
either and isn't used.  By the ontology a type is a sibling, a cousin or of another lineage (`separation.distance`).

Bundles of --without have no calibration of their own, as trainings end without one; they get that of --bundle, which
was fitted on other data sets, so that their scores are what a user would see.

The combination of familiarity and similarity is logistic; its coefficients are fitted on the held-out sets of
DATA/train alone, and for a case there on other sets and other types.

Far unknowns are asked of --bundle: cell lines, malignant cells, mouse cells.  They are held against the known cells of
their own set where it is no training set and has some, else against those of the development tests with many genes,
each set counting alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from benchmarks.lib.answering import coarser, describe, open_runtime
from benchmarks.lib.fewer_cells import is_below
from benchmarks.lib.saving import DATA, save_figures, save_picture, save_result
from benchmarks.lib.separation import COUSIN, LINEAGE, SIBLING, Combination, auroc, distance, false_known
from benchmarks.lib.signals import CELL, FAMILIARITY, SIGNALS, Asked, Knower
from benchmarks.lib.strangers import far_unknowns
from benchmarks.lib.studies import is_compatible, read_cells
from spoticell.biology.ontology import load_ontology
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.runtime import Runtime
from spoticell.training.history import ACCENT, GREY, SECOND

FEWEST = 10
"""Cells needed on both sides."""
MANY_GENES = 5000
COMBINED = "familiarity and nearest cell"
COMBINES = [SIGNALS.index(FAMILIARITY), SIGNALS.index(CELL)]
FAR = "far"

Signals = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Cells of a type that isn't known beside cells of known types."""

    set_name: str
    term: str
    """Cell Ontology term, or what the cells are called."""
    distance: str
    held_out: bool
    """Whether the set is one for training, held out."""
    known_ns: Signals
    strange_ns: Signals
    answers: dict[str, float | str]
    """Shares of the strange cells that are answered coarsely, wrongly, or not at all, and the commonest answer."""
    weight_n: NDArray[np.float64] | None = field(default=None, repr=False)
    """Of the known cells."""

    def figures(self, combination: Combination | None) -> dict[str, object]:
        """Give AUROC and FPR95 of each signal."""
        signals = {name: (self.known_ns[:, s], self.strange_ns[:, s]) for s, name in enumerate(SIGNALS)}
        if combination is not None:
            signals[COMBINED] = tuple(combination(side[:, COMBINES]) for side in (self.known_ns, self.strange_ns))
        return {
            "set": self.set_name,
            "type": load_ontology().name(self.term) if self.term in load_ontology() else self.term,
            "distance": self.distance,
            "known": len(self.known_ns),
            "unknown": len(self.strange_ns),
            **self.answers,
            "auroc": {name: auroc(*sides, self.weight_n) for name, sides in signals.items()},
            "fpr95": {name: false_known(*sides, self.weight_n) for name, sides in signals.items()},
        }


def cases_of(knower: Knower, data: Path) -> Iterator[Case]:
    """Hold the types that a bundle was trained without against those that it knows, set by set."""
    for folder in ("test", "train"):
        for path in sorted((data / folder).glob("*.h5ad")):
            if path.stem in knower.sets:
                continue
            cells = read_cells(path, knower.runtime).labelled()
            if len(cells):
                yield from cases_in(knower.ask(cells), knower, folder)


def cases_in(asked: Asked, knower: Knower, folder: str) -> Iterator[Case]:
    """Give the cases of one set."""
    truth_n = asked.cells.term_n
    known_n = known(truth_n, knower)
    for term in knower.without:
        strange_n = np.array([is_below(truth, [term]) for truth in truth_n], dtype=bool)
        if min(known_n.sum(), strange_n.sum()) >= FEWEST:
            yield Case(
                asked.cells.name,
                term,
                distance(term, knower.labels),
                folder == "train",
                asked.signal_ns[known_n],
                asked.signal_ns[strange_n],
                answers_of(truth_n[strange_n], asked.answer_n[strange_n]),
            )


def known(truth_n: NDArray[np.object_], knower: Knower) -> NDArray[np.bool_]:
    """Say which cells are surely of known types."""
    known_terms = {term for term in set(truth_n) if knower.knows(term)}
    return np.isin(truth_n, list(known_terms))


def answers_of(truth_n: Sequence[str], answer_n: NDArray[np.object_]) -> dict[str, float | str]:
    """Give the shares of cells of an unknown type that are answered coarsely but rightly, wrongly, or not at all."""
    none, above = float((answer_n == UNKNOWN).mean()), float(coarser(truth_n, answer_n).mean())
    return {"coarser": above, "wrong": 1 - above - none, "none": none, "commonest": commonest(answer_n)}


def commonest(answer_n: NDArray[np.object_]) -> str:
    """Name the commonest answer."""
    terms, cells = np.unique(answer_n.astype(str), return_counts=True)
    term = str(terms[cells.argmax()])
    return load_ontology().name(term) if term in load_ontology() else term


def combination_for(case: Case, cases: Sequence[Case]) -> Combination | None:
    """Fit the combination on held-out training sets, without the case's own set and type."""
    pairs = [
        (other.known_ns[:, COMBINES], other.strange_ns[:, COMBINES])
        for other in cases
        if other.held_out and other.set_name != case.set_name and not is_compatible(other.term, case.term)
    ]
    return Combination(pairs) if pairs else None


def far_cases(knower: Knower, data: Path, most: int | None) -> Iterator[Case]:
    """Hold cells that no model of human types should name against known ones."""
    tests = [
        knower.ask(cells if most is None else cells.sample(most))
        for path in sorted((data / "test").glob("*.h5ad"))
        if len(cells := read_cells(path, knower.runtime).labelled())
    ]
    sides = {asked.cells.name: asked.signal_ns[known(asked.cells.term_n, knower)] for asked in tests}
    many = [sides[asked.cells.name] for asked in tests if asked.cells.measured_g.sum() > MANY_GENES]
    weight_n = np.concatenate([np.full(len(side), 1 / len(side)) for side in many])
    for what, cells in far_unknowns(data, knower.runtime):
        asked = knower.ask(cells if most is None else cells.sample(most))
        own = sides.get(cells.name)
        own_side = own is not None and len(own) >= FEWEST
        yield Case(
            cells.name,
            what,
            f"{FAR}: {what}",
            held_out=False,
            known_ns=own if own_side else np.concatenate(many),
            strange_ns=asked.signal_ns,
            answers={"none": float((asked.answer_n == UNKNOWN).mean()), "commonest": commonest(asked.answer_n)},
            weight_n=None if own_side else weight_n,
        )


def table(rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Lay out the cases."""
    heads = ["type", "set", "distance", "unknown / known cells", "coarser, wrong, none", "commonest answer", *names]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows.to_dict("records"):
        shares = [row.get(key, np.nan) for key in ("coarser", "wrong", "none")]
        words = [row["type"], row["set"], row["distance"], f"{row['unknown']:,} / {row['known']:,}"]
        words += [", ".join("-" if np.isnan(share) else f"{share:.0%}" for share in shares), row["commonest"]]
        words += [_pair(row, name) for name in names]
        lines.append(f"| {' | '.join(words)} |")
    return lines


def _pair(row: dict, name: str) -> str:
    return f"{row['auroc'][name]:.3f} / {row['fpr95'][name]:.2f}" if name in row["auroc"] else "-"


def over_seeds(rows: pd.DataFrame) -> pd.DataFrame:
    """Join the cases of one type and set that several bundles give: means of figures, the first's commonest answer."""
    joined = []
    for _, same in rows.groupby(["type", "set"], sort=False):
        first = same.iloc[0].to_dict() | same[["coarser", "wrong", "none"]].mean().to_dict()
        for key in ("auroc", "fpr95"):
            first[key] = pd.DataFrame(same[key].tolist()).mean().to_dict()
        joined.append(first | {"bundles": len(same)})
    return pd.DataFrame(joined)


def means(rows: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Give the mean AUROC and FPR95 of each distance: over sets for each type, then over types."""
    flat = rows[["distance", "type"]].copy()
    for key in ("auroc", "fpr95"):
        for name in names:
            flat[key, name] = [found.get(name, np.nan) for found in rows[key]]
    near = [one for one in (SIBLING, COUSIN, LINEAGE) if one in set(rows["distance"])]
    order = [*near, *(one for one in rows["distance"].unique() if one.startswith(FAR))]
    return flat.groupby(["distance", "type"]).mean().groupby("distance").mean().loc[order]


def mean_table(mean: pd.DataFrame, rows: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Lay out the means by distance."""
    lines = [f"| distance | types | sets and types | {' | '.join(names)} |", "|---|" + "---|" * (len(names) + 2)]
    for place, row in mean.iterrows():
        here = rows[rows["distance"] == place]
        cells = (f"{row['auroc', name]:.3f} / {row['fpr95', name]:.2f}" for name in names)
        lines.append(f"| {place} | {here['type'].nunique()} | {len(here)} | {' | '.join(cells)} |")
    return lines


def picture(mean: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw AUROC by distance for each signal."""
    figure = Figure(figsize=(12, 3.8), layout="constrained")
    axes = figure.subplots()
    colors = dict(zip(names, (ACCENT, "0.2", "#9ec1d6", "#6ba0c0", SECOND, "#f0b592", "0.6"), strict=False))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        x = np.arange(len(mean)) + (number - (len(names) - 1) / 2) * width
        bars = axes.bar(x, mean["auroc", name], width * 0.92, color=colors[name], label=name)
        axes.bar_label(bars, fmt="%.2f", fontsize=6, padding=1)
    axes.axhline(0.5, color=GREY, linestyle="--", linewidth=1)
    axes.set_xticks(range(len(mean)), [place.replace(" ", "\n") for place in mean.index])
    axes.set(ylim=(0, 1.05), ylabel="AUROC, known against unknown", xlabel="how near the unknown type is to known ones")
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, loc="outside right center", fontsize="small")
    return figure


def main() -> None:
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", default="human-v1", help="asked of far unknowns: a folder or packaged name")
    parser.add_argument("--cells", type=Path, required=True, help="the cells that --bundle was trained on")
    parser.add_argument(
        "--without",
        nargs="+",
        action="append",
        default=[],
        metavar="BUNDLE CELLS TERM",
        help="a bundle, its cells and the types that it was trained without; may be given several times",
    )
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, help="for far unknowns: cells of a set, drawn at random where it has more")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")
    args = parser.parse_args()
    cases: list[Case] = []
    shipped = Knower(open_runtime(args.bundle, args.threads), args.cells)
    for bundle, cells, *terms in args.without:
        runtime = calibrated_as(load_bundle(bundle), shipped.runtime.bundle, args.threads)
        cases += cases_of(Knower(runtime, Path(cells), terms), args.data)
    cases += far_cases(shipped, args.data, args.most)
    rows = over_seeds(pd.DataFrame([case.figures(combination_for(case, cases)) for case in cases]))
    names = [*SIGNALS, COMBINED] if any(case.held_out for case in cases) else [*SIGNALS]
    mean = means(rows, names)
    lines = [
        f"Far unknowns asked of {describe(shipped.runtime)}.  AUROC / FPR95, known cells against unknown ones.",
        "",
        "Means over sets, then over types:",
        "",
        *mean_table(mean, rows, names),
        "",
        *coefficient_lines(cases),
        "Case by case; of the unknown cells which share gets a right but coarser answer, a wrong one, none:",
        "",
        *table(rows, names),
    ]
    print("\n".join(lines))
    if args.save:
        save_result(args.save, "Cells of unknown types", lines)
        save_figures(args.save, rows.to_dict("records"))
        save_picture(args.save, picture(mean, names))


def calibrated_as(bundle: Bundle, other: Bundle, threads: int) -> Runtime:
    """Load a bundle with the calibration and trust of another."""
    taken = {
        name: getattr(other.manifest, name) for name in ("calibration", "softening", "trust", "together", "threshold")
    }
    return Runtime(replace(bundle, manifest=bundle.manifest.model_copy(update=taken)), threads=threads)


def coefficient_lines(cases: Sequence[Case]) -> list[str]:
    """State the combination that all held-out sets give."""
    pairs = [(case.known_ns[:, COMBINES], case.strange_ns[:, COMBINES]) for case in cases if case.held_out]
    if not pairs:
        return []
    familiarity, cell = Combination(pairs).coefficients
    formula = f"{familiarity:.2f} x familiarity {cell:+.2f} x similarity"
    return [f"Fitted on all {len(pairs)} cases of held-out training sets the combination is {formula}.", ""]


if __name__ == "__main__":
    main()
