"""Text that a spreadsheet would run as a formula, and how tables that people open there keep it from that.

It begins with one of ``=``, ``+``, ``-``, ``@``, in any width, perhaps behind spaces or quotes; or with a tab or the
end of a line.
"""

from __future__ import annotations

import unicodedata

MARK = "'"
"""What stands before text that is no formula; a spreadsheet shows the text."""
_SIGNS = frozenset("=+-@\N{MINUS SIGN}")
_ENDS = ("\t", "\r", "\n")
_QUOTES = frozenset("\"'`")
_UNSEEN = frozenset({"Cc", "Cf", "Pi", "Pf"})
"""Categories of characters that programs pass over: controls, marks without width, typographic quotes."""


def guard(word: str) -> str:
    r"""Give a text as no spreadsheet takes it for a formula.

    Examples
    --------
    >>> guard("=cmd()"), guard('"＝cmd()'), guard("B cell")
    ("'=cmd()", '\'"＝cmd()', 'B cell')
    """
    return MARK + word if is_formula(word) else word


def unguard(word: str) -> str:
    """Give a text as it was before `guard`.

    Examples
    --------
    >>> unguard("'=cmd()"), unguard("'quoted'")
    ('=cmd()', "'quoted'")
    """
    return word[1:] if word.startswith(MARK) and is_formula(word[1:]) else word


def is_formula(word: str) -> bool:
    """Whether a spreadsheet might run a text; not if it has its mark already."""
    if word[:1].isalnum() or word.startswith(MARK):
        return False
    if word.startswith(_ENDS):
        return True
    for character in word:
        plain = unicodedata.normalize("NFKC", character)[:1]  # full-width signs are signs too
        if not (plain.isspace() or plain in _QUOTES or unicodedata.category(character) in _UNSEEN):
            return plain in _SIGNS
    return False
