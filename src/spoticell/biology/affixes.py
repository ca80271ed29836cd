"""Affixes: what tools put around the names of genes, told from the names themselves.

A reference, a modality or a species may stand before or behind every name (``GRCh38_CD3E``, ``CD3E_HUMAN``), and
several words may be joined into one (``CD3E|916``, ``b'CD3E'``).  What nearly all names share, and without which they
are genes, is no part of the gene's own name.  What speaks of another species or of antibodies stays where it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product

import numpy as np

from spoticell.biology.features import GENE, kind_of
from spoticell.biology.species import FOREIGN_ID, affix_species
from spoticell.biology.vocabulary import Vocabulary

HUMAN_ID = re.compile(r"(?<![A-Z0-9])ENSG[R\d]\d{10}(?!\d)", re.IGNORECASE)

_SAMPLE = 500
"""Names that are looked at."""
_FEWEST = 20
"""Of fewer names nothing is shared but by chance."""
_NEARLY_ALL = 0.9
_GROUP = 0.2
"""Smallest share of names with an affix, of a list that joins several species or modalities."""
_ENOUGH = 0.1
"""Smallest share of names that must be genes once they are read."""
_BETTER = 1.02
"""How many more genes a less simple reading must give."""
_REPEATED = 0.02
"""Largest share of names whose part may be another's too, if an affix would do."""
_LONGEST = 100

_STRONG = re.compile(r"[^A-Za-z0-9.-]+|[.-]{0,4}(?<![A-Za-z0-9])(ENSG\d{11})(?:\.\d+)?(?![A-Za-z0-9])[.-]*")
"""What no symbol holds, so words end there, and whole ids; dashes and dots are parts of symbols."""
_RUNS = {"-": re.compile("-+"), ".": re.compile(r"\.+")}
_HEAD = re.compile(r"[^\W_]*[\W_]+")
_JOINT = re.compile(r"[\W_]+")

Slice = tuple[int, int | None]
"""Where a name's parts begin and end, as in Python."""


@dataclass(frozen=True)
class Reading:
    """How to get from a name as a list has it to the gene's own name.

    Examples
    --------
    >>> Reading(prefix="GEX_").words("GEX_CD3E"), Reading(place=(0, 1)).words("CD3E|916")
    (('CD3E',), ('CD3E',))
    """

    prefix: str = ""
    suffix: str = ""
    or_else: tuple[str, ...] = ()
    """Other suffixes, where the list has its genes more than twice: spliced, unspliced (``-U``), ambiguous (``-A``)."""
    delimiter: str = ""
    """What parts are joined by; anything that no symbol holds if it is empty."""
    place: Slice | None = None
    """Which of the parts name the gene."""
    others: tuple[Slice, ...] = ()
    """Which parts serve where the gene's isn't known: they name the same gene wherever both are."""
    shared: tuple[str, ...] = field(default=(), compare=False)
    """All that many names begin or end with, taken off or not."""

    @property
    def takes_off(self) -> bool:
        """Whether names are read otherwise than they stand."""
        return bool(self.prefix or self.suffix or self.place)

    def words(self, name: str) -> tuple[str, ...]:
        """Give the gene's own name; nothing if a name isn't built as the others are."""
        if self.place:
            return _part(name, self.delimiter, self.place)
        if not name.startswith(self.prefix):
            return ()
        suffix = next((end for end in (self.suffix, *self.or_else) if name.endswith(end)), None)
        word = name if suffix is None else name[len(self.prefix) : len(name) - len(suffix)]
        return (word,) if word and word != name else ()

    def beside(self, name: str) -> tuple[str, ...]:
        """Give what stands beside the gene's own name and may name it too."""
        return tuple(word for place in self.others for word in _part(name, self.delimiter, place))

    def bare(self, name: str) -> str:
        """Give a name without the first affix of many that it carries."""
        for affix in self.shared:
            if len(name) > len(affix) and (name.startswith(affix) or name.endswith(affix)):
                return name.removeprefix(affix).removesuffix(affix)
        return name

    def note(self, column: str, names: Sequence[str]) -> str:
        """Say in one sentence what was taken off."""
        carry = [name for name in names if self.words(name)]
        share = f"all {len(carry):,}" if len(carry) == len(names) else f"{len(carry):,} of {len(names):,}"
        if self.place:
            example, word = carry[0], *self.words(carry[0])
            return f"{share} names in {column!r} hold more than the gene: {example[:60]!r} is read as {word[:30]!r}."
        parts = [("prefix", self.prefix), ("suffix", self.suffix)]
        what = " and ".join(f"the {part} {affix!r}" for part, affix in parts if affix)
        what += "".join(f" or {suffix!r}" for suffix in self.or_else)
        return f"{share} names in {column!r} carry {what}, which {'were' if ' and ' in what else 'was'} taken off."


PLAIN = Reading()
"""Names are read as they stand."""


def find_reading(names: Sequence[str], vocabulary: Vocabulary) -> Reading:
    """Find how a list of names has to be read to name genes.

    Parameters
    ----------
    names
        Distinct names, in the order of the list.
    vocabulary
        The human genes.

    Returns
    -------
    `PLAIN`, but for what is shared, where names are genes as they stand, or aren't whatever is taken off.

    Examples
    --------
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> genes = load_vocabulary()
    >>> find_reading([f"GEX_{symbol}" for symbol in genes.symbols[:99]], genes).prefix
    'GEX_'
    """
    if len(names) < _FEWEST:
        return PLAIN
    sample = [names[at] for at in np.random.default_rng(0).permutation(len(names))[:_SAMPLE]]
    prefixes, suffixes = _shared(sample), [affix[::-1] for affix in _shared([name[::-1] for name in sample])]
    joints = [affix for affix in (*prefixes, *suffixes) if _JOINT.match(affix[0]) or _JOINT.match(affix[-1])]
    shared = tuple(sorted(dict.fromkeys(joints), key=len, reverse=True))
    if (again := _again(names, prefixes, suffixes, vocabulary)) is not PLAIN:
        return replace(again, shared=shared)
    as_they_stand = gene_share(sample, vocabulary)
    if 3 * as_they_stand >= 1:
        return replace(PLAIN, others=_others(PLAIN, sample, vocabulary), shared=shared)
    least = max(_ENOUGH, 3 * as_they_stand)
    best, share = _best(_affixes(prefixes, suffixes), sample, vocabulary, least=least)
    if all(map(_may_go, shared)):
        part, _ = _best(_parts(sample), sample, vocabulary, least=max(least, share * _BETTER))
        # antibodies and genes of the same names (ADT_CD4, GEX_CD4) must stay apart
        if part is not PLAIN and (best is PLAIN or _repeats(part, names) <= _REPEATED):
            best = part
    return replace(best, others=_others(best, sample, vocabulary), shared=shared)


def _again(names: Sequence[str], prefixes: list[str], suffixes: list[str], vocabulary: Vocabulary) -> Reading:
    """Find the affixes of names that are in the list without them too, as where two annotations were joined."""
    readings = (*map(Reading, filter(_may_go, prefixes)), *(Reading(suffix=end) for end in suffixes if _may_go(end)))
    there, found = set(names), list[Reading]()
    for reading in readings:
        for some in (names[:_SAMPLE], names[-_SAMPLE:], names):
            words = [word for name in some for word in reading.words(name)]
            # a few such as HLA-A may end so by themselves; numbers are told name by name
            few = some is not names and len(words) < _FEWEST and not reading.suffix[-1:].isdigit()
            if not few and sum(word in there for word in words) < _NEARLY_ALL * len(words):
                break
        else:
            if len(words) >= _GROUP * len(names) and gene_share(words, vocabulary) >= _ENOUGH:
                found.append(reading)
    if not found:
        return PLAIN
    return replace(found[0], or_else=tuple(other.suffix for other in found[1:] if found[0].suffix and other.suffix))


def _best(
    readings: Iterable[Reading], sample: Sequence[str], vocabulary: Vocabulary, *, least: float
) -> tuple[Reading, float]:
    """Give the reading that leads to most genes, the first of those that are as good, and the share of genes."""
    best, share = PLAIN, least
    for reading in readings:
        words = [word for name in sample for word in reading.words(name)]
        if len(words) > share * len(sample) and (found := gene_share(words, vocabulary, of=len(sample))) > share:
            best, share = reading, found * _BETTER
    return best, share / _BETTER


def _repeats(reading: Reading, names: Sequence[str]) -> float:
    """Share of names that are read as another one is, too."""
    words = [word for name in names for word in reading.words(name)]
    return 1 - len(set(words)) / max(len(words), 1)


def gene_share(names: Sequence[str], vocabulary: Vocabulary, *, of: int | None = None) -> float:
    """Share of names that are distinct genes, in [0, 1]; those of another species or in other case count for little."""
    worth = {name: _worth(name, vocabulary) for name in names}
    return sum(worth.values()) / (of or max(len(names), 1))


def _worth(name: str, vocabulary: Vocabulary) -> float:
    if name in vocabulary.exact or HUMAN_ID.search(name):
        return 1
    return 0.3 if name.upper() in vocabulary.exact or FOREIGN_ID.search(name) else 0


def _may_go(affix: str) -> bool:
    """Whether names without an affix can be human genes: it speaks of no other species and no antibodies."""
    return affix_species(affix) in {None, "human"} and kind_of(affix) in {None, GENE}


def _affixes(prefixes: list[str], suffixes: list[str]) -> Iterator[Reading]:
    """Give readings without a prefix, a suffix or both; those that say otherwise stay on."""
    for prefix, suffix in product(["", *filter(_may_go, prefixes)], ["", *filter(_may_go, suffixes)]):
        if prefix or suffix:
            yield Reading(prefix, suffix)


def _parts(sample: Sequence[str]) -> Iterator[Reading]:
    """Give readings of one part of names that nearly all have several."""
    for delimiter in ("", *_RUNS):
        lengths = [len(_split(name, delimiter)) for name in sample if _split(name, delimiter) != (name,)]
        if len(lengths) >= _NEARLY_ALL * len(sample):
            places = _single(max(lengths)) if delimiter == "" else _inner(max(lengths))
            yield from (Reading(delimiter=delimiter, place=place) for place in places)


def _single(length: int) -> Iterable[Slice]:
    """Places of one part, counted from the front and from the back."""
    places = range(min(length, 10))
    return [*((place, place + 1) for place in places), *((-place - 1, -place or None) for place in places)]


def _inner(length: int) -> Iterable[Slice]:
    """Places of what is left when parts are cut off in front or behind."""
    cuts = range(min(length, 6))
    return [(front, -behind or None) for front, behind in product(cuts, cuts) if front or behind]


@lru_cache(maxsize=2 * _SAMPLE)
def _split(name: str, delimiter: str) -> tuple[str, ...]:
    """Parts of a name; at all that no symbol holds if no delimiter is given."""
    return tuple(_RUNS[delimiter].split(name)) if delimiter else tuple(part for part in _STRONG.split(name) if part)


def _part(name: str, delimiter: str, place: Slice) -> tuple[str, ...]:
    word = delimiter.join(_split(name, delimiter)[slice(*place)])
    return (word,) if word and word != name else ()


def _others(reading: Reading, sample: Sequence[str], vocabulary: Vocabulary) -> tuple[Slice, ...]:
    """Find the parts that are symbols of the same gene wherever a name and its part both name one."""
    longest = max(len(_split(name, "")) for name in sample)
    if longest == 1 or reading.prefix or reading.suffix or reading.delimiter:
        return ()
    names = [_place(next(iter(reading.words(name)), name) if reading.place else name, vocabulary) for name in sample]
    places = list[Slice]()
    for place in _single(longest):
        parts = [next(iter(_part(name, "", place)), "") for name in sample]
        pairs = (
            (one, _place(part, vocabulary)) for one, part in zip(names, parts, strict=True) if not HUMAN_ID.match(part)
        )
        both = [one == other for one, other in pairs if one is not None and other is not None]
        if place != reading.place and len(both) >= _FEWEST and sum(both) >= _NEARLY_ALL * len(both):
            places.append(place)
    return tuple(places)


def _place(word: str, vocabulary: Vocabulary) -> int | None:
    """Position of the gene that a word names or holds the id of."""
    gene_id = HUMAN_ID.search(word)
    places = vocabulary.aliases.get(word, ())
    known = vocabulary.exact.get(gene_id[0] if gene_id else word)
    return places[0] if known is None and len(places) == 1 else known


def _shared(names: Sequence[str]) -> list[str]:
    """Give what many names begin with, up to a delimiter where there is one."""
    heads = Counter(head[0] for name in names if (head := _HEAD.match(name)))
    often = [head for head, count in heads.most_common(3) if count >= _GROUP * len(names)]
    found = dict[str, None]()
    for group in [[name for name in names if name.startswith(head)] for head in often] or [list(names)]:
        common = _common(group)
        cuts = {joint.end() for joint in _JOINT.finditer(common)} or set(range(1, len(common)))
        found |= dict.fromkeys(common[:cut] for cut in sorted({*cuts, len(common)}) if cut)
    return list(found)


def _common(names: Sequence[str]) -> str:
    """Give the longest beginning of nearly all names."""
    kept, length = list(names), 0
    while length < _LONGEST:
        char, count = Counter(name[length : length + 1] for name in kept).most_common(1)[0]
        if not char or count < _NEARLY_ALL * len(names):
            break
        length += 1
        kept = [name for name in kept if name[length - 1 : length] == char]
    return kept[0][:length]
