"""Names of types of cell, however they are spelled, in a form in which names of the same type are alike."""

from __future__ import annotations

import re
import unicodedata

LONG = {
    "act": "activated",
    "astro": "astrocyte",
    "astroglia": "astrocyte",
    "baso": "basophil",
    "dc": "dendritic",
    "dim": "low",
    "dividing": "cycling",
    "eff": "effector",
    "endothelium": "endothelial",
    "eos": "eosinophil",
    "epithelium": "epithelial",
    "exc": "excitatory",
    "fibro": "fibroblast",
    "glia": "glial",
    "hi": "high",
    "i": "1",
    "ii": "2",
    "iii": "3",
    "inh": "inhibitory",
    "int": "intermediate",
    "lo": "low",
    "mac": "macrophage",
    "macro": "macrophage",
    "mem": "memory",
    "microglia": "microglial",
    "mono": "monocyte",
    "neg": "negative",
    "neurone": "neuron",
    "neuronal": "neuron",
    "neutro": "neutrophil",
    "nk": "natural killer",
    "nkt": "natural killer t",
    "oligo": "oligodendrocyte",
    "pos": "positive",
    "prolif": "cycling",
    "proliferating": "cycling",
    "smc": "smooth muscle",
    "spermatogonia": "spermatogonium",
    "tcm": "central memory t",
    "tem": "effector memory t",
    "treg": "regulatory t",
}
"""Words that mean the same as others wherever they stand."""

GREEK = {
    ord(letter): f" {word} "
    for letter, word in {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "φ": "phi"}.items()
}

AMERICAN = {"haem": "hem", "oesoph": "esoph", "foet": "fet", "tumour": "tumor", "leuco": "leuko"}

PARTS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=\d)(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where words begin that are written without a space."""

MARKED = r"\b(cd\d+[a-c]?)(dim|bright|high|hi|low|lo|int|pos|neg|t|nk)\b"
"""A marker and what follows it without a space, as in ``cd56bright``."""


def words_of(text: str) -> tuple[str, ...]:
    """Give the words of a name, each once, sorted.

    Hyphens, plurals, accents, "cell" and the "+" of a marker are gone; numbers and "low", "high" and "negative" are one
    word with what they belong to; Greek letters and short words are spelled out.

    Examples
    --------
    >>> words_of("CD8+ memory T-cells"), words_of("γδ T"), words_of("CD14dim Monocytes")
    (('cd8', 'memory', 't'), ('delta', 'gamma', 't'), ('cd14low', 'monocyte'))
    """
    text = _with_signs_as_words(_plain(text))
    text = re.sub(r"\b([^\W_]+?)[ _-]?cells?\b", r"\1 cell", re.sub(MARKED, r"\1 \2", text))
    text = " ".join(_in_full(word) for word in re.findall(r"[^\W_]+", text))
    text = re.sub(r"\bnatural killer t\b", "nkt", text).replace("double positive", "doublepositive")
    text = re.sub(r"\b(pre|pro|non) ", r"\1", re.sub(r" (\d+|low|high|bright|negative)\b", r"\1", text))
    return tuple(sorted(set(text.split()) - {"cell", "positive"}))


def spelling_of(text: str) -> str:
    """Give a name without hyphens, capitals and plurals: what is left is the name itself, spelled as it is.

    Examples
    --------
    >>> spelling_of("CD14-positive_Monocytes")
    'cd14 positive monocyte'
    """
    return " ".join(map(singular, re.findall(r"[^\W_]+|\+", text.lower())))


def parted(text: str) -> str:
    """Put spaces between words that are told apart by capitals and numbers only.

    Examples
    --------
    >>> parted("NaiveBCell"), parted("CD8T"), parted("pDC")
    ('Naive B Cell', 'CD8 T', 'p DC')
    """
    return PARTS.sub(" ", text)


def _plain(text: str) -> str:
    """Give a text in small letters without accents, in American spelling."""
    text = unicodedata.normalize("NFKD", text.lower()).translate(GREEK).replace("'s", "")
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    for there, here in AMERICAN.items():
        text = text.replace(there, here)
    return text


def _with_signs_as_words(text: str) -> str:
    """Spell out "+" and "-" behind a marker, and what stands between two types: "T/NK" is no natural killer T cell."""
    text = re.sub(r"\b(t|b|nk|dc|mono) *\+", r"\1 and ", re.sub(r"\++/?", "+", text))
    text = re.sub(r"(?<=\d)[-\u2212](?=$|[\s,;)])", " negative ", text.replace("+", " positive "))
    return re.sub(r"[&|/]", " and ", text)


def _in_full(word: str) -> str:
    one = singular(word)
    return LONG.get(word) or LONG.get(one, one)


def singular(word: str) -> str:
    """Give a word in small letters without the ending of its plural.

    Examples
    --------
    >>> singular("monocytes"), singular("biopsies"), singular("plus")
    ('monocyte', 'biopsy', 'plus')
    """
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
