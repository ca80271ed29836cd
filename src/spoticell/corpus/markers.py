"""Profiles made from markers: a way to teach types of which there are neither cells nor profiles.

A made profile is the mean profile of a type that resembles it (its base) in which the markers, written down by hand,
have a given share of the expression, and what the type lacks is taken away.  Each cell gets a profile of its own, so
that dim and bright cells occur.  Axes: ``n`` cells, ``g`` genes of the vocabulary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from scipy import sparse

from spoticell.biology.genes import Vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.errors import ConfigError

FILLING, LEADING, ABUNDANT, TYPICAL, FAINT = 0.12, 0.03, 0.007, 0.0012, 0.0002
"""Median share of one marker: what a cell is filled with, what it has most of, what is plain, usual, seen in some."""
LEFT, MOST_LEFT = 0.02, 5e-5
"""Part of its expression in the base that a gene keeps which the type lacks (RNA that leaked from other cells), and
the largest share that this may be."""
CELL_SPREAD = 0.5
"""Standard deviation, from cell to cell, of the logarithm of all markers together."""
GENE_SPREAD = 0.6
"""The same of one marker by itself."""
MOST = 0.85
"""Largest share of the expression that all markers together may have."""
OVER_COMMON = 1.5
"""How many times the share that is common among the types of its data set a gene of a stand-in keeps at most."""

Shares = NDArray[np.floating[Any]]


def _term(text: object) -> str:
    if (term := load_ontology().resolve_label(str(text))) is None:
        raise ValueError(f"{text!r} names no term of the Cell Ontology")
    return term


Term = Annotated[str, BeforeValidator(_term)]


def _symbols(value: object) -> tuple[str, ...]:
    texts = value if isinstance(value, list) else [value]
    return tuple(symbol for text in texts for symbol in str(text).split())


Symbols = Annotated[tuple[str, ...], BeforeValidator(_symbols)]


class MadeType(BaseModel):
    """A type, the cells that it resembles, and its markers: gene symbols parted by spaces, or a list of such texts.

    A gene that is both absent and a marker is a marker.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Term
    source: str
    """Data set whose cells are the base, and whose genes are measured."""
    base: Term
    stand_in: bool = False
    """Whether the base is of another kind: then it lends what all cells express, and its own genes are lowered."""
    filling: Symbols = ()
    leading: Symbols = ()
    abundant: Symbols = ()
    typical: Symbols = ()
    faint: Symbols = ()
    absent: Symbols = ()

    @property
    def strengths(self) -> dict[str, float]:
        """Median share of the expression of each marker."""
        levels = (
            (self.faint, FAINT),
            (self.typical, TYPICAL),
            (self.abundant, ABUNDANT),
            (self.leading, LEADING),
            (self.filling, FILLING),
        )
        return {symbol: share for symbols, share in levels for symbol in symbols}


def read_made_types(path: Path) -> tuple[MadeType, ...]:
    """Read types and their markers from a YAML file.

    Raises
    ------
    ConfigError
        If the file isn't a list of such types, or names a term that isn't in the ontology.
    """
    try:
        return TypeAdapter(tuple[MadeType, ...]).validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, ValidationError) as error:
        raise ConfigError(f"{path.name} isn't a list of types with their markers: {error}") from None


def mean_share(counts_ng: sparse.csr_array) -> Shares:
    """Give the mean over cells of the share of each gene, ``(g,)``; it sums to 1.

    Examples
    --------
    >>> mean_share(sparse.csr_array([[1.0, 3.0], [2.0, 0.0]])).tolist()
    [0.625, 0.375]
    """
    depth_n = np.maximum(counts_ng.sum(axis=1), 1)
    return np.asarray(sparse.diags_array(1 / depth_n).dot(counts_ng).mean(axis=0))


def stand_in_share(base_g: Shares, common_g: Shares) -> Shares:
    """Lower what a base expresses more than other types do; the sum stays 1.

    Parameters
    ----------
    base_g
        Share of each gene in the base.
    common_g
        Median of that over types.
    """
    lowered_g: Shares = np.minimum(base_g, OVER_COMMON * common_g)
    lowered_g /= lowered_g.sum()
    return lowered_g


def made_shares(
    made: MadeType,
    base_g: Shares,
    measured_g: NDArray[np.bool_],
    n_cells: int,
    *,
    vocabulary: Vocabulary,
    rng: np.random.Generator,
) -> Shares:
    """Give a profile for each of some cells of a made type.

    Parameters
    ----------
    made
        The type.
    base_g
        Share of each gene in the base.
    measured_g
        Genes that the base's data set measured; markers among the others stay unseen.
    n_cells
        How many profiles.
    vocabulary
        The genes ``g``.
    rng
        Source of randomness.

    Returns
    -------
    Share of each gene, ``(n, g)``; rows sum to 1.

    Raises
    ------
    ConfigError
        If a symbol is no gene of the vocabulary.
    """
    lowered_g: Shares = base_g.copy()
    absent = _positions(made.absent, made, vocabulary)
    lowered_g[absent] = np.minimum(lowered_g[absent] * LEFT, MOST_LEFT)
    genes = _positions(tuple(made.strengths), made, vocabulary)
    strength_m = np.array(list(made.strengths.values()))[measured_g[genes]]
    genes = genes[measured_g[genes]]
    bright_n1 = rng.normal(0, CELL_SPREAD, (n_cells, 1))
    share_nm = strength_m * np.exp(bright_n1 + rng.normal(0, GENE_SPREAD, (n_cells, len(genes))))
    share_nm = np.maximum(share_nm, lowered_g[genes])
    share_nm *= np.minimum(1, MOST / share_nm.sum(axis=1, keepdims=True))
    rest_g = lowered_g.copy()
    rest_g[genes] = 0
    share_ng: Shares = np.tile(rest_g / rest_g.sum(), (n_cells, 1)) * (1 - share_nm.sum(axis=1, keepdims=True))
    share_ng[:, genes] = share_nm
    return share_ng


def _positions(symbols: tuple[str, ...], made: MadeType, vocabulary: Vocabulary) -> NDArray[np.intp]:
    if unknown := [symbol for symbol in symbols if symbol not in vocabulary.by_symbol]:
        name = load_ontology().name(made.type)
        raise ConfigError(f"Markers of {name!r} that are no symbols of human genes: {', '.join(unknown)}.")
    return np.array([vocabulary.by_symbol[symbol] for symbol in symbols], dtype=np.intp)
