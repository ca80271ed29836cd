"""What answers are worth, going by labels: which of them can be compared, and what must be said beside the figures.

The figures themselves are in ``figures``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spoticell.annotation.cellxgene import is_ours
from spoticell.annotation.figures import MIN_SUPPORT, NO_ANSWER, score
from spoticell.annotation.result import Annotation
from spoticell.biology.labels import GO_ON, Labelling, Labels, read_labels
from spoticell.biology.ontology import TOO_GENERAL
from spoticell.biology.tissues import Tissue, find_tissue
from spoticell.errors import ConfigError, FileFormatError, note
from spoticell.io import Cells, open_source
from spoticell.io.address import Address, place_in
from spoticell.io.formula import guard
from spoticell.io.meanings import Meanings, read_meanings
from spoticell.keys import KEY_ADDED, LABEL, MATCH_TERM, SCORE, SECOND_TERM, SINGLE_TERM, TERM

SAID = ("label_column", "labels_not_understood", "notes")
"""What an evaluation says besides figures."""


@dataclass(frozen=True)
class Evaluation:
    """How answers compare with labels; `score` says what each figure is.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)).adata
    >>> adata.obs["cell_type"] = adata.obs["bulk_labels"].map({"CD19+ B": "B cell", "CD56+ NK": "natural killer cell"})
    >>> spoticell.evaluate(adata, label_column="cell_type").per_type["cells"].to_dict()
    {'CL:0000236': 95, 'CL:0000623': 31}
    """

    cells: int
    """Cells with a label."""
    cells_without_label: int
    """Cells left out, since they have no label."""
    cells_not_understood: int
    """Cells left out, since their label isn't understood."""
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
    foreign: float | None = None
    """Share of answers that name a type which only other tissues have; None where no tissue is told."""
    accuracy_home: float | None = None
    """Share of cells that are named rightly, and not by such a type; None where no tissue is told."""
    label_column: str = ""
    """Where the labels stood."""
    labels_not_understood: dict[str, int] = field(default_factory=dict, repr=False)
    """Labels that aren't understood, with their cells; commonest first."""
    notes: tuple[str, ...] = ()
    """What to bear in mind with these figures."""

    @property
    def per_type(self) -> pd.DataFrame:
        """A row for each label, under its term: ``name``, ``cells``, ``precision``, ``recall`` and ``f1``."""
        return pd.DataFrame.from_dict(self.per_type_records, orient="index").rename_axis("term")

    def to_dict(self) -> dict[str, Any]:
        """Give the same as plain values, for JSON."""
        figures = {item.name: getattr(self, item.name) for item in fields(self)}
        per_type = figures.pop("per_type_records")
        some = {name: figures.pop(name) for name in ("ece", "foreign", "accuracy_home")}
        said = {name: figures.pop(name) for name in SAID}
        said["notes"] = list(said["notes"])
        known = {name: figure for name, figure in some.items() if figure is not None}
        return figures | known | said | {"per_type": per_type}


def evaluate(
    annotated: Annotation | Cells,
    *,
    label_column: str | None = None,
    truth: Cells | None = None,
    meanings: Meanings | None = None,
    key_added: str = KEY_ADDED,
    partial: bool = False,
    tissue: str | None = None,
    truth_key: str | None = None,
) -> Evaluation:
    """Compare answers with labels.

    Parameters
    ----------
    annotated
        What `annotate` gave or wrote: an annotation, an AnnData object, or a path (``.h5ad``, ``.csv``).
    label_column, truth_key
        The column of labels, by its name now and before; looked for if not given.
    truth
        Where that column is, if not in ``annotated``; its cells are found by their names.
    meanings
        What labels mean that aren't understood: ``{"my cluster": "B cell"}``, or a csv or tsv file.
    key_added
        What the columns of answers start with; an annotation knows its own.
    partial
        Whether to go on where less than half of the labelled cells, or very few, can be scored.
    tissue
        Where the cells are from: answers that name types of other tissues are counted then.

    Returns
    -------
    Evaluation: ``.macro_f1``, ``.hierarchical_f1`` and more figures, ``.per_type``, ``.notes``.

    Raises
    ------
    SpoticellError
        If a column is missing, too few cells have a label that is understood, or there is no such tissue.

    Examples
    --------
    >>> import anndata, importlib.resources, spoticell
    >>> cells = importlib.resources.files("spoticell") / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"
    >>> adata = spoticell.annotate(anndata.read_h5ad(cells)).adata
    >>> spoticell.evaluate(adata, label_column="bulk_labels").cells
    700
    """
    name = str(annotated) if isinstance(annotated, Path | str) else "CELLS"
    if isinstance(annotated, Annotation):
        key_added, answers = annotated.options.key_added, annotated.obs
        truth = truth if truth is not None else annotated.path if annotated.adata is None else annotated.adata
    else:
        answers = read_obs(annotated)
    labels = answers if truth is None else read_obs(truth)
    own = LABEL in labels and _are_ours(annotated if truth is None else truth, key_added)
    labels = _without_answers(labels, label_column or truth_key) if own else labels
    labelling = Labelling(label_column or truth_key, read_meanings(meanings), partial)
    place = None if tissue is None else find_tissue(tissue)
    return compare(answers, labels, labelling=labelling, key_added=key_added, name=name, tissue=place)


def _are_ours(labelled: Annotation | Cells, key_added: str) -> bool:
    return labelled.options.cellxgene if isinstance(labelled, Annotation) else is_ours(labelled, key_added)


def _without_answers(labels: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """Leave out the column for CELLxGENE, which holds the answers themselves; refuse it as the column of labels."""
    if column == LABEL:
        raise ConfigError(f"{LABEL!r} holds the answers themselves, as --cellxgene wrote them; name other labels.")
    return labels.drop(columns=LABEL)


def compare(
    answers: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    labelling: Labelling | None = None,
    key_added: str = KEY_ADDED,
    name: str = "ANNOTATED",
    tissue: Tissue | None = None,
) -> Evaluation:
    """Compare the answers in a table about cells with the labels in another; each note is a `SpoticellWarning`.

    Parameters
    ----------
    answers
        A row for each cell under its name, with the columns that `annotate` writes.
    labels
        The same table, or one in which cells are found by their names.
    labelling
        Where the labels stand, what they mean, and whether few of them will do.
    key_added
        What the columns of answers start with.
    name
        How messages call what holds the answers.
    tissue
        Where the cells are from, if that is told.

    Raises
    ------
    SpoticellError
        If a column is missing, or too few cells have a label that is understood.
    """
    labelling = labelling or Labelling()
    term_key, score_key = (key.format(key=key_added) for key in (TERM, SCORE))
    given_n = _answers(answers, term_key, name)
    found = read_labels(
        labels if labels is answers else _joined(labels, answers.index), name="the table of labels", labelling=labelling
    )
    notes = _remarks(found, partial=labelling.partial)
    figures = score(found.term_n.tolist(), given_n.tolist(), _scores(answers, score_key, given_n), tissue=tissue)
    per_type = figures.pop("per_type")
    for sentence in notes:
        note(sentence)
    return Evaluation(
        cells_without_label=found.n_unlabelled,
        cells_not_understood=sum(found.unresolved.values()),
        per_type_records=per_type,
        label_column=found.column,
        labels_not_understood=found.unresolved,
        notes=notes,
        **figures,
    )


def _remarks(labels: Labels, *, partial: bool) -> tuple[str, ...]:
    """Give what must be said beside the figures, and refuse labels that allow no figure."""
    understood, cells = labels.n_understood, len(labels.terms)
    if not understood and not labels.unresolved:
        raise ConfigError(f"no cell has a label in {labels.column!r} to compare with; name another column of labels.")
    if not understood or not partial:
        labels.check(name="too few labels are understood to say how good the answers are")
    labelled, remark = understood + sum(labels.unresolved.values()), labels.remark()
    notes = [] if remark is None else [f"the figures are of {understood:,} of {labelled:,} labelled cells. {remark}"]
    vague = int(labels.terms.isin(sorted(TOO_GENERAL)).sum())
    if vague:
        notes.append(f"{vague:,} of {understood:,} labels say so little, as 'cell' does, that any answer is right.")
    if understood < MIN_SUPPORT:
        notes.append(f"only {understood:,} of {cells:,} cells can be scored: figures of so few say little.")
    elif understood < cells / 2:
        notes.append(f"the figures are of {understood:,} of {cells:,} cells; {labels.n_unlabelled:,} have no label.")
    if (vague > understood / 2 or understood < min(MIN_SUPPORT, cells / 2)) and not partial:
        raise ConfigError(f"the labels can't tell how good the answers are: {' '.join(notes)} {GO_ON}")
    return tuple(notes)


def read_obs(cells: Cells) -> pd.DataFrame:
    """Give the table about cells of a file, of an AnnData object, or of a csv or tsv file.

    Raises
    ------
    FileFormatError
        If it can't be read.
    """
    path = place_in(cells)
    if isinstance(path, Address) and path.suffix in {".csv", ".tsv"}:
        raise FileFormatError(f"{path}: tables about cells are read from paths. Download it first.")
    if isinstance(path, Path) and path.suffix in {".csv", ".tsv"} and path.exists():
        try:
            sep = "," if path.suffix == ".csv" else "\t"
            return pd.read_csv(path, sep=sep, index_col=0, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise FileFormatError(f"{path.name} can't be read as a table about cells ({error}).") from None
    if place_in(cells) is None and hasattr(cells, "obs"):
        return pd.DataFrame(cells.obs)
    with open_source(cells) as source:
        return source.obs()


def _answers(table: pd.DataFrame, column: str, name: str) -> pd.Series[Any]:
    """Give the term of each answer, '' where there is none."""
    if column in table:
        return table[column].astype(object).where(table[column].notna(), "").astype(str)
    ending, others = TERM.format(key=""), tuple(key.format(key="") for key in (SECOND_TERM, SINGLE_TERM, MATCH_TERM))
    terms = [name for name in map(str, table.columns) if name.endswith(ending) and not name.endswith(others)]
    keys = [name.removesuffix(ending) for name in terms if name != ending]
    if keys:
        near = " and ".join(map(repr, keys))
        hint = f"Answers are under {near}: say so with --key-added, in Python key_added=."
    else:
        hint = f"Name the cells first: spoticell annotate {name} -o OUT; then evaluate OUT."
    raise ConfigError(f"there is no column {column!r}, so {name} holds no answers under that name. {hint}")


def _scores(table: pd.DataFrame, column: str, given_n: pd.Series[Any]) -> pd.Series[Any]:
    """Give the score of each cell, all of answers in [0, 1]."""
    if column not in table:
        raise FileFormatError(f"there is no column {column!r} beside the answers; evaluate a file that annotate wrote.")
    score_n = pd.to_numeric(table[column].astype(object), errors="coerce").astype(np.float64)
    bad_n = ~given_n.isin(NO_ANSWER) & ~score_n.between(0, 1)
    if bad_n.any():
        first = str(table[column][bad_n.to_numpy()].iloc[0])[:40]
        raise FileFormatError(
            f"the scores in {column!r} are no numbers from 0 to 1, as annotate writes them: {first!r} is the first of "
            f"{int(bad_n.sum()):,}. Evaluate the file as annotate wrote it."
        )
    return score_n


def _joined(table: pd.DataFrame, cells: pd.Index) -> pd.DataFrame:
    """Give the rows of a table for cells that are known by name, in their order."""
    table = table.set_axis(pd.Index([guard(str(name)) for name in table.index]), axis="index")
    cells = pd.Index([guard(str(name)) for name in cells])
    if table.index.equals(cells):
        return table
    if not cells.isin(table.index).any():
        raise ConfigError("no cell of the answers is in the file of labels, going by the cells' names.")
    if table.index.has_duplicates:
        raise ConfigError("cell names repeat in the file of labels, so its cells can't be found by name.")
    return table.reindex(cells)
