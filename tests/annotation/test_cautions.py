"""What is said of a sample before its answers are trusted: nothing of a plain one."""

from __future__ import annotations

from dataclasses import replace

import anndata
import numpy as np
import pytest
from scipy import sparse
from tests.conftest import tiny_adata

import spoticell
from spoticell.annotation import cautions as module
from spoticell.annotation.cautions import FEWEST
from spoticell.annotation.groups import Group, Grouping, Groups
from spoticell.annotation.outputs import stale_columns
from spoticell.biology.programs import PROGRAMS
from spoticell.report.page import render


@pytest.fixture(scope="module")
def plain(tiny_bundle):
    return spoticell.annotate(tiny_adata(per_type=30), model=tiny_bundle)


@pytest.fixture(autouse=True)
def _whole(monkeypatch):
    """Take the tiny model's genes for many."""
    monkeypatch.setattr(module, "SMALL_PANEL", 0)


def said(annotation, **changes):
    return [caution.text for caution in module.cautions(replace(annotation, **changes))]


def showing(annotation, cells, p=0):
    programs_np = np.zeros((len(annotation.answer_n), len(PROGRAMS)), dtype=bool)
    programs_np[cells, p] = True
    return programs_np


def test_of_a_plain_sample_nothing_is_said(plain):
    assert plain.programs_np.shape == (len(plain.answer_n), 2)
    assert said(plain) == said(plain, programs_np=None) == []


def test_a_programme_that_many_cells_of_a_type_show_is_told_with_its_types(plain):
    types, cells = np.unique(plain.answer_n[plain.answer_n >= 0], return_counts=True)
    common = types[cells >= FEWEST]
    own = np.flatnonzero(plain.answer_n == common[0])
    (text,) = said(plain, programs_np=showing(plain, own[:FEWEST]))
    assert text.startswith(f"{FEWEST} cells show the interferon programme strongly, mostly ")
    assert plain.short_names[common[0]] in text
    assert "controls" in text
    assert "A threshold of 0.7 gives coarser answers" in text
    (text,) = said(plain, programs_np=showing(plain, own, p=1))
    assert "heat shock" in text
    assert "threshold" not in text
    assert said(plain, programs_np=showing(plain, own[: FEWEST - 1])) == []


def test_a_higher_threshold_is_not_recommended_to_those_who_have_one(plain):
    own = np.flatnonzero(plain.answer_n == np.bincount(plain.answer_n[plain.answer_n >= 0]).argmax())
    (text,) = said(plain, threshold=0.7, programs_np=showing(plain, own))
    assert "interferon" in text
    assert "threshold" not in text


def test_the_cells_that_a_caution_counts_are_in_a_column(plain):
    common = np.bincount(plain.answer_n[plain.answer_n >= 0]).argmax()
    own, other = np.flatnonzero(plain.answer_n == common), np.flatnonzero(plain.answer_n != common)[0]
    shown_np = showing(plain, [*own, other])
    changed = replace(plain, programs_np=shown_np)
    (text,) = said(changed)
    assert f"{len(own) + 1} cells show" in text
    assert "'interferon response' in the column spoticell_state" in text
    state_n = changed.obs["spoticell_state"]
    assert (state_n == "interferon response").tolist() == shown_np[:, 0].tolist()
    assert state_n.isna().sum() == len(state_n) - len(own) - 1


def test_a_cell_may_be_in_two_states(plain):
    common = np.bincount(plain.answer_n[plain.answer_n >= 0]).argmax()
    own = np.flatnonzero(plain.answer_n == common)
    shown_np = showing(plain, own) | showing(plain, own[1:], p=1)
    state_n = replace(plain, programs_np=shown_np).obs["spoticell_state"]
    assert state_n.iloc[own[:2]].tolist() == ["interferon response", "interferon response and heat shock"]


def test_without_a_caution_there_is_no_column_and_an_earlier_one_goes(plain, tiny_bundle):
    few = replace(plain, programs_np=showing(plain, [0]))
    assert "spoticell_state" not in few.obs
    assert "spoticell_state" in stale_columns(few)
    cells = tiny_adata(per_type=2)
    cells.obs["spoticell_state"] = "interferon response"
    spoticell.annotate(cells, model=tiny_bundle)
    assert "spoticell_state" not in cells.obs


def test_a_programme_in_few_cells_of_a_large_type_is_not_told(plain):
    everyone = np.full(len(plain.answer_n), plain.answer_n.max())
    assert len(everyone) > 5 * FEWEST
    assert said(plain, answer_n=everyone, programs_np=showing(plain, range(FEWEST))) == []


def test_a_small_panel_is_told(plain, monkeypatch):
    monkeypatch.setattr(module, "SMALL_PANEL", 10**6)
    (text,) = said(plain)
    assert "too few to tell fine types apart" in text


def groups(annotation, *novel):
    none = {"term": "unknown", "cell_type": "unknown", "share": 0, "score": 0, "second_term": "unknown"}
    none |= {"second_cell_type": "unknown", "second_probability": 0, "genes": (), "studies": ()}
    made = tuple(Group(name=str(at), cells=10, novel=is_novel, **none) for at, is_novel in enumerate(novel))
    return Groups(Grouping("g", np.zeros(len(annotation.answer_n), dtype=np.intp), ("0",)), made)


def test_groups_that_are_unlike_all_types_are_told(plain):
    (text,) = said(plain, groups=groups(plain, True, False, None))
    assert text == "The group '0' (10 cells) is unlike all types that the model knows. No name was given."
    (text,) = said(plain, groups=groups(plain, *5 * [True]))
    assert text.startswith("The groups '0', '1', '2' and 2 others (50 cells) are unlike")


def test_many_strange_cells_are_told_where_no_groups_were_asked_for(plain):
    n = len(plain.answer_n)
    few_n, many_n = np.arange(n) < FEWEST - 1, np.arange(n) < max(FEWEST, 0.05 * n)
    assert said(plain, doubted_n=few_n) == []
    (text,) = said(plain, doubted_n=many_n)
    assert text.startswith(f"{many_n.sum()} of {n} cells are unlike all types")
    assert said(plain, doubted_n=many_n, groups=groups(plain, False)) == []


def test_it_stands_in_the_h5ad_and_on_the_report(tiny_bundle, monkeypatch):
    monkeypatch.setattr(module, "SMALL_PANEL", 10**6)
    annotation = spoticell.annotate(tiny_adata(per_type=10), model=tiny_bundle)
    assert [caution.kind for caution in annotation.cautions] == ["panel"]
    text = annotation.cautions[0].text
    assert annotation.adata.uns["spoticell"]["cautions"] == [text]
    assert text in render(annotation, examples=annotation.examples, command="")


def test_interferon_shows_itself_in_the_counts():
    """Half of the cells get what interferon switches on."""
    rng, bundle = np.random.default_rng(0), spoticell.load_bundle("human-v1")
    symbols = bundle.vocabulary.symbols
    place = [g for g, symbol in enumerate(symbols) if g % 3 == 0 or symbol in PROGRAMS[0].genes]
    rate_g = rng.gamma(0.3, size=len(place)) * [symbols[g] not in PROGRAMS[0].genes for g in place]
    counts = rng.poisson(rate_g, size=(80, len(place)))
    counts[:40, [at for at, g in enumerate(place) if symbols[g] in PROGRAMS[0].genes]] += rng.poisson(9, size=(40, 17))
    cells = anndata.AnnData(sparse.csr_matrix(counts.astype(np.float32)))
    cells.var_names = [symbols[g] for g in place]
    annotation = spoticell.annotate(cells, model=bundle)
    assert annotation.programs_np[:, 0].tolist() == [True] * 40 + [False] * 40
    assert not annotation.programs_np[:, 1].any()
