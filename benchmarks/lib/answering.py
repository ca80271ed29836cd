"""What a bundle answers for the cells of a study, and in which sense each answer is right.

Axes: ``n`` cells, ``m`` ontology nodes, ``d`` fingerprint.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.lib.saving import DATA
from benchmarks.lib.studies import Cells, is_right, read_studies
from spoticell.annotation.allowed import Allowed
from spoticell.annotation.decision import decide
from spoticell.annotation.figures import NO_ANSWER
from spoticell.annotation.first_blocks import STEP, first_block
from spoticell.annotation.looks import FirstLook, kept_of
from spoticell.annotation.options import Options
from spoticell.annotation.result import FirstBlock
from spoticell.annotation.sample_tissue import show_tissues
from spoticell.biology.neighbours import Neighbours
from spoticell.biology.ontology import load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.biology.sample import MOST_CELLS
from spoticell.biology.sketch import Sketch
from spoticell.io.findings import SAMPLE
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle, load_bundle
from spoticell.model.runtime import Prediction, Runtime


@dataclass(frozen=True)
class Answers:
    """Answers for some cells, with what they came from."""

    term_n: NDArray[np.object_]
    """Cell Ontology term, or ``unknown``."""
    score_n: NDArray[np.float32]
    """Chance that the answer is right; 0 for unknown."""
    probability_nm: NDArray[np.float32]
    """Chance that each node is right."""
    prediction: Prediction
    """What the network gave, uncalibrated; zero for a cell without any count, but for its familiarity."""
    single_term_n: NDArray[np.object_] | None = None
    """The answer to each cell alone, where the cells were read together."""
    single_score_n: NDArray[np.float32] | None = None
    margin_n: NDArray[np.float32] | None = None
    """How far each cell, read together, is from being too strange to be named."""
    single_margin_n: NDArray[np.float32] | None = None
    """The same of each cell alone."""


def with_bundles(parser: argparse.ArgumentParser) -> None:
    """Add the options of a benchmark that asks bundles of the development tests."""
    parser.add_argument("--bundles", nargs="+", default=["human-v1"], help="folders or packaged names, one a seed")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--most", type=int, help="cells of a set, drawn at random where it has more; all if not given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--save", help="name of the result; nothing is saved without it")


def open_runtime(bundle: Path | str, threads: int) -> Runtime:
    """Load a bundle, by folder or packaged name, ready to run."""
    return Runtime(load_bundle(bundle), threads=threads)


def answer_cells(
    cells: Cells,
    runtime: Runtime,
    *,
    threshold: float | None = None,
    allowed: Allowed | None = None,
    any_tissue: bool = False,
) -> Answers:
    """Answer cells as ``annotate --each-cell-alone`` does: the cells say from where they are.

    Parameters
    ----------
    cells, runtime
        Which cells, and by which bundle.
    threshold
        The bundle's own if not given.
    allowed
        What is said of types and tissue.
    any_tissue
        Whether types of all tissues can be, where nothing is said.
    """
    prediction = runtime.predict(cells.counts_ng, cells.measured_g)
    bundle, empty_n = runtime.bundle, cells.counts_n == 0
    prediction.probabilities_nm[empty_n] = 0
    threshold = Options(bundle, threshold=threshold).lowest
    relatives = None if allowed is None else allowed.relatives
    if allowed is None and not any_tissue:
        relatives = relatives_in_sample(prediction.probabilities_nm[~empty_n], bundle)
    decision = decide(prediction, cells.counts_n, bundle, threshold=threshold, allowed=allowed, relatives=relatives)
    term_n = np.array([*bundle.nodes, UNKNOWN], dtype=object)[decision.answer_n]
    return Answers(term_n, decision.score_n, decision.probability_nm, prediction)


def answer_together(
    cells: Cells, runtime: Runtime, *, threshold: float | None = None, any_tissue: bool = False
) -> Answers:
    """Answer cells as ``annotate`` does: each read together with its neighbours among them.

    Parameters
    ----------
    cells, runtime, threshold, any_tissue
        As for `answer_cells`.
    """
    prediction = runtime.predict(cells.counts_ng, cells.measured_g)
    bundle, empty_n = runtime.bundle, cells.counts_n == 0
    prediction.probabilities_nm[empty_n] = 0
    options = Options(bundle, threshold=threshold)
    relatives = None if any_tissue else relatives_in_sample(prediction.probabilities_nm[~empty_n], bundle)
    first, looked = first_look(cells, prediction, options, relatives)
    blocks = list(first.answered(first.neighbours(), options, relatives, on_progress=lambda *_: None))
    terms = np.array([*bundle.nodes, UNKNOWN], dtype=object)
    return Answers(
        terms[np.concatenate([block.answer_n for block in blocks])],
        np.concatenate([block.score_n for block in blocks]),
        np.concatenate([block.probabilities_nm for block in blocks]),
        prediction,
        terms[np.concatenate([block.single_n for block in blocks])],
        np.concatenate([block.single_score_n for block in blocks]),
        np.concatenate([block.margin_n for block in blocks]) if bundle.manifest.trust else None,
        np.concatenate([block.alone.margin_n for block in looked]) if bundle.manifest.trust else None,
    )


def neighbours_among(cells: Cells, runtime: Runtime) -> Neighbours:
    """Give the neighbours that cells are read together with."""
    prediction = runtime.predict(cells.counts_ng, cells.measured_g)
    return first_look(cells, prediction, Options(runtime.bundle), None)[0].neighbours()


def first_look(
    cells: Cells, prediction: Prediction, options: Options, relatives: Relatives | None
) -> tuple[FirstLook, list[FirstBlock]]:
    """Give what ``annotate`` keeps of cells before it reads them together, and what it says of each alone."""
    first, sketch = FirstLook(prediction.n_measured), Sketch(cells.sample(SAMPLE).counts_ng)
    looked: list[FirstBlock] = []
    for start in range(0, len(cells), STEP):
        rows = slice(start, start + STEP)
        said = Prediction(
            prediction.fingerprint_nd[rows],
            prediction.probabilities_nm[rows],
            prediction.familiarity_n[rows],
            prediction.n_measured,
        )
        looked.append(first_block(start, cells.counts_ng[rows], said, options, relatives=relatives))
        first.add(replace(looked[-1], kept=kept_of(looked[-1], sketch)))
    return first, looked


def relatives_in_sample(probabilities_nm: NDArray[np.float32], bundle: Bundle) -> Relatives:
    """Give what the tissues that some cells show make of types of others."""
    weights, spread = bundle.label_weights, slice(None, None, -(-len(probabilities_nm) // MOST_CELLS) or 1)
    shown = show_tissues(weights.of(probabilities_nm[spread]), weights.label_c, bundle.nodes, load_ontology())
    return Relatives(weights, bundle.nodes, load_ontology(), shown.possible_m)


def read_tests(data: Path, runtime: Runtime, most: int | None = None) -> list[Cells]:
    """Read the labelled cells of the development tests, at most so many of each."""
    tests = read_studies(data / "test", runtime)
    return tests if most is None else [cells.sample(most) for cells in tests]


def right(truth_n: Sequence[str], answer_n: Sequence[str]) -> NDArray[np.bool_]:
    """Say which answers are the label or a subtype of it."""
    return np.array([is_right(truth, answer) for truth, answer in zip(truth_n, answer_n, strict=True)], dtype=bool)


def coarser(truth_n: Sequence[str], answer_n: Sequence[str]) -> NDArray[np.bool_]:
    """Say which answers are above the label: not wrong, but less than is known."""
    return right(answer_n, truth_n) & ~right(truth_n, answer_n)


def mean_depth(answer_n: Sequence[str]) -> float:
    """Give how deep in the ontology the answers lie, those that there are; NaN if there are none."""
    ontology = load_ontology()
    depths = [ontology.depth(answer) for answer in answer_n if answer not in NO_ANSWER]
    return float(np.mean(depths)) if depths else float("nan")


def describe(runtime: Runtime) -> str:
    """Name a bundle in a result."""
    return f"{runtime.bundle.name} ({runtime.bundle.sha256[:12]})"
