"""The atlas: all types that a model knows, with the genes that speak for each.  No file is needed for it.

Axes: ``c`` labels, ``g`` the bundle's genes, ``k`` the genes of a picture, ``d`` fingerprint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.definitions import definition
from spoticell.biology.ontology import load_ontology
from spoticell.biology.palette import term_color
from spoticell.keys import UNKNOWN
from spoticell.model.bundle import Bundle
from spoticell.model.listening import listening, mean_fingerprints
from spoticell.report.picture import level_picture

SHOWN, NAMED, NEAR = 300, 12, 6
"""Genes that a picture shows, genes that are named, and similar types."""
OTHER = "other cells"
"""Where types below no broad type stand."""
_one_at_a_time = Lock()


@dataclass(frozen=True)
class Atlas:
    """What is told of a model's types, ready to be sent."""

    words: bytes
    """JSON, of the shape `AtlasInfo`."""
    pictures: bytes
    """For each type its pixels, little-endian uint16, then the level of each, uint8."""


def atlas_of(bundle: Bundle) -> Atlas | None:
    """Give the atlas of a model, worked out when it is first asked for; None if the model brings no weights."""
    with _one_at_a_time:  # it takes seconds on all cores
        return _atlas(Kept(bundle))


class Kept:
    """A bundle that is the same as another with the same contents."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle

    def __hash__(self) -> int:
        return hash(self.bundle.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Kept) and other.bundle.sha256 == self.bundle.sha256


@lru_cache(maxsize=8)
def _atlas(kept: Kept) -> Atlas | None:
    bundle = kept.bundle
    strength_cg = listening(bundle)
    if strength_cg is None:
        return None
    order = _in_order(bundle.manifest.labels)
    strength_cg = strength_cg[order]
    shown = min(SHOWN, strength_cg.shape[1])
    gene_ck = np.argsort(-strength_cg, axis=1, kind="stable")[:, :shown]
    fingerprint_cd = mean_fingerprints(bundle)[order]
    near_cc = _nearest(fingerprint_cd)
    types = [
        _told(bundle, bundle.manifest.labels[label], strength_cg[c], gene_ck[c])
        | {"near": near_cc[c].tolist(), "fingerprint": [round(float(x), 3) for x in fingerprint_cd[c]]}
        for c, label in enumerate(order)
    ]
    words = json.dumps({"model": bundle.name, "shown": shown, "types": types}, ensure_ascii=False).encode()
    pictures = [_picture(bundle, strength_cg[c], gene_ck[c]) for c in range(len(order))]
    return Atlas(words, b"".join(pictures))


def _in_order(labels: tuple[str, ...]) -> list[int]:
    """Put labels in the order of their broad types' names, then of their own; those below none come last."""
    ontology = load_ontology()

    def key(c: int) -> tuple[bool, str, str]:
        broad = ontology.broad(labels[c])
        return broad == UNKNOWN, _broad_name(labels[c]), ontology.name(labels[c]).lower()

    return sorted(range(len(labels)), key=key)


def _broad_name(term: str) -> str:
    ontology = load_ontology()
    broad = ontology.broad(term)
    return OTHER if broad == UNKNOWN else ontology.name(broad)


def _nearest(fingerprint_cd: NDArray[np.float32]) -> NDArray[np.intp]:
    """Give for each type the others whose fingerprints are most similar."""
    similarity_cc = fingerprint_cd @ fingerprint_cd.T
    np.fill_diagonal(similarity_cc, -np.inf)
    return np.argsort(-similarity_cc, axis=1, kind="stable")[:, : min(NEAR, len(fingerprint_cd) - 1)]


def _told(bundle: Bundle, term: str, strength_g: NDArray[np.float32], gene_k: NDArray[np.intp]) -> dict[str, Any]:
    ontology, grid = load_ontology(), bundle.manifest.grid
    loudest = max(float(strength_g[gene_k[0]]), 1e-30)
    return {
        "term": term,
        "name": ontology.name(term),
        "definition": definition(term),
        "synonyms": list(ontology.synonyms(term)),
        "broad": _broad_name(term),
        "color": term_color(term),
        "path": [{"term": place, "name": ontology.name(place)} for place in ontology.path(term)],
        "genes": [
            {
                "symbol": bundle.vocabulary.symbols[g],
                "pixel": list(divmod(int(bundle.pixel_g[g]), grid)),
                "strength": round(float(strength_g[g]) / loudest, 3),
            }
            for g in gene_k[:NAMED].tolist()
            if strength_g[g] > 0
        ],
    }


def _picture(bundle: Bundle, strength_g: NDArray[np.float32], gene_k: NDArray[np.intp]) -> bytes:
    # the brightness of a picture is the root of what it is given
    squared_g = np.zeros_like(strength_g)
    squared_g[gene_k] = np.square(np.maximum(strength_g[gene_k], 0))
    levels = level_picture(squared_g, bundle.pixel_g, grid=bundle.manifest.grid).ravel()
    pixel_k = bundle.pixel_g[gene_k]
    return pixel_k.astype("<u2").tobytes() + levels[pixel_k].tobytes()
