"""No text in a table that people open in a spreadsheet is run there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.io.formula import guard, is_formula, unguard

FORMULAS = [
    "=cmd()",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    '"=cmd()',
    '"+1"',
    " =1+1",
    "\N{NO-BREAK SPACE}=1",
    "\ufeff=1",
    "\N{ZERO WIDTH SPACE}@x",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH PLUS SIGN}1",
    "\N{FULLWIDTH HYPHEN-MINUS}1",
    "\N{FULLWIDTH COMMERCIAL AT}x",
    "\N{FULLWIDTH QUOTATION MARK}=1",
    "\N{LEFT DOUBLE QUOTATION MARK}=1",
    "\N{MINUS SIGN}1",
    "\0=1",
]


@pytest.mark.parametrize("word", FORMULAS, ids=ascii)
def test_a_formula_gets_a_mark_and_only_one(word):
    assert guard(word) == f"'{word}"
    assert guard(guard(word)) == guard(word)
    assert unguard(guard(word)) == word


@pytest.mark.parametrize("word", ["", "B cell", "CD4+ T", "T=B", "5'-end", "'quoted'", '"quoted"', "γδ T", "(=)", " "])
def test_other_text_stays_as_it_is(word):
    assert guard(word) == word
    assert unguard(word) == word


@given(st.text())
def test_no_text_is_a_formula_once_it_is_guarded(word):
    assert not is_formula(guard(word))
