"""What cells look like before they are named: tissues and commonest broad types by some of them, columns, depth.

One forward pass over the cells by which a run finds the sample's tissues, so that it says the same.
Axes: ``s`` cells of the sample, ``m`` ontology nodes.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from spoticell.annotation.decision import decide
from spoticell.annotation.first_blocks import relatives_of, some_said, tissues_said
from spoticell.annotation.options import Options
from spoticell.annotation.reasons import ENOUGH_GENES, SHALLOW
from spoticell.biology.columns import shared_columns
from spoticell.biology.ontology import Ontology, load_ontology
from spoticell.errors import SpoticellError
from spoticell.io.aligned import aligned_sample
from spoticell.io.findings import Findings
from spoticell.io.source import CellSource

LOOKS = "looks.json"
COMMON, MOST = 0.05, 4
"""Share of the cells from which a broad type is told, and how many are."""
NAMED = 5
"""Columns that are named."""


def guess(findings: Findings, source: CellSource, options: Options) -> dict[str, Any]:
    """Give what some cells of a source look like, as plain values.

    Parameters
    ----------
    findings
        What `look_at` found in it.
    source
        The open source.
    options
        Whose model is asked.

    Returns
    -------
    ``cells`` that were looked at; ``tissues`` with the share of cells that are of their own types; ``kinds``, the
    commonest broad types with their shares; ``blood``, whether nearly all are blood cells; ``says``, all that in the
    words of a run; ``shallow``, the share of cells with very few counts, None where that says nothing; ``columns``
    about cells, how many and the first.

    Examples
    --------
    >>> from spoticell.annotation.pipeline import look_at
    >>> from spoticell.io import open_cells
    >>> from spoticell.web import demo
    >>> options = Options()
    >>> with open_cells(Path(demo.__file__).parent / "demo_cells" / "pbmc68k_reduced.h5ad") as source:
    ...     found = guess(look_at(source, options), source, options)
    >>> found["cells"], found["blood"], found["columns"]["named"][:1]
    (512, True, ['bulk_labels'])
    """
    sample_sg, bundle = aligned_sample(findings), options.bundle
    counts_s = sample_sg.sum(axis=1)
    told: dict[str, Any] = {
        "cells": 0,
        "tissues": {},
        "kinds": [],
        "blood": False,
        "says": "",
        "shallow": None,
        "columns": _columns(source),
    }
    if findings.match.n_found >= ENOUGH_GENES and len(counts_s):
        told["shallow"] = float((counts_s < SHALLOW).mean())
    if not bundle.is_of_this_ontology:
        return told
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load

    some_sg, said = some_said(sample_sg, findings, Runtime(bundle, threads=options.threads))
    tissues = tissues_said(said, bundle)
    counts_n = some_sg.sum(axis=1, dtype=np.float64).astype(np.float32)
    relatives = relatives_of(options, tissues)
    answer_n = decide(said, counts_n, bundle, threshold=options.lowest, relatives=relatives).answer_n
    ontology = load_ontology()
    terms = [bundle.nodes[answer] for answer in answer_n.tolist() if answer >= 0]
    kinds = _kinds(terms, len(answer_n), ontology)
    looks = {"tissues": tissues.shares, "blood": tissues.blood, "says": f"{tissues.looks()}."}
    return told | {"cells": len(answer_n), "kinds": kinds} | looks


def keep_looks(looks: dict[str, Any], folder: Path) -> None:
    """Write a guess into a job's folder."""
    (folder / LOOKS).write_text(json.dumps(looks, ensure_ascii=False), encoding="utf-8")


def kept_looks(folder: Path) -> dict[str, Any]:
    """Give ``looks`` as a job's folder holds them; nothing where there are none."""
    if not (folder / LOOKS).is_file():
        return {}
    return {"looks": json.loads((folder / LOOKS).read_text(encoding="utf-8"))}


def _kinds(terms: list[str], n_cells: int, ontology: Ontology) -> list[dict[str, Any]]:
    # what is none of the broad types says nothing
    broad = Counter(term for term in map(ontology.broad, terms) if term in ontology)
    shares = ((term, cells / n_cells) for term, cells in broad.most_common(MOST))
    return [{"term": term, "name": ontology.name(term), "share": share} for term, share in shares if share >= COMMON]


def _columns(source: CellSource) -> dict[str, Any]:
    with suppress(SpoticellError):  # cells can be named without the table about them
        table = source.obs()
        names = [*shared_columns(table), *map(str, table.columns)]
        return {"number": len(table.columns), "named": list(dict.fromkeys(names))[:NAMED]}
    return {"number": 0, "named": []}
