"""From files to figures: the answers in one file against the labels in it or in another.

The rules are in ``evaluate``.  Axis: ``n`` cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from spoticell.errors import ConfigError, FileFormatError
from spoticell.evaluate import score
from spoticell.io import open_cells
from spoticell.io.write import guard
from spoticell.keys import KEY_ADDED, SCORE, TERM, UNKNOWN
from spoticell.ontology import load_ontology


def evaluate_file(annotated: Path | str, *, truth_key: str, truth: Path | str | None = None) -> dict[str, Any]:
    """Compare the answers in a file with labels.

    Parameters
    ----------
    annotated
        What `annotate_file` wrote.
    truth_key
        The column of labels: Cell Ontology ids, names or exact synonyms.  Others count as no label.
    truth
        Another file that holds the column; its cells are found by their names.

    Returns
    -------
    The figures of `spoticell.evaluate.score`, and ``cells_without_label``.

    Raises
    ------
    SpoticellError
        If a column is missing, or no cell has a label.
    """
    answers = _read_obs(Path(annotated))
    term_key, score_key = (name.format(key=KEY_ADDED) for name in (TERM, SCORE))
    labels_n = _column(answers if truth is None else _joined(_read_obs(Path(truth)), answers.index), truth_key)
    ontology = load_ontology()
    resolved = {label: ontology.resolve_label(label) or UNKNOWN for label in labels_n.unique()}
    truth_n = labels_n.map(resolved)
    figures = score(truth_n.tolist(), _column(answers, term_key).tolist(), pd.to_numeric(answers[score_key]), ontology)
    return {"cells_without_label": int((truth_n == UNKNOWN).sum())} | figures


def _read_obs(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        try:
            return pd.read_csv(path, index_col=0, dtype=str, keep_default_na=False)
        except (OSError, ValueError) as error:
            raise FileFormatError(f"{path.name} can't be read as a table of answers ({error}).") from None
    with open_cells(path) as source:
        return source.obs()


def _column(table: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in table:
        raise ConfigError(f"there is no column {name!r}; there are {', '.join(map(str, table.columns)) or 'none'}.")
    return table[name].astype(object).where(table[name].notna(), "").astype(str)


def _joined(table: pd.DataFrame, cells: pd.Index) -> pd.DataFrame:
    """Give the rows of a table for cells that are known by name, in their order."""
    table.index = pd.Index([guard(str(name)) for name in table.index])
    cells = pd.Index([guard(str(name)) for name in cells])
    if table.index.equals(cells):
        return table
    if table.index.has_duplicates:
        raise ConfigError("cell names repeat in the file of labels, so its cells can't be found by name.")
    return table.reindex(cells)
