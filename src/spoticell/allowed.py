"""Which types an answer may be: what a user says of it, as labels of a bundle.

The arithmetic is in ``restrict``, what a tissue rules out is in ``tissues``.  Axes: ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spoticell.bundle import Bundle
from spoticell.errors import ConfigError
from spoticell.ontology import Ontology, load_ontology
from spoticell.restrict import Restriction, labels_within
from spoticell.tissues import find_tissue, possible_labels

log = logging.getLogger("spoticell")


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

    @cached_property
    def restrict(self) -> Restriction:
        """What keeps node probabilities to these types."""
        return Restriction(self.bundle.manifest.labels, self.bundle.nodes, load_ontology(), self.allowed_c)

    def record(self) -> dict[str, Any]:
        """Say what was asked for, and how many labels it leaves, as plain values."""
        return {
            "allow": list(self.allow),
            "deny": list(self.deny),
            "tissue": self.tissue,
            "labels": int(self.allowed_c.sum()),
        }

    def options(self) -> list[str]:
        """Give the options of the command line that ask for the same."""
        tissue = [] if self.tissue is None else ["--tissue", self.tissue]
        return (
            tissue
            + [word for term in self.allow for word in ("--allow", term)]
            + [word for term in self.deny for word in ("--deny", term)]
        )

    def arguments(self) -> list[str]:
        """Give the arguments in Python that ask for the same."""
        asked = {"tissue": self.tissue, "allow": list(self.allow), "deny": list(self.deny)}
        return [f"{name}={value!r}" for name, value in asked.items() if value]

    def describe(self) -> str:
        """Say the same in a sentence."""
        parts = [f"in {self.tissue}"] if self.tissue else []
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
        Cell Ontology ids, names or exact synonyms: an answer is one of these types or a subtype of one.
    deny
        The same for types that an answer can't be; where both hold, a type is denied.
    tissue
        Where the cells are from, in the words of `tissues.find_tissue`: types of other tissues are denied.

    Returns
    -------
    The types, or None where nothing is said of them.  A denied type of which the bundle knows nothing is warned of, and
    so is an allowed one beside others.

    Raises
    ------
    ConfigError
        If a word names no type or tissue, no label is left, or the bundle is of another release of the ontology.
    """
    allow, deny = _listed(allow), _listed(deny)
    if not allow and not deny and tissue is None:
        return None
    ontology, labels = load_ontology(), bundle.manifest.labels
    if bundle.manifest.ontology_version != ontology.version:
        raise ConfigError(
            f"the bundle {bundle.name} is of Cell Ontology {bundle.manifest.ontology_version} and this release of "
            f"Spoticell of {ontology.version}, which may place its types elsewhere; leave out allow, deny and tissue, "
            "or export the bundle again."
        )
    allow, deny = _terms(allow, bundle, ontology), _terms(deny, bundle, ontology)
    _check_known(allow, deny, bundle, ontology)
    place = None if tissue is None else find_tissue(tissue)
    allowed_c = labels_within(labels, ontology, allow=allow, deny=deny)
    if place is not None:
        allowed_c &= np.array(possible_labels(labels, place, ontology))
    allowed = Allowed(bundle, allow, deny, None if place is None else place.name, allowed_c)
    if not allowed_c.any():
        raise ConfigError(f"no type is left to answer with: {allowed.describe()}. Allow more, or deny less.")
    return allowed


def _listed(words: Sequence[str]) -> tuple[str, ...]:
    """Take one word for a list of one."""
    return (words,) if isinstance(words, str) else tuple(words)


def _terms(words: Sequence[str], bundle: Bundle, ontology: Ontology) -> tuple[str, ...]:
    return tuple(sorted({_term(word, bundle, ontology) for word in words}))


def _term(word: str, bundle: Bundle, ontology: Ontology) -> str:
    term = ontology.resolve_label(word)
    if term is not None:
        return term
    close = ", ".join(repr(name) for name in ontology.close_names(word[:100], bundle.nodes))
    raise ConfigError(
        f"{word[:100]!r} is no id, name or exact synonym in the Cell Ontology ({ontology.version})"
        f"{f'; near it are {close}' if close else ''}. Give one such as CL:0000084 or 'T cell'; "
        "https://www.ebi.ac.uk/ols4/ontologies/cl lists them all."
    )


def _check_known(allow: tuple[str, ...], deny: tuple[str, ...], bundle: Bundle, ontology: Ontology) -> None:
    """Refuse where the bundle has no label of all that is allowed, and warn of other terms of which it has none."""
    strange = [term for term in (*allow, *deny) if term not in bundle.nodes]
    if allow and set(allow) <= set(strange):
        above = [node for node in bundle.nodes if node in ontology.ancestors(allow[0])]
        raise ConfigError(
            f"the bundle {bundle.name} knows neither {_names(allow)} nor a subtype, so nothing is left to answer with; "
            f"the nearest type above that it knows is {_names(above[-1:])}."
        )
    for term in strange:
        log.warning("the bundle %s knows neither %s nor a subtype", bundle.name, _names([term]))


def _names(terms: Sequence[str]) -> str:
    ontology = load_ontology()
    return ", ".join(f"{ontology.name(term)} ({term})" for term in terms)
