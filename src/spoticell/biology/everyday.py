"""What the names that people give to types of cell mean, as terms of the Cell Ontology.

A name may be an id, a name or an exact synonym of the ontology, the name that we give it in short (`short_names`), or
one of the field's short names ("Tregs", "AT2"), which stand in ``data/type_names.tsv``; ``wording`` says how
differently each may be written.  A name of several types names none.

The table was written by hand for this package, from the short names that published data sets use.  A name with several
lines is one that people use for different types.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files

from spoticell.biology.ontology import BROAD, DOINGS, TOO_GENERAL, load_ontology
from spoticell.biology.short_names import has_short_name, short_name, term_of_short
from spoticell.biology.tissues import load_tissues
from spoticell.biology.wording import parted, spelling_of, words_of

Meanings = Mapping[tuple[str, ...], tuple[str, ...]]
"""The terms that the words of a name may mean."""

LEFT_OUT = frozenset({"alpha", "beta", "thymus", "derived"})
"""Words in the ontology's names for alpha-beta T cells that people leave out."""

ELSEWHERE = re.compile(r"\((?:Mmus|Primate|sensu .*)\)|, mouse$")
"""In names of other animals' cells, to which only those names lead."""

CLUSTER = re.compile(r"(?:[Cc]luster|[CcGg])?[ _-]?\d+")
"""What a cluster is called before anyone has named it."""

NUMBER = re.compile(r"^(?:cluster|c)?[ _-]?\d+[ :_.)-]+(?=[^\d\s])|[ _.-]+\(?\d+\)?$", re.IGNORECASE)
"""The number of a cluster before or behind its name."""

ALIKE = 0.75
"""How much alike two names are spelled that may be meant for each other, from 0 to 1."""

LONGEST = 200
"""No name of the ontology has more letters."""

SHORT = 4
"""So many letters are too few to tell what a text is spelled like."""


def read_name(text: str) -> str | None:
    """Give the term that a name of a type of cell means; None where it means none, or may mean several.

    Examples
    --------
    >>> [load_ontology().name(read_name(text)) for text in ("T-cells", "Tregs", "CD56+ NK", "AT II")]
    ['T cell', 'regulatory T cell', 'natural killer cell', 'pulmonary alveolar type 2 cell']
    >>> read_name("PC") is None  # plasma cell, pericyte, Purkinje cell, principal cell of the kidney
    True
    """
    found = meanings_of(text)
    return found[0] if len(found) == 1 else None


@lru_cache(maxsize=1 << 14)
def meanings_of(text: str) -> tuple[str, ...]:
    """Give all terms that a name may mean, sorted; none where it isn't understood."""
    ontology, text = load_ontology(), text.strip()
    known = ontology.resolve_label(text)
    if known is not None and ontology.is_named(known, text):
        return (known,)
    if "?" in text or (len(text) == 1 and text.islower()):
        return ()
    named = _by_spelling().get(spelling_of(text)) or term_of_short(text)
    found = _short_names().get(words_of(text), ()) if named is None else (named,)
    if found or CLUSTER.fullmatch(text):
        return found
    plain = NUMBER.sub("", text)
    ways = dict.fromkeys((text, parted(text), plain, parted(plain)))
    if known is not None and not ELSEWHERE.search(ontology.name(known)):
        return (known,)
    return next((means for way in ways if (means := _loosely(way))), ())


def everyday_names(term: str) -> list[str]:
    """Give the names by which people look for a type, besides the ontology's name and the short one.

    Examples
    --------
    >>> everyday_names("CL:0000623")
    ['CD16 NK', 'CD56 NK', 'NK cell', 'NK lymphocyte']
    """
    of_table = [name for name, meant in _rows() if meant == term]
    return sorted({*load_ontology().synonyms(term), *of_table})


def closest_names(text: str, among: Iterable[str] = (), *, most: int = 3) -> list[str]:
    """Give the names of terms that a text may be meant for, the likeliest first.

    First come those that it may mean; then those that say all that it says and little more; then those that say a part
    of it, the most first; then names that are spelled much like it.  A word that stands for a lineage goes before what
    says more than the text, and before another spelling: "T activated" is a T cell, and which one isn't said.

    Parameters
    ----------
    text
        Which means no term, or several.
    among
        Terms that go before others, such as those that a model knows.
    most
        How many to give.

    Examples
    --------
    >>> closest_names("Endo")
    ['endothelial cell', 'endocrine cell']
    >>> closest_names("B Activated")
    ['B cell']
    >>> closest_names("GZMK CD8 effector memory T cells")[0]
    'effector memory CD8-positive, alpha-beta T cell'
    """
    ontology = load_ontology()
    if found := meanings_of(text):
        return [ontology.name(term) for term in found[:most]]
    lineages = _lineages(text)
    near = [(off, term) for off, _, term in sorted(_sharing(set(words_of(text)), frozenset(among)))]
    surely = [term for (more, _), term in near if more and ontology.ancestors(term) & lineages.keys()]
    ahead = [*surely, *lineages] if lineages else []
    names = [ontology.name(term) for term in (*ahead, *(term for _, term in near))]
    if len(text) > SHORT:
        by_name = {
            name.lower(): ontology.name(term)
            for term in ontology
            if not lineages or ontology.ancestors(term) & lineages.keys()
            for name in (ontology.name(term), short_name(term))
            if len(name) >= SHORT
        }
        names += [by_name[near] for near in get_close_matches(text.strip().lower(), by_name, n=most, cutoff=ALIKE)]
    return list(dict.fromkeys(names))[:most]


def _lineages(text: str) -> dict[str, None]:
    """Give the broad types that single words of a text stand for, such as "NK" and "Mono"."""
    means = (meanings_of(word) for word in re.findall(r"[^\W_]+", parted(text)))
    return {found[0]: None for found in means if len(found) == 1 and found[0] in BROAD}


def _sharing(wanted: set[str], among: frozenset[str]) -> Iterator[tuple[tuple[int, int], int, str]]:
    """Give terms whose names hold all words of a text or lie within them: how far off each is, its length, itself."""
    ontology = load_ontology()
    for names in (_short_names(), *_long_names()):
        for words, terms in names.items():
            more, less = set(words) - wanted, wanted - set(words)
            if (more and less) or not wanted or len("".join(words)) < 2:
                continue
            off = (int(bool(less)), len(more) + len(less))
            for term in terms:
                # what has a short name by hand is met more often than what hasn't: "killer" is no pro-NK cell
                rarer = 0 if term in among else len(ontology.name(term)) + (0 if has_short_name(term) else LONGEST)
                yield off, rarer, term


def _loosely(text: str) -> tuple[str, ...]:
    """Give what a text means when it may be written another way than any name that is known."""
    words = words_of(text)
    for said in (words, tuple(word for word in words if word != "cycling")):
        found = _short_names().get(said) or next((names[said] for names in _long_names() if said in names), ())
        if found:
            return found if "cell" in text.lower() else tuple(term for term in found if _is_clear(said, term))
    return ()


def _is_clear(words: tuple[str, ...], term: str) -> bool:
    """Whether words mean a type even without "cell": not an organ, a letter, or what many kinds of cell do."""
    return words in _short_names() or (
        len("".join(words)) > 2 and words not in _organs() and term not in DOINGS | TOO_GENERAL
    )


@lru_cache(maxsize=1)
def _short_names() -> Meanings:
    return _gathered(_rows())


@lru_cache(maxsize=1)
def _rows() -> tuple[tuple[str, str], ...]:
    """Give the table of what people call types: name and term."""
    text = files("spoticell").joinpath("data", "type_names.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return tuple((row["name"], row["cell_type_ontology_term_id"]) for row in rows)


@lru_cache(maxsize=1)
def _long_names() -> tuple[Meanings, ...]:
    """Give what the ontology's own names mean, its synonyms, and its names without what people leave out of them."""
    ontology = load_ontology()
    ours = [term for term in ontology if not ELSEWHERE.search(ontology.name(term))]
    names = _gathered((ontology.name(term), term) for term in ours)
    shorter: dict[tuple[str, ...], set[str]] = {}
    for words, terms in names.items():
        less = LEFT_OUT if {"alpha", "beta", "t"} <= set(words) else frozenset()
        shorter.setdefault(tuple(word for word in words if word not in less | {"human"}), set()).update(terms)
    synonyms = _gathered((word, term) for term in ours for word in ontology.synonyms(term))
    return names, synonyms, {words: tuple(sorted(terms)) for words, terms in shorter.items()}


@lru_cache(maxsize=1)
def _by_spelling() -> dict[str, str]:
    """Give the term of each of the ontology's names, as `spelling_of` has it; what two share leads to neither."""
    found: dict[str, list[str]] = {}
    for term in load_ontology():
        found.setdefault(spelling_of(load_ontology().name(term)), []).append(term)
    return {spelling: terms[0] for spelling, terms in found.items() if len(terms) == 1}


@lru_cache(maxsize=1)
def _organs() -> frozenset[tuple[str, ...]]:
    return frozenset(words_of(name) for tissue in load_tissues() for name in (tissue.name, *tissue.also))


def _gathered(pairs: Iterable[tuple[str, str]]) -> Meanings:
    found: dict[tuple[str, ...], set[str]] = {}
    for name, term in pairs:
        found.setdefault(words_of(name), set()).add(term)
    return {words: tuple(sorted(terms)) for words, terms in found.items() if words}
