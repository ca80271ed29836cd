"""A page with all that can be on one, word by word: no change of it goes unseen."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spoticell.annotation.evidence import RULE, Ballot
from spoticell.annotation.matches import Matches
from spoticell.api import annotate
from spoticell.index.background import Background
from spoticell.report.page import render
from spoticell.version import __version__

GOLDEN = Path(__file__).with_name("golden.html")
NAME = "a <b> & 'c' \"d\" \u202ee"


def matches_of(terms_n: np.ndarray) -> Matches:
    """Give each cell two references of its type, but every fifth cell two of another type and far away."""
    terms = sorted(set(terms_n) - {"unknown"})
    groups = pd.DataFrame({"term": [*terms, *terms, "?"], "cell_type": NAME, "dataset": ""})
    groups["study"] = ["one"] * len(terms) + ["two"] * len(terms) + [NAME]
    background = Background(unit="study", units=2, cells=9, nearest=np.linspace(0.6, 1, 200).tolist(), stranger=[0.1])
    far_n = np.arange(len(terms_n)) % 5 == 4
    type_n = np.array([terms.index(term) if term in terms else -1 for term in terms_n])
    first_n = np.where(far_n, (type_n + 1) % len(terms), type_n)
    second_n = np.where(far_n, 2 * len(terms), type_n + len(terms))
    group_nk = np.where(type_n[:, None] < 0, -1, np.stack([first_n, second_n], axis=1))
    similarity_nk = np.where(far_n, 0.55, 0.95)[:, None] - [0, 0.01]
    ballot = Ballot(groups, background)
    evidence = ballot.tally(group_nk, similarity_nk, RULE)
    return Matches("tiny-index", "1" * 64, 2700, groups, ballot, RULE, evidence)


@pytest.fixture
def annotation(tiny_h5ad, tiny_bundle, tmp_path):
    """The tiny cells, with a hostile name; what another release of a library could compute otherwise is set."""
    made = annotate(
        tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle, deny=["natural killer cell"], each_cell_alone=True
    )
    place_s = np.linspace(0.1, 0.9, len(made.sample_s))
    score_n = np.where(made.answer_n < 0, 0, np.linspace(0.5, 1, len(made.answer_n)))
    findings = replace(made.findings, source=NAME, matrix=NAME, warnings=(NAME,), tried=((NAME, "no counts"),))
    return replace(
        made,
        bundle=replace(made.bundle, sha256="0" * 64),
        findings=findings,
        score_n=score_n.astype(np.float32),
        examples=tuple(replace(example, name=NAME, score=0.99) for example in made.examples),
        position_s2=np.stack([place_s, place_s**2], axis=1),
        matches=matches_of(made.terms_n),
    )


def in_lines(page: str) -> str:
    """Give a page with a line an element, and without the style sheet, packed pictures and our version."""
    page = re.sub(r"<style>.*?</style>", "<style></style>", page, flags=re.DOTALL)
    page = re.sub(r'base64,[^"]*', "base64,", page).replace(__version__, "0")
    return page.replace("><", ">\n<")


def test_the_page_is_the_one_that_was_read_and_kept(annotation, tmp_path):
    page = in_lines(render(annotation, examples=annotation.examples, command=f"spoticell annotate {NAME}"))
    (tmp_path / "golden.html").write_text(page, encoding="utf-8")
    assert page == GOLDEN.read_text(encoding="utf-8"), f"if that is meant, keep {tmp_path / 'golden.html'}"
