"""Short names of types of cell, as papers have them: "CD4 Tcm", "AT2", "Kupffer".

Those of the terms that the packaged model can answer stand in ``data/short_names.tsv``, which was written by hand for
this package.  Any other term has the ontology's name with what people leave out of it taken off.  No two terms of the
ontology share a short name, whatever the case, so that a plot's legend can be read alone.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from spoticell.biology.ontology import load_ontology
from spoticell.biology.wording import singular

SHORTER = (
    (re.compile(r"(?<!double)-positive,?"), "+"),
    (re.compile(r"-negative,?"), "-"),
    (re.compile(r",? (?:mature )?alpha-beta "), " "),
    (re.compile(r"\bthymus-derived "), ""),
    (re.compile(r"\bnatural killer cell\b"), "NK cell"),
    (re.compile(r", human$"), ""),
)
"""What the ontology writes out and people don't, and what they write in its place."""


def short_name(term: str) -> str:
    """Give the short name of a Cell Ontology term; anything else is given back as it is.

    Examples
    --------
    >>> short_name("CL:0000904"), short_name("CL:0002063"), short_name("unknown")
    ('CD4 Tcm', 'AT2', 'unknown')
    >>> short_name("CL:0020033")  # in no table: stem cell memory CD4-positive, alpha-beta T cell
    'stem cell memory CD4+ T cell'
    """
    return _by_term().get(term, term)


def has_short_name(term: str) -> bool:
    """Say whether the table has a short name for a term, as it has for all that the packaged model can answer.

    Examples
    --------
    >>> has_short_name("CL:0000623"), has_short_name("CL:0000825")  # natural killer cell, pro-NK cell
    (True, False)
    """
    return term in _table()


def term_of_short(text: str) -> str | None:
    """Give the term that a short name of the table is of, whatever its case and number; None if it is of none.

    Examples
    --------
    >>> term_of_short("cd4 tcm"), term_of_short("AT2 cells"), term_of_short("T")
    ('CL:0000904', 'CL:0002063', None)
    """
    spelled = _spelled(text)
    return _by_short().get(spelled) or _by_short().get(spelled.removesuffix(" cell"))


def _spelled(text: str) -> str:
    # signs stay: "CD14+CD16- mono" is another cell than "CD14+CD16+ mono"
    return " ".join(map(singular, re.split(r"[\s_]+", text.strip().lower())))


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    text = files("spoticell").joinpath("data", "short_names.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    return {row["cell_type_ontology_term_id"]: row["short_name"] for row in rows}


@lru_cache(maxsize=1)
def _by_short() -> Mapping[str, str]:
    return {_spelled(short): term for term, short in _table().items()}


@lru_cache(maxsize=1)
def _by_term() -> Mapping[str, str]:
    ontology, table = load_ontology(), _table()
    names = {term: _shortened(ontology.name(term)) for term in ontology if term not in table}
    often = Counter(name.lower() for name in (*names.values(), *table.values(), *map(ontology.name, names)))
    # counted once as itself where nothing was taken off, and once as the ontology's name
    fit = {term: often[name.lower()] == 1 + (name == ontology.name(term)) for term, name in names.items()}
    return table | {term: name if fit[term] else ontology.name(term) for term, name in names.items()}


def _shortened(name: str) -> str:
    for long, short in SHORTER:
        name = long.sub(short, name)
    return name
