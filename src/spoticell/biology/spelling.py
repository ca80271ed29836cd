"""Spelling: reading the gene names that data sets really carry.

Names come with versions, genome prefixes and suffixes against repeats, in lower case, with dots where R wanted
them, as dates.  A repair is made only where it leads to a known name and the name as it stands doesn't.  Case is
never changed in a list that mixes cases: that is how a mouse gene would become a human one.  What all names of a list
share is found in `spoticell.biology.affixes`.

Axes: ``v`` genes of the data set.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from spoticell.biology.affixes import HUMAN_ID, PLAIN, find_reading
from spoticell.biology.vocabulary import Vocabulary

How = Literal["exact", "repaired", "renamed", "ambiguous", "unmatched"]
Hit = tuple[int, How]
OddName = tuple[str, How, str, str]
"""A name, how it was found, and Ensembl id and symbol of the gene; of an ambiguous one those of all it may be."""
NONE: Hit = (-1, "unmatched")

LONGEST_NAME = 500
LONGEST_SYMBOL = 60
HUMAN_PREFIX = re.compile(r"\A(?:grch3[78]|hg19|hg38|b37|homo_sapiens|human)[_-]+", re.IGNORECASE)
REPEAT = re.compile(
    r"(.+?)(?:[-._:#~ ]{1,4}(?:dup(?:licated?)?|copy|rep(?:eat)?)?[-._ ]?\d{0,3}|[._][xy]| ?\(\d{1,3}\))"
)
"""What tools put behind a name that was there before: ``-1``, ``.1``, ``_2``, ``--1``, ``...7``, ``-dup``, ``.x``."""
VARIABLE_GENE = re.compile(r"IGHV\d.*-[2-9]\d?")
"""Copies of variable genes such as IGHV3-33-2 are genes of their own, no repeats."""
DATE = re.compile(r"X?(\d{1,2})[-.]([A-Za-z]{3})")
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-") | dict.fromkeys(map(ord, "\u200b\ufeff"))
AROUND = ' \t\r\n"`'


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
        self.distinct = [name for name in dict.fromkeys(self.names) if name]
        self.reading = find_reading(self.distinct, vocabulary)
        """How names are to be read, by what nearly all of them share."""
        self._plain = self.reading == PLAIN
        self.words = set(self.distinct) if self._plain else {self._read(name)[0] for name in self.distinct}
        """What names may call their genes, what they share taken off."""
        known = vocabulary.exact
        self.all_lower = known.keys().isdisjoint(self.words) and all(map(_is_lower, self.words))
        """Whether no name is known as it stands and none has a capital."""
        self.hits: dict[str, Hit] = {"": NONE} | (
            {name: (known[name], "exact") if name in known else self._repair(name) for name in self.distinct}
            if self._plain
            else {name: self._hit(self._read(name)) for name in self.distinct}
        )
        """Position in the vocabulary (-1 for none) and how it was found, of each distinct name."""
        if self.reading.others:
            self.hits |= self._found_beside()

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
        distinct = ((name, *self.hits[name]) for name in self.distinct)
        return tuple((name, how, *self._meant(name, place, how)) for name, place, how in distinct if how != "exact")

    def _meant(self, name: str, place: int, how: How) -> tuple[str, str]:
        """Give Ensembl id and symbol of a gene, or of all that an ambiguous name may mean."""
        of = self.vocabulary
        if how != "ambiguous":
            return (of.ids[place], of.symbols[place]) if place >= 0 else ("", "")
        places = {place: None for word in self._read(name) for place in of.aliases.get(word, ()) if place >= 0}
        return " or ".join(of.ids[i] for i in places), " or ".join(of.symbols[i] for i in places)

    def _read(self, name: str) -> tuple[str, ...]:
        """Give what a name may call its gene, likeliest first, itself last."""
        return (*self.reading.words(name), name) if self.reading.takes_off else (name,)

    def _hit(self, words: Sequence[str]) -> Hit:
        """Find the gene that the first of some words names; the last of them is the whole name."""
        unclear = NONE
        for word in words:
            place = self.vocabulary.exact.get(word, -1)
            hit: Hit = (place, "exact") if place >= 0 else self._repair(word)
            if hit[0] >= 0:
                return hit if word == words[-1] else _as_repaired(hit)
            unclear = hit if unclear == NONE else unclear
        return unclear

    def _found_beside(self) -> dict[str, Hit]:
        """Find genes by what stands beside a name that isn't known, unless another name is the gene's own."""
        own = {place for place, _ in self.hits.values()}
        unknown = [name for name, (place, _) in self.hits.items() if place < 0 and name]
        hits = {name: _as_repaired(self._hit(words)) for name in unknown if (words := self.reading.beside(name))}
        return {name: hit for name, hit in hits.items() if hit[0] not in own}

    def _repair(self, name: str) -> Hit:
        bare = HUMAN_PREFIX.sub("", _clean(name), count=1)
        gene_id = HUMAN_ID.search(bare)
        if gene_id is None:
            return self._repair_symbol(name, bare)
        # R stands for a 0 in the ids that old releases gave to the copies on Y
        return _as_repaired(self._look_up(gene_id[0].upper().replace("R", "0")))

    def _repair_symbol(self, name: str, bare: str) -> Hit:
        spellings = _spellings(bare.upper() if self.all_lower else bare)
        for spelling in spellings:
            if (place := self.vocabulary.exact.get(spelling, -1)) >= 0:
                return place, "repaired"
        # an alias may end like a repeat: TRAC-1 is one of NCOR2, but beside TRAC it is TRAC once more
        repeat = self._repeated(bare)
        if repeat[1] in {"exact", "repaired"}:
            return _as_repaired(repeat)
        if (place := self.vocabulary.exact.get(bare.replace("_", "-"), -1)) >= 0:
            return place, "repaired"
        for spelling in spellings:
            if spelling in self.vocabulary.aliases:
                hit = self._look_up(spelling)
                return hit if spelling == name else _as_repaired(hit)
        return _as_repaired(repeat)

    def _repeated(self, name: str) -> Hit:
        """Find the gene of a name that repeats another: tools leave the first of the repeats as it was."""
        repeat = REPEAT.fullmatch(name) if len(name) <= LONGEST_SYMBOL else None
        if repeat is None or repeat[1] not in self.words or VARIABLE_GENE.fullmatch(name):
            return NONE
        place = self.vocabulary.exact.get(repeat[1], -1)
        return (place, "exact") if place >= 0 else self._repair_symbol(repeat[1], repeat[1])

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


def _is_lower(name: str) -> bool:
    return name == name.lower()


def _clean(name: str) -> str:
    """Take off blanks and quotes; what isn't ASCII becomes what it looks like."""
    if not name.isascii():
        name = unicodedata.normalize("NFKC", name).translate(DASHES)
    name = name.strip(AROUND)
    return name.strip("'") if name.startswith("'") else name


def _spellings(name: str) -> list[str]:
    """Give a symbol as it is, then as it was before a spreadsheet or R damaged it."""
    spellings = [name]
    if name[:1].isdigit() or name[:1] == "X":
        spellings += [f"{date[1]}-{date[2].upper()}" for date in [DATE.fullmatch(name)] if date]
    if "." in name:
        spellings.append(name.replace(".", "-"))
    return spellings
