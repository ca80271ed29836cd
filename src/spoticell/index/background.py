"""What similarities come by chance, and which to expect of a cell of another study: measured on references.

Two questions are asked of an even sample of the references, each time with all cells of its own study left out:

* how near is the nearest reference, for a cell whose type another study has too?  (``nearest``, and ``nearest_to``
  apart for each broad type of that reference: T cells of two studies are nearer to each other than macrophages are)
* how near is the nearest reference that is *not* of its broad type?  (``stranger``)

The nearest of ten million references is nearer than the nearest of a thousand, whatever they are.  So the sample is
compared with every reference, and a background holds for the references that it was measured on and no others.
The p-values are those of conformal prediction (Vovk, Gammerman & Shafer 2005, doi:10.1007/b106715).

Axes: ``n`` references, ``s`` sampled ones, ``b`` references in a block, ``h`` groups in a block, ``d`` fingerprint.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from spoticell.biology.ontology import Ontology, load_ontology
from spoticell.errors import SearchError
from spoticell.io.sealed import first_fault
from spoticell.keys import UNKNOWN

UNITS = ("study", "dataset", "donor")
"""What is left out together: the first of these in which the references differ."""

MOST, FEWEST = 2000, 500
"""Sampled cells: as many as the work allows, within these."""
WORK = 3e11
"""Products of numbers that the comparison may take: some ten seconds."""
BLOCK = 8192
"""References that are compared with the sample at once."""
LEVELS, TYPE_LEVELS = 999, 199
"""Quantiles that are kept of each distribution over all types, and of those of one broad type."""
FEWEST_OF_TYPE = 50
"""Sampled cells that a distribution of one broad type needs."""

Blocks = Callable[[], Iterable[NDArray[np.floating]]]


def _rising(quantiles: tuple[float, ...]) -> tuple[float, ...]:
    if any(later < earlier for earlier, later in itertools.pairwise(quantiles)):
        raise ValueError("quantiles must rise")
    return quantiles


Similarity = Annotated[float, Field(ge=-1.1, le=1.1)]
Quantiles = Annotated[tuple[Similarity, ...], Field(max_length=LEVELS), AfterValidator(_rising)]


class Background(BaseModel):
    """Two distributions of similarities, each as rising quantiles; empty where they can't be measured."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    unit: str
    """What was left out together: ``study``, ``dataset`` or ``donor``; ``none`` if the references don't differ."""
    units: Annotated[int, Field(ge=0)]
    """How many of these there are."""
    cells: Annotated[int, Field(ge=0)]
    """Sampled references."""
    nearest: Quantiles
    """Of a cell whose type another unit has too, to the nearest reference of another unit."""
    nearest_to: dict[str, Quantiles] = {}
    """The same, of the cells whose nearest reference is of a broad type; only types with enough cells."""
    stranger: Quantiles
    """Of any cell, to the nearest reference of another unit and of another broad type."""

    def p_chance(self, similarity_n: ArrayLike) -> NDArray[np.float32]:
        """Say how often a cell whose broad type is missing finds a reference as near as this; NaN if not measured.

        Examples
        --------
        >>> background = Background(unit="study", units=2, cells=3, nearest=(), stranger=(0.1, 0.2, 0.3))
        >>> background.p_chance([0.4, 0.25, 0.0]).tolist()
        [0.25, 0.5, 1.0]
        """
        similarity_n = np.asarray(similarity_n, dtype=np.float64)
        return _p_value(len(self.stranger) - np.searchsorted(self.stranger, similarity_n), len(self.stranger))

    def p_fit(
        self, similarity_n: ArrayLike, broad_n: Sequence[str] | NDArray[np.object_] | None = None
    ) -> NDArray[np.float32]:
        """Say how often a cell whose type another study has is as far from its nearest reference; NaN if not measured.

        Parameters
        ----------
        similarity_n
            Cosine to the nearest reference.
        broad_n
            Broad type of the nearest reference.  Cells are compared with those sampled cells whose nearest reference
            is of this type, and with all where these are few or nothing is given.

        Examples
        --------
        >>> nearest = {"nearest": (0.7, 0.8, 0.9), "nearest_to": {"CL:0000084": (0.9,)}}
        >>> background = Background(unit="study", units=2, cells=3, stranger=(), **nearest)
        >>> background.p_fit([0.95, 0.75, 0.1]).tolist()
        [1.0, 0.5, 0.25]
        >>> background.p_fit([0.95, 0.75, 0.1], ["CL:0000084"] * 3).tolist()
        [1.0, 0.5, 0.5]
        """
        similarity_n = np.asarray(similarity_n, dtype=np.float64)
        p_n = _p_value(np.searchsorted(self.nearest, similarity_n, side="right"), len(self.nearest))
        broad_of_n = np.array([UNKNOWN] * len(p_n) if broad_n is None else broad_n, dtype=object)
        for broad, quantiles in self.nearest_to.items():
            here = broad_of_n == broad
            p_n[here] = _p_value(np.searchsorted(quantiles, similarity_n[here], side="right"), len(quantiles))
        return p_n


def parse_background(fields: dict[str, Any], *, where: Path | str) -> Background:
    """Read what an index states of its background; ``where`` is how messages call the index.

    Examples
    --------
    >>> parse_background({"nearest": [0.5]}, where="my-index")
    Traceback (most recent call last):
    spoticell.errors.SearchError: the background of the index my-index is damaged: unit: Field required...
    """
    try:
        return Background.model_validate(fields)
    except ValidationError as error:
        raise SearchError(
            f"the background of the index {where} is damaged: {first_fault(error)}. Build the index again."
        ) from None


def background_of(blocks: Blocks, groups: pd.DataFrame, group_n: NDArray[np.integer], *, seed: int = 0) -> Background:
    """Measure the background of some references.

    Parameters
    ----------
    blocks
        Gives the fingerprints from first to last, unit vectors in blocks ``(b, d)``.  It is called more than once.
    groups
        The columns ``term``, ``study``, ``dataset`` and ``donor`` of each group of references.
    group_n
        Row of ``groups`` for each reference.
    seed
        Of the sample.

    Examples
    --------
    Three studies, each with two opposite cells; the nearest of another type is as far as can be:

    >>> groups = pd.DataFrame({"term": ["CL:0000084", "CL:0000057"] * 3, "study": list("aabbcc"), "dataset": "x"})
    >>> fingerprint_nd = np.float32([[1, 0], [-1, 0]] * 3)
    >>> background = background_of(lambda: [fingerprint_nd], groups.assign(donor=""), np.arange(6))
    >>> background.unit, background.nearest[0], background.stranger[-1]
    ('study', 1.0, -1.0)
    """
    unit, unit_g = _units(groups)
    term_g, kin_tt, known_t = _kinship(groups["term"].astype(str).to_numpy(dtype=object), load_ontology())
    units = len(set(unit_g[np.unique(group_n)].tolist()))
    if unit == "none" or units < 2:
        return Background(unit="none", units=units, cells=0, nearest=(), stranger=())
    stratum_g = unit_g * len(known_t) + term_g
    row_s = _even_sample(group_n, stratum_g, known_t[term_g], blocks, seed)
    group_s = group_n[row_s]
    near_s, stranger_s = np.full((2, len(row_s)), -np.inf, dtype=np.float32)
    near_group_s = np.zeros(len(row_s), dtype=np.intp)
    for similarity_sh, group_h in _compare(_pick(blocks(), row_s), blocks(), group_n):
        other_sh = np.where(unit_g[group_s][:, None] != unit_g[group_h][None], similarity_sh, -np.inf)
        strange_sh = np.where(kin_tt[np.ix_(term_g[group_s], term_g[group_h])], -np.inf, other_sh)
        near_group_s = np.where(other_sh.max(axis=1) > near_s, group_h[other_sh.argmax(axis=1)], near_group_s)
        near_s = np.maximum(near_s, other_sh.max(axis=1))
        stranger_s = np.maximum(stranger_s, strange_sh.max(axis=1))
    weight_s = 1 / np.bincount(stratum_g[group_s])[stratum_g[group_s]]
    shared_s = _shared(unit_g, term_g, np.unique(group_n))[term_g[group_s]]
    broad_s = broad_terms(groups["term"])[near_group_s]
    return Background(
        unit=unit,
        units=units,
        cells=len(row_s),
        nearest=_quantiles(near_s[shared_s], weight_s[shared_s], LEVELS),
        nearest_to={
            broad: _quantiles(near_s[here_s], weight_s[here_s], TYPE_LEVELS)
            for broad in sorted(set(broad_s) - {UNKNOWN})
            if (here_s := shared_s & (broad_s == broad)).sum() >= FEWEST_OF_TYPE
        },
        stranger=_quantiles(stranger_s, weight_s, LEVELS),
    )


def broad_terms(terms: Iterable[str]) -> NDArray[np.object_]:
    """Give the broad type of each term, ``unknown`` where there is none.

    Examples
    --------
    >>> broad_terms(["CL:0000624", "unknown"]).tolist()
    ['CL:0000084', 'unknown']
    """
    ontology = load_ontology()
    terms = [str(term) for term in terms]
    broad = {term: ontology.broad(term) for term in set(terms)}
    return np.array([broad[term] for term in terms], dtype=object)


def study_names(groups: pd.DataFrame) -> pd.Series[str]:
    """Give the study of each group of references, its data set where none is stated.

    Examples
    --------
    >>> study_names(pd.DataFrame({"study": ["Kang 2018", ""], "dataset": ["ctrl", "pbmc3k"]})).tolist()
    ['Kang 2018', 'pbmc3k']
    """
    return groups["study"].astype(str).where(groups["study"] != "", groups["dataset"].astype(str))


def _units(groups: pd.DataFrame) -> tuple[str, NDArray[np.intp]]:
    stated = bool((groups["study"] != "").any())
    for name in UNITS if stated else UNITS[1:]:
        codes, values = pd.factorize(study_names(groups) if name == "study" else groups[name].astype(str))
        if len(values) > 1:
            return name, codes
    return "none", np.zeros(len(groups), dtype=np.intp)


def _kinship(
    term_of_g: NDArray[np.object_], ontology: Ontology
) -> tuple[NDArray[np.intp], NDArray[np.bool_], NDArray[np.bool_]]:
    """Give each term a number, which pairs can't count as strangers, and which terms are in the ontology.

    A stranger is of another broad type, and neither above nor below.  Of an unknown term nothing can be said.
    """
    term_g, terms = pd.factorize(term_of_g)
    known_t = np.array([term in ontology for term in terms], dtype=bool)
    above = [ontology.ancestors(term) if term in ontology else frozenset() for term in terms]
    broad = broad_terms(terms)
    up_tt = np.array([[term in lineage for term in terms] for lineage in above], dtype=bool)
    same_tt = (broad[:, None] == broad[None]) & (broad != UNKNOWN)[:, None]
    return term_g, same_tt | up_tt | up_tt.T | ~known_t[:, None] | ~known_t[None], known_t


def _shared(unit_g: NDArray[np.intp], term_g: NDArray[np.intp], present: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Say which terms occur in more than one unit."""
    pairs = np.unique(np.stack([term_g[present], unit_g[present]], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=int(term_g.max()) + 1) > 1


def _even_sample(
    group_n: NDArray[np.integer], stratum_g: NDArray[np.intp], known_g: NDArray[np.bool_], blocks: Blocks, seed: int
) -> NDArray[np.intp]:
    """Draw references with a known term, rising, as evenly over the types of all studies as there are cells.

    A large study would otherwise speak for all.
    """
    width = next(iter(blocks())).shape[1]
    size = int(np.clip(WORK / (len(group_n) * width), FEWEST, MOST))
    shuffled = np.random.default_rng(seed).permutation(np.flatnonzero(known_g[group_n]))
    stratum = stratum_g[group_n[shuffled]]
    by_stratum = np.argsort(stratum, kind="stable")
    first = np.searchsorted(stratum[by_stratum], stratum[by_stratum])
    turn = np.empty(len(shuffled), dtype=np.intp)
    turn[by_stratum] = np.arange(len(shuffled)) - first
    return np.sort(shuffled[np.argsort(turn, kind="stable")[:size]])


def _pick(blocks: Iterable[NDArray[np.floating]], row_s: NDArray[np.intp]) -> NDArray[np.float32]:
    """Give the fingerprints of some references."""
    picked, start = [], 0
    for block_bd in blocks:
        first, last = np.searchsorted(row_s, (start, start + len(block_bd)))
        picked.append(np.asarray(block_bd[row_s[first:last] - start], dtype=np.float32))
        start += len(block_bd)
    return np.concatenate(picked)


def _compare(
    fingerprint_sd: NDArray[np.float32], blocks: Iterable[NDArray[np.floating]], group_n: NDArray[np.integer]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.integer]]]:
    """Give the greatest similarity of each sampled cell to each group in a block, and these groups."""
    start = 0
    for block_bd in blocks:
        for first in range(0, len(block_bd), BLOCK):
            part_bd = np.asarray(block_bd[first : first + BLOCK], dtype=np.float32)
            group_b = group_n[start + first : start + first + len(part_bd)]
            order = np.argsort(group_b, kind="stable")
            group_h, start_h = np.unique(group_b[order], return_index=True)
            yield np.maximum.reduceat(fingerprint_sd @ part_bd[order].T, start_h, axis=1), group_h
        start += len(block_bd)


def _quantiles(value_s: NDArray[np.float32], weight_s: NDArray[np.floating], most: int) -> tuple[float, ...]:
    """Give quantiles of weighted values, rising; cells without any reference to compare with are left out."""
    found = np.isfinite(value_s)
    if not found.any():
        return ()
    order = np.argsort(value_s[found], kind="stable")
    value, weight = value_s[found][order], weight_s[found][order]
    reached = np.cumsum(weight) / weight.sum()
    levels = np.arange(1, most + 1) / (most + 1) - 1e-9  # what rounding may take from a sum of weights
    return tuple(value[np.searchsorted(reached, levels)].astype(np.float64).round(5).tolist())


def _p_value(as_extreme: NDArray[np.integer], of: int) -> NDArray[np.float32]:
    p_n = (1 + as_extreme) / (1 + of) if of else np.full(as_extreme.shape, np.nan)
    return np.asarray(p_n, dtype=np.float32)
