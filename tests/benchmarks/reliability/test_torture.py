"""Cells get the labels of their plain counts in whatever form they come, or are told of it; a part of the benchmark."""

import itertools
import warnings
from dataclasses import replace

import numpy as np
import pytest
from benchmarks.reliability.formats import FORMATS
from benchmarks.reliability.forms import FORMS, Back
from benchmarks.reliability.names import NAMES
from benchmarks.reliability.torture import GOALS, SETS, Case, Outcome, answering, outcomes, pairwise, read_cells

from spoticell.model.bundle import load_bundle

SET = "cosmx_nsclc (960 genes)"
"""The fewest values, so the quickest."""


def test_every_two_of_sets_forms_names_and_formats_meet():
    cases = pairwise()
    parts = {"cells": SETS, "form": FORMS, "names": NAMES, "format": FORMATS}
    for a, b in itertools.combinations(parts, 2):
        met = {(getattr(case, a), getattr(case, b)) for case in cases}
        assert len(met) == len(parts[a]) * len(parts[b]), (a, b)


def test_a_wrong_answer_is_silent_unless_more_is_said_than_that_counts_were_worked_back():
    case = Case(SET, "counts", "symbols", "zarr")
    worked_back = Outcome(case, 0.5, "", ("the values are logarithms; counts were worked back from it.",))
    assert worked_back.wrong_and_silent
    assert not replace(worked_back, notes=("the values are ranks",)).wrong_and_silent
    assert not replace(worked_back, share=0.0, refused="the values are ranks").wrong_and_silent
    assert not replace(worked_back, share=0.95).wrong_and_silent


@pytest.mark.real
@pytest.mark.slow
def test_each_form_of_values_gives_the_plain_labels_or_says_why_not(data_folder):
    names, formats = list(NAMES), list(FORMATS)
    cases = [Case(SET, form, names[k % len(names)], formats[k % len(formats)]) for k, form in enumerate(FORMS)]
    plain = read_cells(data_folder / f"{SETS[SET]}.h5ad", 200)
    with warnings.catch_warnings(action="ignore"):
        found = list(outcomes(plain, cases, answering(load_bundle("human-v1"))))
    assert [one for one in found if one.wrong_and_silent] == []
    assert [one for one in found if one.case.back is Back.NOT and one.missed] == []
    back = [one for one in found if one.case.back is not Back.NOT]
    assert [one for one in back if one.share < GOALS[Back.NEARLY] and not one.said] == []
    assert np.mean([one.share for one in found if one.case.back is Back.EXACTLY]) > 0.995
