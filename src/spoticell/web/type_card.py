"""What is known of a type in a job: what it is, what it is confused with, and its surest cells.

Axes: ``n`` cells, ``s`` cells of the type that are looked at.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.answer_rule import rule_of
from spoticell.biology.definitions import definition
from spoticell.biology.ontology import load_ontology
from spoticell.biology.short_names import short_name
from spoticell.web import sink
from spoticell.web.refusal import Refusal
from spoticell.web.results import Results
from spoticell.web.selection import NONE_LEFT, drawn
from spoticell.web.summary import UNKNOWN_TYPE, named_terms

MOST_LOOKED_AT = 5000
"""Cells whose second best types are counted."""
CONFUSED, TYPICAL, SYNONYMS = 5, 6, 6
"""Second best types, surest cells and other names that are shown."""


def about(results: Results, types: list[int], id: str, *, kept_n: NDArray[np.bool_]) -> dict[str, Any]:
    """Describe a type, or several together, by their numbers in the summary, over the cells that are kept."""
    types_n = results.types()
    own_n = np.isin(types_n, types)
    if not own_n.any():
        raise Refusal(404, "There is no such type in this result.")
    own_s = np.flatnonzero(own_n & kept_n)
    if not len(own_s):
        raise Refusal(422, NONE_LEFT)
    ontology, nodes_c = load_ontology(), results.array(sink.NODES)
    known = [number for number in dict.fromkeys(types) if number < len(nodes_c)]
    term = results.bundle.nodes[nodes_c[known[0]]] if len(known) == 1 == len(set(types)) else None
    looked_s = drawn(own_s[types_n[own_s] != UNKNOWN_TYPE], MOST_LOOKED_AT)
    return {
        "cells": len(own_s),
        "share": len(own_s) / int(kept_n.sum()),
        "definition": "" if term is None else definition(term),
        "synonyms": [] if term is None else list(ontology.synonyms(term))[:SYNONYMS],
        "path": [] if term is None else named_terms(ontology.path(term), ontology),
        "looked_at": len(looked_s),
        "confused": _confused(results, looked_s),
        "typical": _typical(results, own_s, id),
    }


def _confused(results: Results, looked_s: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Count the types that cells would be if they weren't their answers."""
    nodes, names = results.bundle.nodes, results.bundle.node_names
    probabilities_sm = results.probabilities(looked_s).astype(np.float32)
    answer_s = results.array(sink.NODES)[results.types()[looked_s]]
    second_s, _ = rule_of(nodes, load_ontology()).second_best(probabilities_sm, answer_s)
    counted = Counter(second_s[second_s >= 0].tolist())
    return [
        {"term": nodes[m], "name": names[m], "short": short_name(nodes[m]), "cells": cells}
        for m, cells in counted.most_common(CONFUSED)
    ]


def _typical(results: Results, own_s: Any, id: str) -> list[dict[str, Any]]:  # noqa: ANN401
    score_s = results.array(sink.SCORES)[own_s]
    surest = own_s[np.argsort(-score_s, kind="stable")[:TYPICAL]]
    return [
        {
            "position": n,
            "score": float(results.array(sink.SCORES)[n]),
            "picture": f"/api/jobs/{id}/cells/{n}/picture.png",
        }
        for n in surest.tolist()
    ]
