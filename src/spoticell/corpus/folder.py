"""Labelled data sets of any format brought to one form: counts of known genes and Cell Ontology terms, one h5ad each.

A prepared file holds counts of those genes of the vocabulary that the data set measures, in the vocabulary's
order, under Ensembl ids; in ``obs`` stand label, name and donor, called as in the CELLxGENE schema, and the data set.
Cells without a label are left out.  Counts stream through in blocks.
Axes: ``n`` cells, ``k`` cells that are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoticell.biology.columns import filled, words
from spoticell.biology.genes import load_vocabulary
from spoticell.biology.labels import NAME, Labels, read_labels
from spoticell.biology.ontology import load_ontology
from spoticell.corpus.block import DATASET, DISEASE
from spoticell.corpus.mapping import UNRESOLVED, write_unresolved
from spoticell.corpus.original import NORMAL, OriginalDataset, original_dataset
from spoticell.errors import ConfigError, FileFormatError, note
from spoticell.io import open_cells
from spoticell.io.aligned import AlignedSource
from spoticell.io.annotated import write_new
from spoticell.io.findings import inspect
from spoticell.io.write import atomic, check_output, write_json, writing
from spoticell.keys import DONOR, LABEL, UNKNOWN
from spoticell.progress import Progress, part

SUMMARY = "summary.json"


@dataclass(frozen=True)
class Prepared:
    """What became of one data set."""

    name: str
    source: str
    """Name of the file it was made from."""
    cells: int
    """In the source."""
    kept: int
    left_out: dict[str, int]
    """Cells that were left out, by reason; only reasons that occur."""
    types: dict[str, int]
    """Cells kept of each Cell Ontology term, commonest first."""
    donors: int
    """0 where the source names none."""
    genes: int
    counts: str
    """Matrix that the counts are from, and what it held."""
    notes: tuple[str, ...]
    unresolved: dict[str, int] = field(repr=False)
    """Labels that aren't in the Cell Ontology, with their cells."""


def prepare(
    datasets: Sequence[Path], output_dir: Path, *, overwrite: bool = False, on_progress: Progress | None = None
) -> list[Prepared]:
    """Bring labelled data sets to one form, to train on.

    Files that are called like one of the seven original data sets are cut as the original did: healthy tissue
    only, and only the types that it kept.  Of any other file every cell with a label is kept.

    Parameters
    ----------
    datasets
        Files or folders in any format that `spoticell.io.open_cells` reads, each with a column
        ``cell_type_ontology_term_id`` or ``cell_type`` about its cells.
    output_dir
        Gets one h5ad a data set, and about this run ``summary.json`` and ``unresolved_labels.tsv``; made if need be.
    overwrite
        Whether files that are there may be replaced.
    on_progress
        Called with the steps done and the steps there are.

    Returns
    -------
    What became of each data set, in the order given.

    Raises
    ------
    SpoticellError
        If a data set can't be read or has no label that the Cell Ontology knows, or a result can't be written.
        Files that were finished before stay.
    """
    outputs = _outputs(datasets, output_dir, overwrite=overwrite)
    prepared = []
    for position, (path, output) in enumerate(zip(datasets, outputs, strict=True)):
        step = part(on_progress, position, len(datasets))
        prepared.append(_prepare_one(path, output, step, overwrite=overwrite))
    _write_summary(prepared, output_dir)
    return prepared


def _prepare_one(path: Path, output: Path, on_progress: Progress, *, overwrite: bool) -> Prepared:
    vocabulary = load_vocabulary()
    with open_cells(path) as source:
        obs = source.obs()
        labels = read_labels(obs, name=source.name)
        keep_n, left_out = _choose(labels, obs, original_dataset(path))
        if not keep_n.any():
            raise FileFormatError(_nothing_kept(source.name, labels, left_out))
        findings = inspect(source, vocabulary, on_progress=part(on_progress, 0, 2))
        table = _table(labels.term_n[keep_n], obs[keep_n], source.cell_names[keep_n], name=output.stem)
        second = part(on_progress, 1, 2)
        aligned = AlignedSource(source, findings, vocabulary, keep_n=keep_n, obs=table, on_progress=second)
        with atomic(output, overwrite=overwrite) as passing, h5py.File(passing, "w") as file:
            write_new(file, aligned, "X")
        lost = [f"{len(labels.unresolved)} labels are not understood; see {UNRESOLVED}."] if labels.unresolved else []
        for sentence in (*findings.warnings, *lost):
            note(f"{path.name}: {sentence}")
        return Prepared(
            name=output.stem,
            source=path.name,
            cells=source.n_cells,
            kept=len(table),
            left_out={reason: cells for reason, cells in left_out.items() if cells},
            types={str(term): int(cells) for term, cells in table[LABEL].value_counts().items()},
            donors=table[DONOR].nunique() if DONOR in obs else 0,
            genes=findings.match.n_found,
            counts=f"{findings.matrix}: {findings.verdict.kind}",
            notes=findings.warnings,
            unresolved=labels.unresolved,
        )


def _choose(
    labels: Labels, obs: pd.DataFrame, original: OriginalDataset | None
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    """Which cells to keep, and how many not, by reason."""
    keep_n = np.array(labels.term_n != "", dtype=np.bool_)
    left_out = {"no label": labels.n_unlabelled, "label not in the Cell Ontology": sum(labels.unresolved.values())}
    if original is not None:
        if DISEASE in obs:
            healthy_n = (obs[DISEASE].astype(str) == NORMAL).to_numpy()
            left_out["not healthy"] = int((keep_n & ~healthy_n).sum())
            keep_n &= healthy_n
        wanted_n = np.isin(labels.term_n, list(original.terms))
        left_out["type not among the original ones"] = int((keep_n & ~wanted_n).sum())
        keep_n &= wanted_n
    return keep_n, left_out


def _nothing_kept(name: str, labels: Labels, left_out: Mapping[str, int]) -> str:
    reasons = ", ".join(f"{cells:,} {reason}" for reason, cells in left_out.items() if cells)
    lost = ", ".join(repr(label[:40]) for label in list(labels.unresolved)[:3])
    return (
        f"{name} has no cell to train on ({reasons or 'it is empty'}). "
        f"Cell Ontology terms or names are needed in {labels.column!r}" + (f"; it holds {lost}." if lost else ".")
    )


def _table(term_k: NDArray[np.object_], obs: pd.DataFrame, names: pd.Index, *, name: str) -> pd.DataFrame:
    ontology = load_ontology()
    donor = filled(words(obs[DONOR]), UNKNOWN) if DONOR in obs else UNKNOWN
    columns = {LABEL: term_k, NAME: [ontology.name(term) for term in term_k], DONOR: donor, DATASET: name}
    return pd.DataFrame(columns, index=names, dtype=object).astype("category")


def _outputs(datasets: Sequence[Path], output_dir: Path, *, overwrite: bool) -> list[Path]:
    if not datasets:
        raise ConfigError("no data set is given; at least one labelled file of cells is needed.")
    with writing(output_dir):
        output_dir.mkdir(parents=True, exist_ok=True)
    outputs = [output_dir / f"{path.stem}.h5ad" for path in datasets]
    for path, output in zip(datasets, outputs, strict=True):
        if outputs.count(output) > 1:
            raise ConfigError(f"two data sets are called {path.stem!r}; rename one, since each becomes {output.name}.")
        check_output(output, input_path=path, overwrite=overwrite)
    return outputs


def _write_summary(prepared: Sequence[Prepared], output_dir: Path) -> None:
    unresolved = [(one.name, label, cells) for one in prepared for label, cells in one.unresolved.items()]
    summary = {
        "cells": sum(one.kept for one in prepared),
        "types": len({term for one in prepared for term in one.types}),
        "ontology_version": load_ontology().version,
        "gene_sha256": load_vocabulary().sha256,
        "datasets": [{key: value for key, value in asdict(one).items() if key != "unresolved"} for one in prepared],
    }
    write_json(output_dir / SUMMARY, summary)
    write_unresolved(output_dir / UNRESOLVED, unresolved)
