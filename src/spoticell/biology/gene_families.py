"""Families of genes that are told by their symbols, as HGNC gives them.

Only genes of the vocabulary are meant, which are protein-coding, or segments of immunoglobulins and T-cell receptors:
elsewhere a pattern may fit pseudogenes too.
"""

from __future__ import annotations

import re

from spoticell.biology.group_genes import RIBOSOMAL

FAMILIES = {
    "ribosomal": RIBOSOMAL,
    "mitochondrial": re.compile(r"MT-.+"),
    "HLA": re.compile(r"HLA-.+"),
    "immunoglobulin": re.compile(r"IG(?:[HKL][VJ]\d.*|HD(?:\d.*)?|H[AEGM]\d?|KC|LC\d|LL\d)"),
    "T-cell receptor": re.compile(r"TR[ABGD][VDJC](?:\d.*|P\d?)?"),
    "chemokine": re.compile(r"(?:C|CC|CXC|CX3C)L\d.*"),
    "haemoglobin": re.compile(r"HB[ABDEGMQZ]\d?"),
    "histone": re.compile(r"H(?:1|2A|2B|3|4)(?:-|[CJWYXZ]).*"),
    "metallothionein": re.compile(r"MT[1-4][A-Z]{0,2}\d?"),
    "keratin": re.compile(r"KRT\d.*"),
    "keratin-associated": re.compile(r"KRTAP\d.*"),
    "collagen": re.compile(r"COL\d+A\d+"),
    "olfactory receptor": re.compile(r"OR\d+[A-Z]+\d+.*"),
    "zinc finger": re.compile(r"ZNF\d+.*"),
}
"""Pattern of the whole symbol of the genes of each family."""


def family_of(symbol: str) -> str:
    """Give the family of a gene, '' if it is of none of these.

    Examples
    --------
    >>> [family_of(symbol) for symbol in ("RPL13", "HLA-DRA", "TRAC", "HBB", "KRT18", "COL1A2", "CD3E")]
    ['ribosomal', 'HLA', 'T-cell receptor', 'haemoglobin', 'keratin', 'collagen', '']
    """
    return next((name for name, pattern in FAMILIES.items() if pattern.fullmatch(symbol)), "")
