"""Which types an answer may be: what a user says of it, as labels of a bundle.

What a tissue rules out is in ``tissues``.  Axes: ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.everyday import closest_names, meanings_of, read_name
from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import Ontology, load_ontology
from spoticell.biology.relatives import Relatives
from spoticell.biology.tissues import find_tissue, possible_labels
from spoticell.errors import ConfigError
from spoticell.model.bundle import Bundle

ANY = "any"
"""What is said in place of a tissue where cells may be from all of them."""
LEAST = 0.05
"""A cell on whose allowed labels the network puts less weight than this, all together, stays unknown.

Making the rest one again would turn a scrap of weight into a sure answer: a neuron among T cells would be a T cell.
Below one in twenty, the customary bound of what is too unlikely to be believed, the network says that the cell is
something else; and no probability grows more than twentyfold.
"""


def labels_within(
    labels: Sequence[str], ontology: Ontology, *, allow: Iterable[str] = (), deny: Iterable[str] = ()
) -> NDArray[np.bool_]:
    """Say which labels are at or below an allowed term, and neither at nor below a denied one.

    Parameters
    ----------
    labels
        Terms, length ``c``.
    ontology
        Where they stand.
    allow
        Terms; every label is allowed if there are none.
    deny
        Terms; they win over allowed ones.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology
    >>> labels = ["CL:0000236", "CL:0000084", "CL:0000624"]  # B cell, T cell, CD4-positive alpha-beta T cell
    >>> labels_within(labels, load_ontology(), allow=["CL:0000542"], deny=["CL:0000624"]).tolist()
    [True, True, False]
    """
    allow, deny = frozenset(allow), frozenset(deny)
    above_c = [ontology.ancestors(label) for label in labels]
    return np.array([(not allow or bool(above & allow)) and not above & deny for above in above_c], dtype=np.bool_)


class Restriction:
    """Node probabilities as they are when only some labels can be.

    The weights of labels that aren't allowed are left out, the others made one, and summed up the ontology again.

    Parameters
    ----------
    labels
        Terms that the network puts its weight on, length ``c``.
    nodes
        The labels and all terms above them, in the order of the probabilities, length ``m``.
    ontology
        Where they stand.
    allowed_c
        Which labels can be.

    Raises
    ------
    ConfigError
        If none can be, or the nodes are other terms than the labels and those above them.

    Examples
    --------
    >>> from spoticell.biology.ontology import load_ontology, reach_matrix
    >>> labels = ["CL:0000542", "CL:0000084", "CL:0000236"]  # lymphocyte, T cell, B cell
    >>> nodes, reach_cm = reach_matrix(labels, load_ontology())
    >>> probabilities_nm = np.float32([[0.2, 0.5, 0.3]]) @ reach_cm
    >>> only_t = Restriction(labels, nodes, load_ontology(), np.array([False, True, False]))
    >>> [round(float(only_t(probabilities_nm)[0, nodes.index(label)]), 3) for label in labels]
    [1.0, 1.0, 0.0]
    """

    def __init__(
        self, labels: Sequence[str], nodes: Sequence[str], ontology: Ontology, allowed_c: NDArray[np.bool_]
    ) -> None:
        if not allowed_c.any():
            raise ConfigError("none of the labels is allowed; at least one is needed.")
        self._weights = LabelWeights(labels, nodes, ontology)
        self._allowed_c = allowed_c

    def __call__(self, probabilities_nm: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the probabilities among the allowed labels.

        Parameters
        ----------
        probabilities_nm
            Of each node for each cell.

        Returns
        -------
        The same, ``(n, m)``; all zero for a cell whose allowed labels have less than `LEAST` together.
        """
        weight_nc = self._weights.of(probabilities_nm) * self._allowed_c
        total_n = weight_nc.sum(axis=1)
        share_n = np.where(total_n >= LEAST, 1 / np.maximum(total_n, LEAST), 0)
        return self._weights.summed((weight_nc * share_n[:, None]).astype(np.float32))


@dataclass(frozen=True)
class Allowed:
    """The types that answers are kept to."""

    bundle: Bundle
    allow: tuple[str, ...]
    """Terms at or below which an answer must be, sorted; all are allowed if there are none."""
    deny: tuple[str, ...]
    """Terms at or below which no answer may be, sorted."""
    tissue: str | None
    """Name of the tissue, by which types of other tissues are out."""
    allowed_c: NDArray[np.bool_] = field(repr=False)
    """Which of the bundle's labels are left."""
    notes: tuple[str, ...] = ()
    """Sentences about terms that the model doesn't know."""

    @cached_property
    def restrict(self) -> Restriction | None:
        """What keeps node probabilities to the types that are listed; None where none are."""
        if not self.allow and not self.deny:
            return None
        labels, ontology = self.bundle.manifest.labels, load_ontology()
        left_c = self.allowed_c if self.allow else labels_within(labels, ontology, deny=self.deny)
        return Restriction(labels, self.bundle.nodes, ontology, left_c)

    @cached_property
    def relatives(self) -> Relatives | None:
        """What gives the weight of other tissues' types to relatives; None where no tissue is told, or any can be."""
        if self.allow or self.tissue in {None, ANY}:
            return None  # a relative need not be below what is allowed
        ontology, nodes = load_ontology(), self.bundle.nodes
        possible_m = np.array(possible_labels(nodes, find_tissue(str(self.tissue)), ontology))
        return Relatives(self.bundle.label_weights, nodes, ontology, possible_m)

    def record(self) -> dict[str, Any]:
        """Say what was asked for, and how many labels it leaves, as plain values."""
        return {
            "allow": list(self.allow),
            "deny": list(self.deny),
            "tissue": self.tissue,
            "labels": int(self.allowed_c.sum()),
        }

    def describe(self) -> str:
        """Say the same in a sentence."""
        parts = [f"in {self.tissue} tissue" if self.tissue == ANY else f"in {self.tissue}"] if self.tissue else []
        parts += [f"{word} {_names(terms)}" for word, terms in (("among", self.allow), ("not", self.deny)) if terms]
        return f"{self.allowed_c.sum():,} of the {len(self.allowed_c):,} types that the model knows: {'; '.join(parts)}"


def allowed_types(
    bundle: Bundle, *, allow: Sequence[str] = (), deny: Sequence[str] = (), tissue: str | None = None
) -> Allowed | None:
    """Find the types that answers are kept to.

    Parameters
    ----------
    bundle
        Whose labels.
    allow
        Types by Cell Ontology id or name, as people write them: an answer is one of these types or a subtype of one.
    deny
        The same for types that an answer can't be; where both hold, a type is denied.
    tissue
        Where the cells are from, in the words of `tissues.find_tissue`: types of other tissues are denied.  ``any``
        denies none.

    Returns
    -------
    The types, or None where nothing is said of them.  A denied type of which the model knows nothing is noted, and so
    is an allowed one beside others.

    Raises
    ------
    ConfigError
        If a word names no type or tissue, no label is left, or the bundle is of another release of the ontology.
    """
    allow, deny = listed(allow), listed(deny)
    if not allow and not deny and tissue is None:
        return None
    ontology, labels = load_ontology(), bundle.manifest.labels
    if not bundle.is_of_this_ontology:
        raise ConfigError(
            f"the bundle {bundle.name} is of Cell Ontology {bundle.manifest.ontology_version} and this release of "
            f"Spoticell of {ontology.version}, which may place its types elsewhere; leave out allow, deny and tissue, "
            "or export the bundle again."
        )
    allow, deny = _terms(allow, bundle, ontology), _terms(deny, bundle, ontology)
    notes = _notes(allow, deny, bundle, ontology)
    place = None if tissue is None or tissue.strip().lower() == ANY else find_tissue(tissue)
    allowed_c = labels_within(labels, ontology, allow=allow, deny=deny)
    if place is not None:
        allowed_c &= np.array(possible_labels(labels, place, ontology))
    told = ANY if tissue is not None and place is None else None if place is None else place.name
    allowed = Allowed(bundle, allow, deny, told, allowed_c, notes)
    if not allowed_c.any():
        raise ConfigError(f"no type is left to answer with: {allowed.describe()}. Allow more, or deny less.")
    return allowed


def listed(words: Sequence[str]) -> tuple[str, ...]:
    """Take one word for a list of one."""
    return (words,) if isinstance(words, str) else tuple(words)


def _terms(words: Sequence[str], bundle: Bundle, ontology: Ontology) -> tuple[str, ...]:
    return tuple(sorted({_term(word, bundle, ontology) for word in words}))


def _term(word: str, bundle: Bundle, ontology: Ontology) -> str:
    term = read_name(word)
    if term is not None:
        return term
    close = ", ".join(repr(name) for name in closest_names(word[:100], bundle.nodes))
    raise ConfigError(
        f"{word[:100]!r} {_unread(word)} in the Cell Ontology ({ontology.version})"
        f"{f'; near it are {close}' if close else ''}. Give one such as CL:0000084 or 'T cell'; "
        "https://www.ebi.ac.uk/ols4/ontologies/cl lists them all."
    )


def _unread(word: str) -> str:
    return "may mean several types" if meanings_of(word) else "is no id, name or synonym of a type"


def _notes(allow: tuple[str, ...], deny: tuple[str, ...], bundle: Bundle, ontology: Ontology) -> tuple[str, ...]:
    """Refuse where the model has no label of all that is allowed, and note other terms of which it has none."""
    strange = [term for term in (*allow, *deny) if term not in bundle.nodes]
    if allow and set(allow) <= set(strange):
        above = [node for node in bundle.nodes if node in ontology.ancestors(allow[0])]
        raise ConfigError(
            f"the model {bundle.name} knows neither {_names(allow)} nor a subtype, so nothing is left to answer with; "
            f"the nearest type above that it knows is {_names(above[-1:])}."
        )
    return tuple(f"the model {bundle.name} knows neither {_names([term])} nor a subtype." for term in strange)


def _names(terms: Sequence[str]) -> str:
    ontology = load_ontology()
    return ", ".join(f"{ontology.name(term)} ({term})" for term in terms)
