"""Why cells of a job are called what they are called: the genes that speak for it and against it.

Some cells are asked, each alone, through the weights that the model brings; where its network reads more than the
summary of all genes, by taking out each gene in turn.  What was worked out is kept in memory.
Axes: ``n`` cells, ``s`` cells that are asked, ``g`` the bundle's genes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.explanation import Explained, explain_cells
from spoticell.biology.answer_rule import rule_of
from spoticell.biology.ontology import load_ontology
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle
from spoticell.model.reasons import Occlusion, Reasons, through_weights
from spoticell.web import sink
from spoticell.web.arrays import Counts
from spoticell.web.atlas import Kept
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results
from spoticell.web.sample_schemas import Chosen
from spoticell.web.selection import drawn, kept_members
from spoticell.web.summary import UNKNOWN_TYPE

NAMED, SHOWN = 10, 400
"""Genes for and against that are named, and genes that a picture shows."""
ANSWER, SECOND, OTHER = "answer", "second", "other"
_one_at_a_time = Lock()


@dataclass(frozen=True)
class _Question:
    """Which cells are asked about which term."""

    node: int
    about: str
    """Whether the term is their answer, the second best, or another."""
    cells: int
    cell_s: tuple[int, ...]


def why_cell(results: Results, n: int, term: str | None) -> bytes:
    """Say why a cell is called what it is called: JSON of the shape `Why`.

    Parameters
    ----------
    results
        The job's.
    n
        The cell's place.
    term
        Asks about this type instead.
    """
    type_n = results.types()[n]
    if term is not None:
        node, about = _node(results, term), OTHER
    elif type_n != UNKNOWN_TYPE:
        node, about = int(results.array(sink.NODES)[type_n]), ANSWER
    else:
        node, about = _likeliest(results, n), SECOND
    return _answer(results, _Question(node, about, 1, (n,)))


def why_types(results: Results, types: Sequence[int], term: str | None, *, kept_n: NDArray[np.bool_]) -> bytes:
    """Say why cells of a type, or of several together, are called what they are called.

    Parameters
    ----------
    results
        The job's.
    types
        Numbers in the summary.
    term
        What they are together; a type alone is itself.
    kept_n
        The cells that are looked at.
    """
    nodes = results.array(sink.NODES)
    if any(number >= len(nodes) for number in types):
        raise Refusal(404, "There is no type of that number in the summary.")
    if term is None and len(set(types)) != 1:
        raise Refusal(422, "Say with a term what several types are together.")
    node = int(nodes[types[0]]) if term is None else _node(results, term)
    own = np.flatnonzero(kept_members(results, Chosen(types=list(types)), kept_n))
    return _answer(results, _asking(results, node, ANSWER, own))


def why_group(results: Results, group: int, term: str | None, *, kept_n: NDArray[np.bool_]) -> bytes:
    """Say why a group is called what it is called; of an unknown one, what speaks for what is likeliest.

    Parameters
    ----------
    results
        The job's.
    group
        Its place in the summary.
    term
        Asks about this type instead.
    kept_n
        The cells that are looked at.
    """
    own = np.flatnonzero(kept_members(results, Chosen(group=group), kept_n))
    told = json.loads((results.folder / sink.SUMMARY).read_text(encoding="utf-8"))["groups"][group]
    about = OTHER if term is not None else ANSWER if told["term"] != UNKNOWN else SECOND
    asked = {OTHER: term, ANSWER: told["term"], SECOND: told["second"]["term"]}[about]
    return _answer(results, _asking(results, _node(results, str(asked)), about, own))


def _asking(results: Results, node: int, about: str, own: NDArray[np.intp]) -> _Question:
    most = _way(Kept(results.bundle)).most
    return _Question(node, about, len(own), tuple(drawn(own, most).tolist()))


def _node(results: Results, term: str) -> int:
    if term not in results.bundle.nodes:
        raise Refusal(404, "The model has no type of that term.")
    return results.bundle.nodes.index(term)


def _likeliest(results: Results, n: int) -> int:
    probability_m = results.probabilities(np.array([n]))[0].astype(np.float32)
    likely = rule_of(results.bundle.nodes, load_ontology()).alternatives(probability_m, None, most=1)
    if not likely:
        raise Refusal(404, "The cell is like no type, so there is nothing to explain.")
    return likely[0]


def _answer(results: Results, question: _Question) -> bytes:
    # a result that is run again, or shown at another threshold, has new types
    version = (results.folder / sink.TYPES).stat().st_mtime_ns
    with _one_at_a_time:  # it takes all cores
        return _answered(Kept(results.bundle), results.folder, version, question)


@lru_cache(maxsize=256)
def _answered(kept: Kept, folder: Path, version: int, question: _Question) -> bytes:
    bundle, way = kept.bundle, _way(kept)
    cell_s = np.array(question.cell_s, dtype=np.intp)
    changed = 0
    if (folder / sink.SINGLE).exists():
        types_s = np.load(folder / sink.TYPES, mmap_mode="r")[cell_s]
        answer_t = np.append(np.load(folder / sink.NODES), -1)
        single_s = np.load(folder / sink.SINGLE, mmap_mode="r")[cell_s]
        changed = int((single_s != answer_t[np.minimum(types_s, len(answer_t) - 1)]).sum())
    found = explain_cells(
        Counts(folder / sink.COUNTS).rows(cell_s),
        np.load(folder / sink.MEASURED),
        way,
        node=question.node,
        name="",
        term=bundle.nodes[question.node],
        cells=question.cells,
        changed=changed,
    )
    return json.dumps(_told(found, question, bundle, way.method), ensure_ascii=False).encode()


@lru_cache(maxsize=4)
def _way(kept: Kept) -> Reasons:
    way = through_weights(kept.bundle)
    if way is not None:
        return way
    from spoticell.model.runtime import Runtime  # noqa: PLC0415 - ONNX Runtime is slow to load

    return Occlusion(Runtime(kept.bundle, threads=1))


def _told(found: Explained, question: _Question, bundle: Bundle, method: str) -> dict[str, Any]:
    loudest = np.argsort(-np.abs(found.contribution_g), kind="stable")[:SHOWN]
    shown = loudest[found.contribution_g[loudest] != 0]
    speak_for, against = ([_voice(found, g, bundle) for g in genes] for genes in found.genes(NAMED))
    return {
        "term": found.term,
        "type": bundle.node_names[question.node],
        "asked_about": question.about,
        "cells": found.cells,
        "asked": found.asked,
        "changed": found.changed,
        "probability": round(min(found.probability, 1), 4),
        "without": round(found.without, 4),
        "method": method,
        "speak_for": speak_for,
        "against": against,
        "pixels": bundle.pixel_g[shown].tolist(),
        "contributions": [round(value, 5) for value in found.contribution_g[shown].tolist()],
    }


def _voice(found: Explained, g: int, bundle: Bundle) -> dict[str, Any]:
    return {
        "symbol": bundle.vocabulary.symbols[g],
        "id": bundle.vocabulary.ids[g],
        "pixel": list(divmod(int(bundle.pixel_g[g]), bundle.manifest.grid)),
        "contribution": round(float(found.contribution_g[g]), 5),
        "mean": round(float(found.mean_g[g]), 4),
    }
