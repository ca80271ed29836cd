"""The column of types that the CELLxGENE schema asks for, on request, and how it is told from the user's own.

The schema wants ``obs["cell_type_ontology_term_id"]``: terms of one release of the Cell Ontology, or ``unknown``.  The
column ``cell_type`` is the portal's to write.  See
https://github.com/chanzuckerberg/single-cell-curation/blob/main/schema/7.1.0/schema.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.ontology import load_ontology
from spoticell.errors import ConfigError
from spoticell.io import Cells, open_source
from spoticell.io.address import place_in
from spoticell.io.formats.h5ad import AnnDataSource
from spoticell.io.in_memory import AnnDataCells
from spoticell.io.source import CellSource
from spoticell.keys import CELLXGENE, LABEL, RUN, TERM, UNKNOWN

SCHEMA = "7.1.0"
"""Release of the schema whose rules these are."""
RELEASE = "2026-03-26"
"""Release of the Cell Ontology that the schema goes by: that of the packaged table, so it knows all terms in there."""
FORBIDDEN = frozenset(("CL:0000255", "CL:0000257", "CL:0000548"))
"""Terms that the schema forbids: eukaryotic cell, Eumycetozoan cell, animal cell."""


def schema_terms(terms_n: Sequence[str] | NDArray[np.object_]) -> pd.Categorical:
    """Give terms as the schema takes them: the nearest term above where one is forbidden, else ``unknown``.

    Examples
    --------
    >>> schema_terms(["CL:0000236", "unknown", "CL:0000255"]).tolist()
    ['CL:0000236', 'unknown', 'CL:0000000']
    """
    code_n, terms = pd.factorize(np.asarray(terms_n, dtype=object))
    values = np.array([_schema_term(term) for term in terms], dtype=object)
    return pd.Categorical(values[code_n])


def _schema_term(term: str) -> str:
    ontology = load_ontology()
    if term not in ontology:
        return UNKNOWN
    taken = [above for above in ontology.ancestors(term) | {term} if above not in FORBIDDEN]
    return max(taken, key=lambda above: (above == term, ontology.depth(above), above), default=UNKNOWN)


def schema_record() -> dict[str, str]:
    """Say by which releases the column was made, as plain values."""
    return {"schema_version": SCHEMA, "ontology_version": RELEASE}


def is_wanted(source: CellSource, *, asked: bool, key_added: str) -> bool:
    """Whether a run writes the column: where it is asked for, and where an earlier run wrote it, so that it stays true.

    Raises
    ------
    ConfigError
        If it is asked for, and the cells have a column of that name that isn't ours.
    """
    marked = _is_marked(source, key_added)
    if not asked and not marked:
        return False
    obs = source.obs()
    if LABEL not in obs:
        return asked
    if marked and _is_unchanged(obs, key_added):
        return True
    if asked:
        raise ConfigError(
            f"{source.name} has a column {LABEL!r} already, and no label is ever replaced. Rename or remove it, or "
            "leave out --cellxgene, in Python cellxgene=True."
        )
    return False


def is_ours(cells: Cells, key_added: str) -> bool:
    """Whether the column is as a run under a key wrote it: once somebody has changed a label, all are his."""
    path = place_in(cells)
    if path is not None and path.suffix in {".csv", ".tsv"}:
        return False  # tables of labels, and answers as csv, never hold it
    with open_source(cells) as source:
        return _is_marked(source, key_added) and _is_unchanged(source.obs(), key_added)


def _is_marked(source: CellSource, key_added: str) -> bool:
    run = RUN.format(key=key_added)
    if isinstance(source, AnnDataCells):
        record = source.adata.uns.get(run)
        return isinstance(record, Mapping) and CELLXGENE in record
    return isinstance(source, AnnDataSource) and CELLXGENE in source.tree.names(f"uns/{run}")


def _is_unchanged(obs: pd.DataFrame, key_added: str) -> bool:
    term = TERM.format(key=key_added)
    if term not in obs:
        return False
    given_n = schema_terms(obs[term].astype(str).to_numpy(dtype=object))
    return bool((np.asarray(given_n) == obs[LABEL].astype(str).to_numpy(dtype=object)).all())
