"""Species: whose genes a list of names points to.

Told by the kind of Ensembl id, by words of a reference before or behind the names (``mm10_``, ``_MOUSE``), and by
the way symbols are written: ``Cd3e`` in mouse, ``cd3e`` and ``gata1a`` in zebrafish.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from spoticell.biology.vocabulary import Vocabulary

FOREIGN_ID = re.compile(r"(?<![A-Z0-9])ENS([A-Z]{3,4})G\d{11}(?!\d)", re.IGNORECASE)
_CODES = {
    "MUS": "mouse", "RNO": "rat", "DAR": "zebrafish", "MMU": "macaque", "SSC": "pig", "BTA": "cow", "CAF": "dog",
    "GAL": "chicken",
}  # fmt: skip
"""Species by the letters in their Ensembl ids; `another species` where they aren't here."""

_REFERENCES = {
    "human": "grch37 grch38 hg19 hg38 hs37d5 b37 t2t chm13 human homo hsa",
    "mouse": "mm9 mm10 mm39 grcm38 grcm39 mouse mus mmu",
    "rat": "rn5 rn6 rn7 mratbn7 rat rattus rno",
    "zebrafish": "danrer10 danrer11 grcz10 grcz11 danio danre zebrafish",
    "macaque": "mmul rhemac8 rhemac10 macaca macmu macaque",
    "pig": "susscr11 sscrofa11 sus pig",
    "cow": "bostau9 bos bovin cow",
    "dog": "canfam3 canfam4 canlf canis dog",
    "chicken": "galgal6 gallus chick chicken",
    "fruit fly": "dm3 dm6 bdgp6 drosophila drome",
}
"""Words of references, builds of genomes and suffixes of UniProt, in lower case, by species."""

_SPECIES_OF_WORD = {word: species for species, words in _REFERENCES.items() for word in words.split()}
_WORD = re.compile(r"[A-Za-z0-9]+")
_FIRST_WORD = re.compile(
    rf"(?:{'|'.join(word for word, species in _SPECIES_OF_WORD.items() if species != 'human')})(?=[\W_])", re.IGNORECASE
)


def affix_species(affix: str) -> str | None:
    """Species that words before or behind a name speak of; ``None`` if they speak of none.

    Examples
    --------
    >>> affix_species("refdata-gex-mm10-2020-A_"), affix_species("GRCh38_and_mm10_"), affix_species("GEX_")
    ('mouse', 'human', None)
    """
    found = [_SPECIES_OF_WORD.get(word.lower()) for word in _WORD.findall(affix)]
    return "human" if "human" in found else next((species for species in found if species), None)


def species_of(
    names: Collection[str],
    words: Collection[str],
    affixes: Iterable[str],
    vocabulary: Vocabulary,
    *,
    n_found: int,
) -> str:
    """Name the species that names point to: ``human`` unless there is good reason to think otherwise.

    Parameters
    ----------
    names
        Distinct names of genes, as they stand.
    words
        The same without what they share.
    affixes
        What they share.
    vocabulary
        The human genes.
    n_found
        How many of these the names lead to.

    Returns
    -------
    Also ``human and mouse``, and ``another species`` where only the kind of Ensembl id says so.

    Examples
    --------
    >>> from spoticell.biology.vocabulary import load_vocabulary
    >>> names = ["Cd3e", "Cd8a", "Ms4a1"]
    >>> species_of(names, names, [], load_vocabulary(), n_found=0)
    'mouse'
    """
    foreign = Counter(
        _CODES.get(hit[1].upper(), "another species") for name in names if (hit := FOREIGN_ID.search(name))
    )
    words_of_names = (hit[0].lower() for name in names if (hit := _FIRST_WORD.match(name)))
    # a long s matches an s, but is no letter of these words
    marked = Counter(_SPECIES_OF_WORD[word] for word in words_of_names if word in _SPECIES_OF_WORD)
    for affix in affixes:
        species = affix_species(affix)
        if species not in {None, "human"}:
            n_marked = sum(name.startswith(affix) or name.endswith(affix) for name in names)
            marked[species] = max(marked[species], n_marked)
    foreign |= marked
    foreign["mouse"] = max(foreign["mouse"], _n_mouse_symbols(words, vocabulary))
    species, count = foreign.most_common(1)[0]
    if count >= max(10, n_found / 10) and n_found >= max(10, count / 10):
        return f"human and {species}"
    if count > max(n_found, len(names) / 20):
        return species
    all_lower = all(word == word.lower() for word in words)
    return "zebrafish" if all_lower and _n_fish_symbols(words, vocabulary) > len(words) // 20 else "human"


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
