"""Spelling: reading the gene names that data sets really carry.

Names come with versions, genome prefixes and suffixes against repeats, in lower case, with dots where R wanted
them, as dates.  A repair is made only where it leads to a known name and the name as it stands doesn't.  Case is
never changed in a list that mixes cases: that is how a mouse gene would become a human one.

Axes: ``v`` genes of the data set.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.vocabulary import Vocabulary

How = Literal["exact", "repaired", "renamed", "ambiguous", "unmatched"]
Hit = tuple[int, How]
OddName = tuple[str, How, str, str]
"""A name, how it was found, and Ensembl id and symbol of the gene; of an ambiguous one those of all it may be."""
NONE: Hit = (-1, "unmatched")

LONGEST_NAME = 200
HUMAN_PREFIX = re.compile(r"(?:grch3[78]|hg19|hg38|b37|homo_sapiens|human)[_-]+", re.IGNORECASE)
MOUSE_PREFIX = re.compile(r"(?:mm9|mm10|mm39|grcm3[89]|mus_musculus|mouse)[_-]+", re.IGNORECASE)
HUMAN_ID = re.compile(r"(?<![A-Z0-9])ENSG[R\d]\d{10}(?!\d)", re.IGNORECASE)
FOREIGN_ID = re.compile(r"(?<![A-Z0-9])ENS([A-Z]{3,4})G\d{11}(?!\d)", re.IGNORECASE)
ID_AND_SYMBOL = re.compile(r"ENSG\d{11}(?:\.\d+)?[_|:; -]+(\S+)|(\S+?)[_|:; -]+ENSG\d{11}(?:\.\d+)?", re.IGNORECASE)
REPEAT_SUFFIX = re.compile(r"(.+)[-.]\d{1,3}")
DATE = re.compile(r"X?(\d{1,2})[-.]([A-Za-z]{3})")
SPECIES = {"MUS": "mouse", "RNO": "rat", "DAR": "zebrafish", "MMU": "macaque", "SSC": "pig", "BTA": "cow", "CAF": "dog"}


class NameColumn:
    """A column of gene names and the gene of the vocabulary that each leads to.

    Examples
    --------
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> column = NameColumn("index", ["ENSG00000198851.10", "CD20", None], load_vocabulary())
    >>> column.n_found, [how for _, how in map(column.hits.get, column.names)]
    (2, ['repaired', 'renamed', 'unmatched'])
    """

    def __init__(self, column: str, names: Sequence[object], vocabulary: Vocabulary) -> None:
        self.column = column
        self.names = [_text(name) for name in names]
        """Length ``v``; '' for what can't be a name."""
        self.vocabulary = vocabulary
        self.distinct = set(self.names) - {""}
        exact = vocabulary.exact
        self.hits: dict[str, Hit] = {name: (exact[name], "exact") for name in self.distinct & exact.keys()}
        """Position in the vocabulary (-1 for none) and how it was found, of each distinct name."""
        self.all_lower = not self.hits and all(name == name.lower() for name in self.distinct)
        """Whether no name is known as it stands and none has a capital."""
        self.hits |= {name: self._repair(name) for name in self.distinct - self.hits.keys()} | {"": NONE}

    @cached_property
    def target_v(self) -> NDArray[np.intp]:
        """Position in the vocabulary of each name, -1 where it has none, ``(v,)``."""
        return np.fromiter((self.hits[name][0] for name in self.names), np.intp, len(self.names))

    @cached_property
    def n_found(self) -> int:
        """Genes of the vocabulary that some name leads to."""
        return len({target for target, _ in self.hits.values()} - {-1})

    @cached_property
    def counts(self) -> Counter[How]:
        """Names, repeats included, by how they were found."""
        return Counter([self.hits[name][1] for name in self.names])

    def odd_names(self) -> tuple[OddName, ...]:
        """List the distinct names that aren't the vocabulary's own words, in the order of the column."""
        distinct = ((name, *self.hits[name]) for name in dict.fromkeys(self.names) if name)
        return tuple((name, how, *self._words(name, place)) for name, place, how in distinct if how != "exact")

    def _words(self, name: str, place: int) -> tuple[str, str]:
        """Give Ensembl id and symbol of a gene, or of all that an ambiguous name may mean."""
        places = (place,) if place >= 0 else self.vocabulary.aliases.get(name, ())
        of = self.vocabulary
        return " or ".join(of.ids[i] for i in places), " or ".join(of.symbols[i] for i in places)

    def _repair(self, name: str) -> Hit:
        bare = HUMAN_PREFIX.sub("", name.strip(), count=1)
        gene_id = HUMAN_ID.search(bare)
        if gene_id is None:
            return self._repair_symbol(name, bare)
        # R stands for a 0 in the ids that old releases gave to the copies on Y
        hit = self._look_up(gene_id[0].upper().replace("R", "0"))
        if hit == NONE and (both := ID_AND_SYMBOL.fullmatch(bare)) is not None:
            hit = self._look_up(both[1] or both[2])
        return _as_repaired(hit)

    def _repair_symbol(self, name: str, bare: str) -> Hit:
        spellings = _spellings(bare.upper() if self.all_lower else bare)
        for spelling in spellings:
            if (place := self.vocabulary.exact.get(spelling, -1)) >= 0:
                return place, "repaired"
        for spelling in spellings:
            if spelling in self.vocabulary.aliases:
                hit = self._look_up(spelling)
                return hit if spelling == name else _as_repaired(hit)
        repeat = REPEAT_SUFFIX.fullmatch(bare)
        # tools that make names unique leave the first of the repeats as it was
        if repeat is not None and repeat[1] in self.distinct and repeat[1] in self.vocabulary.exact:
            return self.vocabulary.exact[repeat[1]], "repaired"
        return NONE

    def _look_up(self, name: str) -> Hit:
        if (place := self.vocabulary.exact.get(name, -1)) >= 0:
            return place, "exact"
        places = self.vocabulary.aliases.get(name, (-1,))
        if len(places) > 1:
            return -1, "ambiguous"
        return (places[0], "renamed") if places[0] >= 0 else NONE


def _as_repaired(hit: Hit) -> Hit:
    return (hit[0], "repaired") if hit[1] == "exact" else hit


def _text(name: object) -> str:
    """Give a name as text; '' for what can't be one: missing, a number, far too long."""
    if isinstance(name, bytes):
        name = name.decode("utf-8", "replace")
    return name if isinstance(name, str) and len(name) <= LONGEST_NAME else ""


def _spellings(name: str) -> list[str]:
    """Give a symbol as it is, then as it was before a spreadsheet or R damaged it."""
    spellings = [name]
    if name[:1].isdigit() or name[:1] == "X":
        spellings += [f"{date[1]}-{date[2].upper()}" for date in [DATE.fullmatch(name)] if date]
    if "." in name:
        spellings.append(name.replace(".", "-"))
    return spellings


def species_of(column: NameColumn) -> str:
    """Name the species that a column's names point to: ``human`` unless there is good reason to think otherwise.

    The answer may be ``human and mouse``, and ``another species`` where only the kind of Ensembl id says so.
    """
    names = column.distinct
    n_mouse = sum(MOUSE_PREFIX.match(name) is not None for name in names)
    foreign = Counter(found[1].upper() for name in names if (found := FOREIGN_ID.search(name)))
    foreign["MUS"] = max(foreign["MUS"], n_mouse, _n_mouse_symbols(names, column.vocabulary))
    code, count = foreign.most_common(1)[0]
    species = SPECIES.get(code, "another species")
    if count >= max(10, column.n_found / 10) and column.n_found >= max(10, count / 10):
        return f"human and {species}"
    if count > max(column.n_found, len(names) / 20):
        return species
    fishy = column.all_lower and _n_fish_symbols(names, column.vocabulary) > len(names) // 20
    return "zebrafish" if fishy else "human"


def _n_mouse_symbols(names: Iterable[str], vocabulary: Vocabulary) -> int:
    """Count names such as Cd3e that are no human symbols as they stand but would be in capitals."""
    candidates = (name.upper() for name in names if name[:1].isupper() and not name.isupper() and name.isalnum())
    return sum(name in vocabulary.by_symbol for name in candidates)


def _n_fish_symbols(names: Iterable[str], vocabulary: Vocabulary) -> int:
    """Count names such as si:ch211-1a and gata1a: fish have two copies of many a human gene."""
    known = vocabulary.by_symbol
    return sum(
        name.startswith(("si:", "zgc:", "wu:", "im:"))
        or (name[-1] in "ab" and name[:-1].upper() in known and name.upper() not in known)
        for name in names
    )
