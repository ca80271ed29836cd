"""Scoring answers against curated labels, with the rules of the field's stricter benchmarks.

* An answer is right if it is the label or one of its subtypes; an ancestor of the label isn't.
* For a type's precision, a wrong answer is carried up to the nearest of the data set's own labels
  at or above it.  If there is none, it counts against no type's precision, and is a miss for its label.
* Macro figures run over the labels with at least `MIN_SUPPORT` cells.
* Hierarchical figures compare sets of ancestors (terms too general to be answers left out), summed
  over cells: a right but coarser answer gets part marks, a right but finer one all of them.
* Coverage is the share of cells with an answer.  ECE compares scores with hits in 15 bins of equal mass.

Axis: ``n`` cells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from spoticell.biology.ontology import TOO_GENERAL, Ontology, load_ontology
from spoticell.errors import ConfigError, FileFormatError
from spoticell.io import Cells, open_source
from spoticell.io.formula import guard
from spoticell.keys import KEY_ADDED, SCORE, TERM, UNKNOWN

MIN_SUPPORT = 10

BINS = 15

NO_ANSWER = frozenset({"", UNKNOWN, "nan", "None"})

Pair = tuple[str, str]
"""A label and an answer."""


def score(
    truth_n: Sequence[str], answer_n: Sequence[str], score_n: ArrayLike | None = None, ontology: Ontology | None = None
) -> dict[str, Any]:
    """Compare answers with labels.

    Parameters
    ----------
    truth_n
        Cell Ontology term of each cell; cells whose label is empty or ``unknown`` are left out.
    answer_n
        Answered term of each cell; empty or ``unknown`` where there is none.
    score_n
        Probability of each answer, in [0, 1]; needed for ``ece`` only.
    ontology
        The packaged one if not given.

    Returns
    -------
    ``cells``, ``types``, ``accuracy``, ``coverage``, ``accuracy_answered``, ``macro_f1``, ``macro_recall`` (both None
    where no type has enough cells), ``hierarchical_precision``, ``hierarchical_recall``, ``hierarchical_f1``, ``ece``
    (where there are scores and answers), and ``per_type``: for each label its ``name``, ``cells``, ``precision``,
    ``recall`` and ``f1``, commonest first.

    Raises
    ------
    ConfigError
        If no cell has a label.

    Examples
    --------
    Two T cells, one of them answered with a subtype and one not at all:

    >>> figures = score(["CL:0000084", "CL:0000084"], ["CL:0000624", "unknown"])
    >>> figures["accuracy"], figures["coverage"], figures["accuracy_answered"]
    (0.5, 0.5, 1.0)
    """
    ontology = ontology or load_ontology()
    labelled_n = np.array([label not in NO_ANSWER for label in truth_n], dtype=bool)
    pairs_n = [pair for pair, use in zip(zip(truth_n, answer_n, strict=True), labelled_n, strict=True) if use]
    if not pairs_n:
        raise ConfigError("no cell has a label to compare with; give the column that holds Cell Ontology terms.")
    pairs = Counter(pairs_n)
    lineage = {term: _lineage(term, ontology) for pair in pairs for term in pair}
    right = {pair for pair in pairs if pair[0] in lineage[pair[1]]}
    per_type = _per_type(pairs, right, lineage, ontology)
    answered_n = np.array([answer not in NO_ANSWER for _, answer in pairs_n])
    right_n = np.array([pair in right for pair in pairs_n])
    figures: dict[str, Any] = {
        "cells": len(pairs_n),
        **_macro(per_type),
        "accuracy": float(right_n.mean()),
        "coverage": float(answered_n.mean()),
        "accuracy_answered": float(right_n[answered_n].mean()) if answered_n.any() else 0.0,
        **_hierarchical(pairs, right, lineage),
    }
    if score_n is not None and answered_n.any():
        confidence_n = np.asarray(score_n, dtype=np.float64)[labelled_n]
        figures["ece"] = _calibration_error(confidence_n[answered_n], right_n[answered_n])
    return figures | {"per_type": per_type}


def _lineage(term: str, ontology: Ontology) -> frozenset[str]:
    return ontology.ancestors(term) if term in ontology else frozenset()


def _per_type(
    pairs: Counter[Pair], right: set[Pair], lineage: dict[str, frozenset[str]], ontology: Ontology
) -> dict[str, dict[str, Any]]:
    support: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    called: Counter[str] = Counter()
    for (label, answer), cells in pairs.items():
        support[label] += cells
        hits[label] += cells * ((label, answer) in right)
    for (label, answer), cells in pairs.items():
        called[label if (label, answer) in right else _carry_up(answer, support, lineage)] += cells
    return {
        label: {
            "name": ontology.name(label) if label in ontology else label,
            "cells": cells,
            **_precision_recall(hits[label], called[label], cells),
        }
        for label, cells in sorted(support.items(), key=lambda item: (-item[1], item[0]))
    }


def _carry_up(answer: str, labels: Counter[str], lineage: dict[str, frozenset[str]]) -> str:
    above = [term for term in lineage[answer] if term in labels]
    return max(above, key=lambda term: (len(lineage[term]), term), default="")


def _precision_recall(hits: int, called: int, cells: int) -> dict[str, float]:
    precision, recall = (hits / called if called else 0.0), hits / cells
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _macro(per_type: dict[str, dict[str, Any]]) -> dict[str, Any]:
    rows = [row for row in per_type.values() if row["cells"] >= MIN_SUPPORT]
    means = {f"macro_{key}": float(np.mean([row[key] for row in rows])) if rows else None for key in ("f1", "recall")}
    return {"types": len(rows), **means}


def _hierarchical(pairs: Counter[Pair], right: set[Pair], lineage: dict[str, frozenset[str]]) -> dict[str, float]:
    common = answered = labelled = 0
    for (label, answer), cells in pairs.items():
        truth = lineage[label] - TOO_GENERAL
        given = truth if (label, answer) in right else lineage[answer] - TOO_GENERAL
        common += cells * len(truth & given)
        answered += cells * len(given)
        labelled += cells * len(truth)
    precision, recall = common / max(answered, 1), common / max(labelled, 1)
    f1 = 2 * precision * recall / max(precision + recall, 1e-12)
    return {"hierarchical_precision": precision, "hierarchical_recall": recall, "hierarchical_f1": f1}


def _calibration_error(confidence_n: NDArray[np.float64], right_n: NDArray[np.bool_]) -> float:
    bins = np.array_split(np.argsort(confidence_n, kind="stable"), min(BINS, len(confidence_n)))
    gaps = [len(bin_) * abs(confidence_n[bin_].mean() - right_n[bin_].mean()) for bin_ in bins]
    return float(sum(gaps) / len(confidence_n))


@dataclass(frozen=True)
class Evaluation:
    """How answers compare with labels; `score` says what each figure is.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)).adata
    >>> adata.obs["cell_type"] = adata.obs["bulk_labels"].map({"CD19+ B": "B cell", "CD56+ NK": "natural killer cell"})
    >>> spoticell.evaluate(adata, truth_key="cell_type").per_type["cells"].to_dict()
    {'CL:0000236': 95, 'CL:0000623': 31}
    """

    cells: int
    """Cells with a label."""
    cells_without_label: int
    """Cells left out, since they have no label that the Cell Ontology knows."""
    types: int
    """Labels that the macro figures run over."""
    accuracy: float
    coverage: float
    accuracy_answered: float
    macro_f1: float | None
    macro_recall: float | None
    hierarchical_precision: float
    hierarchical_recall: float
    hierarchical_f1: float
    per_type_records: dict[str, dict[str, Any]] = field(repr=False)
    """For each label its ``name``, ``cells``, ``precision``, ``recall`` and ``f1``."""
    ece: float | None = None
    """Expected calibration error of the scores; None where no cell is answered."""

    @property
    def per_type(self) -> pd.DataFrame:
        """A row for each label, under its term: ``name``, ``cells``, ``precision``, ``recall`` and ``f1``."""
        return pd.DataFrame.from_dict(self.per_type_records, orient="index").rename_axis("term")

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain values, for JSON."""
        figures = {item.name: getattr(self, item.name) for item in fields(self)}
        per_type = figures.pop("per_type_records")
        ece = figures.pop("ece")
        return figures | ({} if ece is None else {"ece": ece}) | {"per_type": per_type}


def compare(answers: pd.DataFrame, labels: pd.DataFrame, *, truth_key: str, key_added: str = KEY_ADDED) -> Evaluation:
    """Compare the answers in a table about cells with the labels in another.

    Parameters
    ----------
    answers
        A row for each cell under its name, with the columns that `annotate` writes.
    labels
        The same table, or one in which cells are found by their names.
    truth_key
        The column of labels: Cell Ontology ids, names or exact synonyms.  Others count as no label.
    key_added
        What the columns of answers start with.

    Raises
    ------
    ConfigError
        If a column is missing, or no cell has a label.
    """
    term_key, score_key = (name.format(key=key_added) for name in (TERM, SCORE))
    given_n = _column(answers, term_key, near=_answer_keys(answers))
    labels_n = _column(labels if labels is answers else _joined(labels, answers.index), truth_key)
    ontology = load_ontology()
    resolved = {label: ontology.resolve_label(label) or UNKNOWN for label in labels_n.unique()}
    truth_n = labels_n.map(resolved)
    figures = score(truth_n.tolist(), given_n.tolist(), pd.to_numeric(answers[score_key]), ontology)
    per_type = figures.pop("per_type")
    return Evaluation(cells_without_label=int((truth_n == UNKNOWN).sum()), per_type_records=per_type, **figures)


def read_obs(cells: Cells) -> pd.DataFrame:
    """Give the table about cells of a file, of an AnnData object, or of a csv file of answers.

    Raises
    ------
    FileFormatError
        If it can't be read.
    """
    if isinstance(cells, Path | str) and Path(cells).suffix == ".csv":
        try:
            return pd.read_csv(cells, index_col=0, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise FileFormatError(f"{Path(cells).name} can't be read as a table of answers ({error}).") from None
    if not isinstance(cells, Path | str) and hasattr(cells, "obs"):
        return pd.DataFrame(cells.obs)
    with open_source(cells) as source:
        return source.obs()


def _answer_keys(table: pd.DataFrame) -> list[str]:
    """Give the words under which a table holds answers."""
    ending = TERM.format(key="")
    return [name.removesuffix(ending) for name in map(str, table.columns) if name.endswith(ending) and name != ending]


def _column(table: pd.DataFrame, name: str, *, near: Sequence[str] = ()) -> pd.Series[Any]:
    if name not in table:
        hint = f" Answers are under {' and '.join(map(repr, near))}: say so with key_added." if near else ""
        raise ConfigError(
            f"there is no column {name!r}; there are {', '.join(map(str, table.columns)) or 'none'}.{hint}"
        )
    return table[name].astype(object).where(table[name].notna(), "").astype(str)


def _joined(table: pd.DataFrame, cells: pd.Index) -> pd.DataFrame:
    """Give the rows of a table for cells that are known by name, in their order."""
    table = table.set_axis(pd.Index([guard(str(name)) for name in table.index]), axis="index")
    cells = pd.Index([guard(str(name)) for name in cells])
    if table.index.equals(cells):
        return table
    if table.index.has_duplicates:
        raise ConfigError("cell names repeat in the file of labels, so its cells can't be found by name.")
    return table.reindex(cells)
