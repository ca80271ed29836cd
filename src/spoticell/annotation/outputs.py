"""The columns, keys and colours that an annotation becomes, the same in a file and in an AnnData object.

Names come from ``keys``; writing is left to ``sinks``.  Nothing here depends on the
time or the machine: the same cells give the same outputs.  Axes: ``n`` cells, ``m`` ontology nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from spoticell import keys
from spoticell.annotation.cautions import states
from spoticell.annotation.cellxgene import schema_record, schema_terms
from spoticell.annotation.evidence import AGREEMENTS
from spoticell.annotation.reasons import REASONS
from spoticell.biology.ontology import BROAD, load_ontology
from spoticell.io.address import Place
from spoticell.io.source import BLOCK
from spoticell.io.write import check_written
from spoticell.version import __version__

if TYPE_CHECKING:
    from spoticell.annotation.groups import Groups
    from spoticell.annotation.matches import Matches
    from spoticell.annotation.result import Annotation

ROWS = 16 * BLOCK
"""Rows of a csv file that are made at once."""

ROUNDED = (
    keys.SCORE,
    keys.SECOND_PROBABILITY,
    keys.SINGLE_SCORE,
    keys.MIXED_SCORE,
    keys.MATCH_SHARE,
    keys.MATCH_SIMILARITY,
    keys.MATCH_MEAN,
    keys.MATCH_P,
    keys.GROUP_SHARE,
)
"""Columns that have six decimals in a csv file."""


COLORED = (
    keys.CELL_TYPE,
    keys.SHORT_TYPE,
    keys.SECOND_TYPE,
    keys.SINGLE_TYPE,
    keys.BROAD,
    keys.GROUP_CELL_TYPE,
)
"""Columns of types that have colours, so that scanpy's plots show a type in one colour whatever the column."""


def check_answers(path: Place, *, path_in: Place | None, overwrite: bool) -> None:
    """Refuse before any work a file that answers could not be written to.

    Raises
    ------
    OutputError
        If it is of another kind, there already, the input, or can't be written.
    """
    check_written(
        path,
        kinds=(".h5ad", ".csv"),
        what="answers are written as .h5ad or .csv",
        input_path=path_in,
        overwrite=overwrite,
    )


def obs_columns(annotation: Annotation) -> pd.DataFrame:
    """Give the columns about cells, in the order of the source, without cell names."""
    columns: dict[str, Any] = {
        keys.CELL_TYPE: pd.Categorical(annotation.names_n),
        keys.SHORT_TYPE: pd.Categorical(annotation.short_n),
        keys.TERM: pd.Categorical(annotation.terms_n),
        keys.SCORE: annotation.score_n,
        keys.SECOND_TYPE: pd.Categorical(annotation.second_names_n),
        keys.SECOND_TERM: pd.Categorical(annotation.second_terms_n),
        keys.SECOND_PROBABILITY: annotation.second_probability_n,
        keys.BROAD: pd.Categorical(annotation.broad_n),
        keys.N_COUNTS: annotation.n_counts_n,
        keys.N_GENES: annotation.n_genes_n,
        keys.REASON: pd.Categorical.from_codes(annotation.reason_n, categories=pd.Index(REASONS)),
    }
    if (state_n := states(annotation)) is not None:
        columns[keys.STATE] = state_n
    if annotation.single_n is not None:
        columns |= {
            keys.SINGLE_TYPE: pd.Categorical(annotation.single_names_n),
            keys.SINGLE_TERM: pd.Categorical(annotation.single_terms_n),
            keys.SINGLE_SCORE: annotation.single_score_n,
        }
    if annotation.mixed is not None:
        columns |= {keys.MIXED: annotation.mixed.words(), keys.MIXED_SCORE: annotation.mixed.score_n}
    if annotation.matches is not None:
        columns |= _match_columns(annotation, annotation.matches)
    if annotation.groups is not None:
        columns |= _group_columns(annotation.groups)
    if annotation.options.cellxgene:
        columns[keys.LABEL] = schema_terms(annotation.terms_n)
    key = annotation.options.key_added
    return pd.DataFrame({name.format(key=key): values for name, values in columns.items()})


def stale_columns(annotation: Annotation) -> list[str]:
    """Name the columns of an earlier run that this one doesn't write again, and that would no longer be true."""
    key = annotation.options.key_added
    kinds = (
        (annotation.matches, keys.MATCHED),
        (annotation.single_n, keys.TOGETHER),
        (annotation.groups, keys.GROUPED),
        (annotation.mixed, keys.MIXES),
        (states(annotation), (keys.STATE,)),
    )
    return [name.format(key=key) for made, names in kinds if made is None for name in names]


def csv_rows(annotation: Annotation) -> Iterator[pd.DataFrame]:
    """Give the rows of a csv file in parts: counts without a decimal point, scores with six decimals."""
    # the column that the CELLxGENE schema asks for is one of h5ad files, and says nothing that isn't there
    key, table = annotation.options.key_added, obs_columns(annotation).drop(columns=keys.LABEL, errors="ignore")
    table.insert(0, "cell", np.asarray(annotation.cell_names, dtype=object))
    counts = keys.N_COUNTS.format(key=key)
    for name in table.columns.intersection([name.format(key=key) for name in ROUNDED]):
        table[name] = table[name].astype(np.float64).round(6)
    whole = (annotation.n_counts_n % 1 == 0).all()
    table[counts] = table[counts].astype(np.int64) if whole else table[counts].astype(np.float64).round(3)
    for start in range(0, max(len(table), 1), ROWS):
        yield table.iloc[start : start + ROWS]


def _match_columns(annotation: Annotation, matches: Matches) -> dict[str, Any]:
    evidence = matches.evidence
    return {
        keys.MATCH_TYPE: pd.Categorical(matches.names_n),
        keys.MATCH_TERM: pd.Categorical(matches.terms_n),
        keys.MATCH_SHARE: evidence.share_n,
        keys.MATCH_COUNT: evidence.matches_n,
        keys.MATCH_STUDIES: evidence.studies_n,
        keys.MATCH_NEAREST: pd.Categorical(matches.nearest_type_n),
        keys.MATCH_SIMILARITY: evidence.similarity_n,
        keys.MATCH_MEAN: evidence.mean_n,
        keys.MATCH_P: evidence.p_n,
        keys.NOVEL: evidence.novel_n,
        keys.AGREES: pd.Categorical(matches.agreement_with(annotation.terms_n), categories=AGREEMENTS),
    }


def _group_columns(groups: Groups) -> dict[str, Any]:
    return {
        keys.GROUP: groups.group_n,
        keys.GROUP_CELL_TYPE: pd.Categorical(groups.cell_type_n),
        keys.GROUP_SHARE: groups.share_n,
    }


def run_record(annotation: Annotation) -> dict[str, Any]:
    """Say with what and from what the answers were made, as plain values."""
    bundle = annotation.bundle
    return {
        "spoticell_version": __version__,
        "bundle": bundle.name,
        "bundle_date": bundle.manifest.date,
        "bundle_sha256": bundle.sha256,
        "ontology_version": bundle.manifest.ontology_version,
        "threshold": annotation.threshold,
        "least_score": annotation.least_score,
        "read_together": annotation.single_n is not None,
        "allowed": None if annotation.allowed is None else annotation.allowed.record(),
        "tissues": None if annotation.tissues is None else annotation.tissues.shares,
        "tissue_probabilities": None if annotation.tissues is None else annotation.tissues.chances,
        "cautions": [caution.text for caution in annotation.cautions],
        "classes": list(annotation.nodes),
        "class_names": list(annotation.names),
        "input": annotation.findings.to_dict(),
        "index": None if annotation.matches is None else annotation.matches.record(),
        "samples": samples_record(annotation, kind="list"),
        "groups": None if annotation.groups is None else annotation.groups.record(),
        keys.CELLXGENE: schema_record() if annotation.options.cellxgene else None,
    }


def type_colors(annotation: Annotation, columns: pd.DataFrame) -> dict[str, list[str]]:
    """Give one ``#rrggbb`` for each category of the columns of types, under the keys by which scanpy finds them."""
    key, ontology = annotation.options.key_added, load_ontology()
    names = zip((*annotation.names, *annotation.short_names), 2 * annotation.nodes, strict=True)
    term_of = {ontology.name(broad): broad for broad in BROAD} | dict(names)
    return {
        keys.COLORS.format(column=column): [
            annotation.colors.of(term_of.get(name, keys.UNKNOWN)) for name in columns[column].cat.categories
        ]
        for column in (name.format(key=key) for name in COLORED)
        if column in columns
    }


def summary_record(annotation: Annotation) -> dict[str, Any]:
    """Give the whole outcome as plain values, for JSON."""
    return {
        "spoticell_version": __version__,
        "bundle": {
            "name": annotation.bundle.name,
            "date": annotation.bundle.manifest.date,
            "sha256": annotation.bundle.sha256,
        },
        "threshold": annotation.threshold,
        "least_score": annotation.least_score,
        "read_together": annotation.single_n is not None,
        "allowed": None if annotation.allowed is None else annotation.allowed.record(),
        "tissues": None if annotation.tissues is None else annotation.tissues.shares,
        "tissue_probabilities": None if annotation.tissues is None else annotation.tissues.chances,
        "cautions": [caution.text for caution in annotation.cautions],
        "input": annotation.findings.to_dict(),
        "cells": len(annotation.answer_n),
        "unknown": int((annotation.answer_n < 0).sum()),
        "changed_by_neighbours": annotation.changed,
        "why_unknown": annotation.why_unknown(),
        "mixed": None if annotation.mixed is None else annotation.mixed.counted(),
        "composition": annotation.summary().to_dict(orient="records"),
        "index": None if annotation.matches is None else annotation.matches.summary(annotation.terms_n),
        "samples": samples_record(annotation, kind="records"),
        "groups": None if annotation.groups is None else annotation.groups.table.to_dict(orient="records"),
    }


def samples_record(annotation: Annotation, *, kind: Literal["list", "records"]) -> dict[str, Any] | None:
    """Say what the samples hold and how they differ, as plain values; None where no samples are told.

    Parameters
    ----------
    annotation
        The answers.
    kind
        Whether tables become a list a column, as h5ad files hold them, or a record a row.
    """
    samples, found = annotation.samples, annotation.differences
    if samples is None:
        return None
    record: dict[str, Any] = {
        "by": samples.by,
        "condition": samples.condition,
        "composition": annotation.composition().to_dict(orient=kind),
    }
    if found is not None:
        told = found.table.astype(object).where(found.table.notna(), None) if kind == "records" else found.table
        record |= {"differences": told.to_dict(orient=kind), "notes": list(found.notes), **found.record()}
    return record
