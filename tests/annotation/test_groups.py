from itertools import pairwise

import anndata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.annotation.groups import SURE, Grouping, GroupTally, natural, read_groups
from spoticell.annotation.result import AnnotatedBlock
from spoticell.biology.group_genes import GroupGene
from spoticell.biology.markers import markers_of
from spoticell.errors import ConfigError
from spoticell.io.in_memory import AnnDataCells

B, CD4, CD8, T, LYMPHOCYTE = "CL:0000236", "CL:0000624", "CL:0000625", "CL:0000084", "CL:0000542"


def source(**columns):
    size = len(next(iter(columns.values())))
    obs = pd.DataFrame(columns, index=[f"cell-{n}" for n in range(size)])
    return AnnDataCells(anndata.AnnData(np.ones((size, 3), dtype=np.float32), obs=obs))


def test_groups_are_in_natural_order_and_a_cell_without_a_value_is_in_none():
    found = read_groups(source(leiden=["10", "2", None, "10", "2", "b"]), "leiden")
    assert found.names == ("2", "10", "b")
    assert found.code_n.tolist() == [1, 0, -1, 1, 0, 2]


def test_categories_that_no_cell_has_are_no_groups():
    column = pd.Categorical(["b", "a", "b", "a"], categories=["z", "b", "a"])
    assert read_groups(source(kind=column), "kind").names == ("a", "b")


@pytest.mark.parametrize(
    "values", [[1, 2, 1, 2], [1.0, 2.0, 1.0, 2.0], [True, False, True, False], pd.Categorical([1, 2, 1, 2])]
)
def test_numbers_and_booleans_are_names_too(values):
    assert len(read_groups(source(kind=values), "kind").names) == 2


def test_whole_numbers_stay_whole_beside_a_gap():
    assert read_groups(source(kind=[1.0, np.nan, 12.0, 1.0]), "kind").names == ("1", "12")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"other": ["a"] * 4}, "no column 'kind' about cells; its columns are other"),
        ({"kind": ["a", "b", "c", "d"]}, "has 4 values for 4 cells; a column of groups has few"),
        ({"kind": [None] * 4}, "has no value in any cell"),
        ({"kind": [np.nan] * 4}, "has no value in any cell"),
        ({"kind": ["", " ", "", ""]}, "has no value in any cell"),
    ],
)
def test_a_column_that_holds_no_groups_is_refused_in_a_sentence(columns, message):
    with pytest.raises(ConfigError, match=message):
        read_groups(source(**columns), "kind")


def test_one_cell_may_be_a_group():
    assert read_groups(source(kind=["a"]), "kind").names == ("a",)


@given(st.lists(st.integers(0, 10**6)))
def test_numbers_in_names_go_by_their_size(numbers):
    assert sorted([f"T {n} b" for n in numbers], key=natural) == [f"T {n} b" for n in sorted(numbers)]


@given(st.lists(st.text("ab19 ²", max_size=6)))
def test_any_names_can_be_sorted(names):
    assert len(sorted(names, key=natural)) == len(names)


class Cells:
    """Makes blocks of answers of the tiny bundle."""

    def __init__(self, bundle):
        self.bundle, self.start = bundle, 0

    def __call__(self, *cells, counts=100.0, margin=None):
        """Give a block: of each cell its answer, and the probabilities of some labels."""
        place = {node: m for m, node in enumerate(self.bundle.nodes)}
        labels, reach = self.bundle.manifest.labels, self.bundle.label_weights
        weight_nc = np.float32([[chances.get(label, 0) for label in labels] for _, chances in cells])
        n, start = len(cells), self.start
        self.start += n
        empty_n = np.zeros(n, dtype=np.float32)
        return AnnotatedBlock(
            start=start,
            answer_n=np.array([place.get(answer, -1) for answer, _ in cells], dtype=np.intp),
            score_n=empty_n,
            doubted_n=empty_n.astype(bool),
            second_n=np.full(n, -1, dtype=np.intp),
            second_probability_n=empty_n,
            fingerprint_nd=np.zeros((n, 8), dtype=np.float32),
            probabilities_nm=reach.summed(weight_nc),
            n_counts_n=np.full(n, counts, dtype=np.float32),
            n_genes_n=np.full(n, 10, dtype=np.int32),
            margin_n=None if margin is None else np.full(n, margin, dtype=np.float32),
        )


@pytest.fixture
def cells(tiny_bundle):
    return Cells(tiny_bundle)


def tallied(bundle, code_n, names, *blocks, **asked):
    tally = GroupTally(Grouping("kind", np.array(code_n), tuple(names)), bundle)
    for block in blocks:
        tally.add(block)
    return tally.finish(**asked)


def only(bundle, *blocks, **asked):
    """Give the one group that all cells are in."""
    return tallied(bundle, [0] * sum(map(len, blocks)), ["a"], *blocks, **asked).groups[0]


def test_a_group_is_named_by_its_mean_and_says_how_many_agree(cells, tiny_bundle):
    group = only(tiny_bundle, cells((CD4, {CD4: 0.9, CD8: 0.1}), (CD4, {CD4: 0.7, B: 0.3}), (B, {B: 0.8, CD4: 0.2})))
    assert (group.cell_type, group.term) == ("CD4-positive, alpha-beta T cell", CD4)
    assert group.share == pytest.approx(2 / 3)
    assert group.score == pytest.approx(0.6)
    assert (group.second_cell_type, group.second_probability) == ("B cell", pytest.approx(1.1 / 3))


def test_a_name_that_holds_for_less_than_half_of_the_named_cells_gives_way_to_a_coarser_one(cells, tiny_bundle):
    sure, unsure = (CD4, {CD4: 1.0}), (T, {CD4: 0.4, CD8: 0.6})
    assert only(tiny_bundle, cells(sure, sure, unsure)).term == CD4
    coarse = only(tiny_bundle, Cells(tiny_bundle)(sure, unsure, unsure))
    assert coarse.term == T
    assert coarse.share == 1


def test_cells_without_an_answer_do_not_outvote_the_others(cells, tiny_bundle):
    group = only(tiny_bundle, cells((B, {B: 0.9}), *[("", {B: 0.5, CD4: 0.3})] * 3))
    assert (group.term, group.share) == (B, 0.25)


def test_what_no_type_is_sure_enough_for_is_unknown(cells, tiny_bundle):
    low = SURE - 0.1
    group = only(tiny_bundle, cells(("", {B: low, CD4: low, "CL:0000057": low}), ("", {B: low, "CL:0000057": low})))
    assert (group.term, group.cell_type, group.share, group.score) == ("unknown", "unknown", 0, 0)


def test_empty_cells_have_no_say_but_are_counted(cells, tiny_bundle):
    full, empty = cells((B, {B: 0.9})), cells(("", {}), ("", {}), counts=0.0)
    group = only(tiny_bundle, full, empty)
    assert (group.cells, group.term, group.share) == (3, B, 1)
    assert group.score == pytest.approx(0.9)


def test_a_group_of_empty_cells_is_unknown(cells, tiny_bundle):
    group = only(tiny_bundle, cells(("", {}), ("", {}), counts=0.0))
    assert (group.cells, group.term, group.novel) == (2, "unknown", None)


def test_a_group_whose_cells_are_mostly_strange_is_novel_and_unknown(cells, tiny_bundle):
    near = (B, {B: 0.9, CD4: 0.1})
    assert only(tiny_bundle, cells(near, near, margin=1.0)).novel is False
    again = Cells(tiny_bundle)
    group = only(tiny_bundle, again(near, near, margin=-1.0), again(near, margin=2.0))
    assert (group.novel, group.term) == (True, "unknown")
    assert (group.second_term, group.second_probability) == (B, pytest.approx(0.9))


def test_where_the_model_cannot_tell_what_is_novel_no_group_says_it(cells, tiny_bundle):
    found = tallied(tiny_bundle, [0], ["a"], cells((B, {B: 0.9})))
    assert found.groups[0].novel is None
    assert "novel" not in found.record()


def test_groups_keep_apart_and_cells_in_none_count_nowhere(cells, tiny_bundle):
    block = cells((B, {B: 0.9}), (CD4, {CD4: 0.9}), (CD8, {CD8: 0.9}))
    found = tallied(tiny_bundle, [1, 0, -1], ["x", "y"], block)
    assert [group.term for group in found.groups] == [CD4, B]
    assert found.cell_type_n.tolist() == ["B cell", "CD4-positive, alpha-beta T cell", "unknown"]
    assert found.group_n.tolist()[:2] == ["y", "x"]
    assert np.isnan(found.share_n[2])


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_how_cells_are_cut_into_blocks_changes_nothing(tiny_bundle, sizes):
    rng = np.random.default_rng(sum(sizes))
    rows = [((B, CD4, "")[rng.integers(3)], {B: 0.5, CD4: float(rng.random()) / 2}) for _ in range(sum(sizes))]
    code_n = rng.integers(-1, 2, len(rows))
    whole = tallied(tiny_bundle, code_n, ["x", "y"], Cells(tiny_bundle)(*rows))
    make, ends = Cells(tiny_bundle), np.cumsum([0, *sizes])
    parts = [make(*rows[start:stop]) for start, stop in pairwise(ends)]
    pd.testing.assert_frame_equal(tallied(tiny_bundle, code_n, ["x", "y"], *parts).table, whole.table)


def test_known_markers_of_the_type_are_marked_among_the_genes(cells, tiny_bundle):
    genes = tiny_bundle.vocabulary
    own = tuple(GroupGene(genes.by_symbol[symbol], 0.9, 0.01) for symbol in ("MS4A1", "CD4"))
    markers = markers_of([("B cell", "MS4A1", ""), ("T cell", "CD4", "")], genes)
    found = tallied(tiny_bundle, [0], ["a"], cells((B, {B: 0.9})), genes=[own], markers=markers)
    assert [(gene.symbol, gene.known) for gene in found.groups[0].genes] == [("MS4A1", True), ("CD4", False)]
    assert found.table.loc[0, ["genes", "known_markers"]].tolist() == ["MS4A1, CD4", "MS4A1"]
