"""The Cell Ontology: names, ancestors, and which labels lie below which terms.

A label is a Cell Ontology term that a model can put its weight on; a node is a label or any term above one.
Obsolete terms are left out, but a text that names one leads to its successor.  Nothing here knows cells or counts.

Axes: ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from spoticell.errors import ConfigError
from spoticell.keys import UNKNOWN

TOO_GENERAL = frozenset(
    ("CL:0000000", "CL:0000003", "CL:0000255", "CL:0000548", "CL:0002371", "CL:0002242", "CL:0000219", "CL:0000226")
)
"""Terms that are no answer: cell, eukaryotic cell, nucleate cell, motile cell and their like."""

DOINGS = frozenset(
    (
        "CL:0000095",  # neuron associated cell
        "CL:0000123",  # neuron associated cell (sensu Vertebrata)
        "CL:0000145",  # professional antigen presenting cell
        "CL:0000151",  # secretory cell
        "CL:0000153",  # glycosaminoglycan secreting cell
        "CL:0000154",  # protein secreting cell
        "CL:0000157",  # surfactant secreting cell
        "CL:0000159",  # seromucus secreting cell
        "CL:0000167",  # peptide hormone secreting cell
        "CL:0000174",  # steroid hormone secreting cell
        "CL:0000177",  # testosterone secreting cell
        "CL:0000183",  # contractile cell
        "CL:0000211",  # electrically active cell
        "CL:0000225",  # anucleate cell
        "CL:0000228",  # multinucleate cell
        "CL:0000234",  # phagocyte
        "CL:0000306",  # crystallin accumulating cell
        "CL:0000311",  # keratin accumulating cell
        "CL:0000319",  # mucus secreting cell
        "CL:0000323",  # lysozyme secreting cell
        "CL:0000325",  # stuff accumulating cell
        "CL:0000327",  # extracellular matrix secreting cell
        "CL:0000329",  # oxygen accumulating cell
        "CL:0000393",  # electrically responsive cell
        "CL:0000404",  # electrically signaling cell
        "CL:0000412",  # polyploid cell
        "CL:0000413",  # haploid cell
        "CL:0000417",  # endopolyploid cell
        "CL:0000424",  # excretory cell
        "CL:0000447",  # carbohydrate secreting cell
        "CL:0000457",  # biogenic amine secreting cell
        "CL:0000511",  # androgen binding protein secreting cell
        "CL:0000518",  # phagocyte (sensu Vertebrata)
        "CL:0000568",  # amine precursor uptake and decarboxylation cell
        "CL:0000630",  # supporting cell
        "CL:0000667",  # collagen secreting cell
        "CL:0002274",  # histamine secreting cell
        "CL:0011026",  # progenitor cell
        "CL:0011115",  # precursor cell
        "CL:4052002",  # syncytial cell
    )
)
"""Terms that say what many kinds of cell do or have; as an answer they would puzzle more than they tell."""

BROAD = (
    "CL:0000084",  # T cell
    "CL:0000786",  # plasma cell
    "CL:0000236",  # B cell
    "CL:0000623",  # natural killer cell
    "CL:0001065",  # innate lymphoid cell
    "CL:0000576",  # monocyte
    "CL:0000129",  # microglial cell
    "CL:0000235",  # macrophage
    "CL:0000451",  # dendritic cell
    "CL:0000775",  # neutrophil
    "CL:0000094",  # granulocyte
    "CL:0000097",  # mast cell
    "CL:0000556",  # megakaryocyte
    "CL:0000233",  # platelet
    "CL:0000764",  # erythroid lineage cell
    "CL:0008001",  # hematopoietic precursor cell
    "CL:0000738",  # leukocyte
    "CL:0000115",  # endothelial cell
    "CL:0000192",  # smooth muscle cell
    "CL:0000669",  # pericyte
    "CL:0000746",  # cardiac muscle cell
    "CL:0000057",  # fibroblast
    "CL:0000188",  # cell of skeletal muscle
    "CL:0000136",  # adipocyte
    "CL:0002320",  # connective tissue cell
    "CL:0008019",  # mesenchymal cell
    "CL:0000182",  # hepatocyte
    "CL:0000148",  # melanocyte
    "CL:0000351",  # trophoblast cell
    "CL:0000039",  # germ line cell
    "CL:0000127",  # astrocyte
    "CL:0000128",  # oligodendrocyte
    "CL:0002453",  # oligodendrocyte precursor cell
    "CL:0002573",  # Schwann cell
    "CL:0011020",  # neural progenitor cell
    "CL:0000163",  # endocrine cell
    "CL:0000540",  # neuron
    "CL:0000066",  # epithelial cell
    "CL:0000125",  # glial cell
)
"""Coarse terms, used where one word a cell is wanted; of two that both fit, neither above the other, the first."""


Entry = tuple[str, list[str], list[str]]
"""Name, direct parents, synonyms."""


class Ontology:
    """The Cell Ontology without its obsolete terms.

    Examples
    --------
    >>> ontology = load_ontology()
    >>> ontology.name("CL:0000084")
    'T cell'
    >>> ontology.parents("CL:0000084")
    ('CL:0000542',)
    """

    def __init__(
        self, table: Mapping[str, tuple[str, list[str], list[str]]], replaced: Mapping[str, str], version: str
    ) -> None:
        self._table = table
        self._replaced = replaced
        self._ancestors: dict[str, frozenset[str]] = {}
        self._depth: dict[str, int] = {}
        self.version = version
        """Release, as a date."""
        self.terms = tuple(table)
        """Every term id, sorted."""

    def __contains__(self, term: object) -> bool:
        return term in self._table

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[str]:
        return iter(self.terms)

    def name(self, term: str) -> str:
        """Give the name of a term."""
        return self._entry(term)[0]

    def synonyms(self, term: str) -> tuple[str, ...]:
        """Give the exact synonyms of a term, sorted."""
        return tuple(self._entry(term)[2])

    def parents(self, term: str) -> tuple[str, ...]:
        """Give the terms right above a term (is_a), sorted."""
        return tuple(self._entry(term)[1])

    def ancestors(self, term: str) -> frozenset[str]:
        """Give a term and every term above it."""
        if term not in self._ancestors:
            above = (self.ancestors(parent) for parent in self.parents(term))
            self._ancestors[term] = frozenset((term,)).union(*above)
        return self._ancestors[term]

    def descendants(self, terms: Sequence[str]) -> list[int]:
        """Count the terms at or below each of some terms, in the whole ontology.

        Examples
        --------
        >>> load_ontology().descendants(["CL:0000650", "CL:0000669"])  # mesangial cell, pericyte
        [3, 13]
        """
        return [self._below[term] for term in terms]

    @cached_property
    def _below(self) -> Counter[str]:
        return Counter(above for term in self.terms for above in self.ancestors(term))

    def depth(self, term: str) -> int:
        """Give the length of the longest path from the root down to a term; 0 at the root."""
        if term not in self._depth:
            self._depth[term] = max((self.depth(parent) + 1 for parent in self.parents(term)), default=0)
        return self._depth[term]

    def broad(self, term: str) -> str:
        """Give the nearest term of `BROAD` that is this term or above it, or ``unknown``.

        Examples
        --------
        >>> load_ontology().broad("CL:0000624")
        'CL:0000084'
        """
        if term not in self._table:
            return UNKNOWN
        above = [coarse for coarse in BROAD if coarse in self.ancestors(term)]
        passed = set().union(*(self.ancestors(coarse) - {coarse} for coarse in above))
        return next((coarse for coarse in above if coarse not in passed), UNKNOWN)

    def broad_level(self, term: str) -> str:
        """Give what a term is where broad types are shown: a broad type, or itself where it is broader than these.

        Broader are terms above several broad types, which to call by a still broader one would say less than is known,
        and those above one and below none.

        Examples
        --------
        >>> ontology = load_ontology()
        >>> [ontology.name(ontology.broad_level(term)) for term in ("CL:0000624", "CL:0000113")]
        ['T cell', 'mononuclear phagocyte']
        """
        broad = self.broad(term)
        if term == broad or term not in self._table or term in TOO_GENERAL:
            return broad
        below = sum(term in self.ancestors(coarse) for coarse in BROAD)
        return term if below > 1 or (below and broad == UNKNOWN) else broad

    def path(self, term: str) -> tuple[str, ...]:
        """Give the terms from the broad type of a term down to it, along its deepest parents.

        Terms that only say what a cell does (`DOINGS`) are passed over.

        Examples
        --------
        >>> [load_ontology().name(term) for term in load_ontology().path("CL:0000625")][::3]
        ['T cell', 'CD8-positive, alpha-beta T cell']
        """
        broad, path = self.broad(term), [term]
        while path[0] != broad:
            above = [parent for parent in self.parents(path[0]) if parent not in TOO_GENERAL]
            above = [parent for parent in above if broad == UNKNOWN or broad in self.ancestors(parent)]
            if not above:
                break
            path.insert(0, max(above, key=lambda parent: (self.depth(parent), parent)))
        return tuple(place for place in path if place == term or place not in DOINGS)

    def resolve_label(self, text: str) -> str | None:
        """Give the term that a text names: by id, name or exact synonym, whatever the case; None where none does.

        A name always beats a synonym, and a synonym of several terms names none.

        Examples
        --------
        >>> load_ontology().resolve_label(" t lymphocyte ")
        'CL:0000084'
        """
        text = text.strip()
        term = text.upper().replace("_", ":")
        return term if term in self._table else self._by_text.get(text.lower())

    def is_named(self, term: str, text: str) -> bool:
        """Whether a text is the id or the name of a term, and no mere synonym, whatever the case.

        Examples
        --------
        >>> load_ontology().is_named("CL:0000084", "t cell"), load_ontology().is_named("CL:0000084", "T lymphocyte")
        (True, False)
        """
        return text.lower().replace("_", ":") == term.lower() or text.lower() == self.name(term).lower()

    @cached_property
    def _by_text(self) -> dict[str, str]:
        synonyms: dict[str, set[str]] = {}
        for term, (_, _, words) in self._table.items():
            for word in words:
                synonyms.setdefault(word.lower(), set()).add(term)
        found = {word: min(terms) for word, terms in synonyms.items() if len(terms) == 1}
        replaced = {old.lower(): term for old, term in self._replaced.items()}
        return replaced | found | {self.name(term).lower(): term for term in self.terms}

    def _entry(self, term: str) -> Entry:
        try:
            return self._table[term]
        except KeyError:
            raise ConfigError(
                f"{term!r} is no term of the Cell Ontology ({self.version}), or an obsolete one; "
                "a current id such as 'CL:0000084' is needed."
            ) from None


@lru_cache(maxsize=1)
def load_ontology() -> Ontology:
    """Give the packaged Cell Ontology.

    Examples
    --------
    >>> load_ontology().version
    '2026-03-26'
    """
    table = json.loads(gzip.decompress(files("spoticell").joinpath("data", "cell_ontology.json.gz").read_bytes()))
    return Ontology(table["terms"], table["replaced"], table["version"])


def reach_matrix(labels: Sequence[str], ontology: Ontology) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
    """Say which labels lie at or below each node.

    Parameters
    ----------
    labels
        Terms, length ``c``, all different.
    ontology
        Where they stand.

    Returns
    -------
    The nodes, length ``m``: every label and every ancestor of one, ancestors before descendants, ties by id; and
    ``(c, m)`` booleans, true where label ``c`` is node ``m`` or below it.

    Raises
    ------
    ConfigError
        If a label isn't in the ontology or occurs twice.

    Examples
    --------
    >>> nodes, reach_cm = reach_matrix(["CL:0000084", "CL:0000542"], load_ontology())
    >>> nodes[-1], reach_cm[:, -1].tolist()
    ('CL:0000084', [True, False])
    """
    if len(set(labels)) < len(labels):
        raise ConfigError(f"{len(labels) - len(set(labels))} labels occur twice; each may stand once.")
    wanted = set().union(*(ontology.ancestors(label) for label in labels))
    nodes = tuple(sorted(wanted, key=lambda term: (ontology.depth(term), term)))
    position = {node: m for m, node in enumerate(nodes)}
    reach_cm = np.zeros((len(labels), len(nodes)), dtype=np.bool_)
    for c, label in enumerate(labels):
        reach_cm[c, [position[node] for node in ontology.ancestors(label)]] = True
    return nodes, reach_cm
