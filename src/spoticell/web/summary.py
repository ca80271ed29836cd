"""An annotation in short, as the page shows it: types with counts, scores and colours, and levels to colour by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.annotation.colors import TypeColors
from spoticell.annotation.differences import METHOD, Differences
from spoticell.annotation.groups import Group
from spoticell.annotation.result import Annotation
from spoticell.biology.everyday import everyday_names
from spoticell.biology.ontology import Ontology, load_ontology
from spoticell.biology.short_names import short_name
from spoticell.keys import UNKNOWN
from spoticell.report.sections.samples import OTHERS, SampleView, sample_view
from spoticell.web.weights import tissue_can_be_told

UNKNOWN_TYPE = 65535
"""Stands for ``unknown`` where cells have the number of their type."""


def common_types(annotation: Annotation) -> list[int]:
    """Give the types that cells have, as positions in the bundle's nodes, commonest first."""
    cells_m = np.bincount(annotation.answer_n[annotation.answer_n >= 0], minlength=len(annotation.nodes))
    order: list[int] = np.argsort(-cells_m, kind="stable")[: np.count_nonzero(cells_m)].tolist()
    return order


def summarise(annotation: Annotation) -> dict[str, Any]:
    """Give the outcome as plain values, for JSON."""
    ontology, answers = load_ontology(), common_types(annotation)
    known_n = annotation.answer_n >= 0
    types = [_type(index, answer, annotation, ontology) for index, answer in enumerate(answers)]
    return {
        "cells": len(annotation.answer_n),
        "named": int(known_n.sum()),
        "threshold": annotation.threshold,
        "saved_threshold": annotation.threshold,
        "least_score": annotation.least_score,
        "allowed": None if annotation.allowed is None else annotation.allowed.describe(),
        "tissues": None if annotation.tissues is None else annotation.tissues.describe(),
        "tissue": _tissue(annotation),
        "cautions": [{"kind": caution.kind, "text": caution.text} for caution in annotation.cautions],
        "changed_by_neighbours": None if annotation.single_n is None else annotation.changed,
        "no_common_type": None if annotation.matches is None else without_type(annotation.matches.terms_n),
        "model": annotation.bundle.name,
        "score_median": float(np.median(annotation.score_n[known_n])) if known_n.any() else None,
        "types": types,
        "levels": [_level(name, types, annotation) for name in ("broad", "middle", "fine")],
        "unknown": {"cells": int((~known_n).sum()), "reasons": annotation.why_unknown()},
        "groups": None
        if annotation.groups is None
        else [_named_group(group, annotation.colors) for group in annotation.groups.groups],
        "samples": _samples(sample_view(annotation)),
        "differences": _differences(annotation),
        "renamed": None,  # nothing is known here of results before these
    }


def _tissue(annotation: Annotation) -> dict[str, Any] | None:
    """Give the tissue that was told; None where these answers can't be shown for another one."""
    if not tissue_can_be_told(annotation.options):
        return None
    told = None if annotation.allowed is None else annotation.allowed.tissue
    return {"shown": told, "saved": told}


def without_type(theirs_n: NDArray[np.object_]) -> int:
    """Count the cells whose reference cells agree on no type, by the term that they agree on."""
    return int((theirs_n == UNKNOWN).sum())


def _named_group(group: Group, colors: TypeColors) -> dict[str, Any]:
    return {
        "name": group.name,
        "cells": group.cells,
        "term": group.term,
        "type": group.cell_type,
        "short": short_name(group.term),
        "color": colors.of(group.term),
        "share": group.share,
        "score": group.score,
        "second": {
            "term": group.second_term,
            "name": group.second_cell_type,
            "short": short_name(group.second_term),
            "probability": group.second_probability,
        },
        "novel": group.novel,
        "genes": [{"symbol": gene.symbol, "auc": gene.auc, "known": gene.known} for gene in group.genes],
        "studies": [{"study": study, "cells": cells} for study, cells in group.studies],
        "tissues": [{"tissue": tissue, "cells": cells} for tissue, cells in group.tissues],
        "agree": group.agree,
    }


def _samples(view: SampleView | None) -> dict[str, Any] | None:
    """Give the bars of the report."""
    if view is None:
        return None
    bars = [
        {
            "name": bar.name,
            "condition": bar.condition,
            "cells": bar.cells,
            "parts": [
                {
                    "name": part.full or part.name,
                    "short": part.name,
                    "cells": part.cells,
                    "color": None if part.color == OTHERS else part.color,
                }
                for part in bar.parts
            ],
        }
        for bar in view.bars
    ]
    return {"by": view.by, "samples": view.n_samples, "bars": bars}


def _differences(annotation: Annotation) -> dict[str, Any] | None:
    found, samples = annotation.differences, annotation.samples
    if found is None or samples is None:
        return None
    return told_differences(found, samples.condition or "", annotation.colors.of)


def told_differences(found: Differences, condition: str, color_of: Callable[[str], str]) -> dict[str, Any]:
    """Give differences between two conditions as plain values, with the colours of their types."""
    changes = [
        {
            "term": row["term"],
            "name": row["cell_type"],
            "short": short_name(row["term"]),
            "color": color_of(row["term"]),
            "cells": row["cells"],
            "first": row["share_first"],
            "second": row["share_second"],
            "difference": row["difference"],
            **{name: None if np.isnan(row[name]) else row[name] for name in ("low", "high", "p", "q")},
        }
        for row in found.table.to_dict("records")
    ]
    method = METHOD if found.tested else None
    told = {"condition": condition, "conditions": list(found.conditions), "samples": list(found.samples)}
    return told | {"method": method, "changes": changes, "notes": list(found.notes)}


def _type(index: int, answer: int, annotation: Annotation, ontology: Ontology) -> dict[str, Any]:
    term, own_n = annotation.nodes[answer], annotation.answer_n == answer
    return {
        "index": index,
        "term": term,
        "name": annotation.names[answer],
        "short": short_name(term),
        "also": everyday_names(term),
        "path": named_terms(ontology.path(term), ontology),
        "cells": int(own_n.sum()),
        "median_score": float(np.median(annotation.score_n[own_n])),
        "color": annotation.colors.of(term),
    }


def named_terms(terms: Sequence[str], ontology: Ontology) -> list[dict[str, str]]:
    """Give terms with their names."""
    return [{"term": term, "name": ontology.name(term), "short": short_name(term)} for term in terms]


def _level(name: str, types: list[dict[str, Any]], annotation: Annotation) -> dict[str, Any]:
    """Give the groups that types form on a level, commonest first, and the group of each type."""
    places = {"broad": _broad, "middle": _middle, "fine": _fine}
    paths = [_below_broad([place["term"] for place in kind["path"]], load_ontology()) for kind in types]
    terms = [places[name](path) for path in paths]
    members: dict[str, list[dict[str, Any]]] = {}
    for kind, term in zip(types, terms, strict=True):
        members.setdefault(term, []).append(kind)
    groups = [_group(term, kinds, annotation) for term, kinds in members.items()]
    groups.sort(key=lambda group: -group["cells"])
    order = [group["term"] for group in groups]
    color_of = annotation.colors.level({term: [kind["term"] for kind in members[term]] for term in order})
    groups = [group | {"color": color_of[group["term"]]} for group in groups]
    return {"name": name, "groups": groups, "group_of_type": [order.index(term) for term in terms]}


def _group(term: str, kinds: list[dict[str, Any]], annotation: Annotation) -> dict[str, Any]:
    position = {node: m for m, node in enumerate(annotation.nodes)}
    own_n = np.isin(annotation.answer_n, [position[kind["term"]] for kind in kinds])
    return {
        "term": term,
        "name": load_ontology().name(term),
        "short": short_name(term),
        "cells": int(own_n.sum()),
        "median_score": float(np.median(annotation.score_n[own_n])),
        "types": [kind["index"] for kind in kinds],
    }


def _broad(path: list[str]) -> str:
    return path[0]


def _middle(path: list[str]) -> str:
    return path[len(path) // 2]


def _fine(path: list[str]) -> str:
    return path[-1]


def _below_broad(path: list[str], ontology: Ontology) -> list[str]:
    """Give a path from what its last term is among broad types."""
    broad = ontology.broad_level(path[-1])
    return path[path.index(broad) :] if broad in path else path
