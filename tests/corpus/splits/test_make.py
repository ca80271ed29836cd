from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from spoticell.corpus.block import ASSAY, DATASET
from spoticell.corpus.splits.make import RELEASE, Split, SplitSpec, make_split
from spoticell.errors import ConfigError, StoreError
from spoticell.keys import DONOR

FEW = settings(max_examples=30, deadline=None)
SHARES = {"train": 0.7, "validation": 0.15, "test": 0.15}
DONORS = SplitSpec(name="donors", by="donor", shares=SHARES)


def table(rows: list[tuple]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[DATASET, DONOR, ASSAY, *([RELEASE] if len(rows[0]) == 4 else [])])


CELLS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["p", "q", "r", "s", "t", "unknown"]), st.sampled_from("xyz")),
    min_size=1,
    max_size=60,
).map(table)
SPECS = st.builds(
    lambda by, shares, seed, shared: SplitSpec(name="any", by=by, shares=shares, seed=seed, shared_donors=shared),
    st.sampled_from(["dataset", "donor", "assay"]),
    st.sampled_from([SHARES, {"train": 0.5, "test": 0.5}]),
    st.integers(0, 3),
    st.sampled_from(["refuse", "drop"]),
)


def people(cells: pd.DataFrame) -> pd.Series:
    unknown = cells[DONOR] == "unknown"
    return cells[DONOR].where(~unknown, cells[DATASET] + " unknown")


def made(cells: pd.DataFrame, spec: SplitSpec) -> Split | None:
    try:
        return make_split(cells, spec)
    except ConfigError:
        return None


@FEW
@given(CELLS, SPECS)
def test_no_donor_is_on_two_sides_whatever_the_cells(cells, spec):
    split = made(cells, spec)
    if split is not None:
        kept = split.side_of(cells) != ""
        assert (pd.Series(split.side_of(cells))[kept].groupby(people(cells)[kept]).nunique() == 1).all()


@FEW
@given(CELLS, SPECS)
def test_each_cell_is_on_one_side_or_dropped_and_counted_there(cells, spec):
    split = made(cells, spec)
    if split is not None:
        counted = pd.Series(split.side_of(cells)).replace("", "dropped").value_counts()
        assert {side: cells for side, cells in split.cells.items() if cells} == counted.to_dict()


@FEW
@given(CELLS, SPECS)
def test_nothing_is_dropped_unless_that_was_allowed(cells, spec):
    split = made(cells, spec)
    if split is not None and spec.shared_donors == "refuse":
        assert split.cells["dropped"] == 0


@FEW
@given(CELLS, SPECS, st.randoms(use_true_random=False))
def test_the_order_of_cells_does_not_matter(cells, spec, random):
    order = list(range(len(cells)))
    random.shuffle(order)
    assert made(cells, spec) == made(cells.iloc[order].astype("category"), spec)


@FEW
@given(CELLS, SPECS)
def test_counted_groups_give_the_split_of_the_cells(cells, spec):
    groups = cells.groupby(list(cells)).size().rename("n_cells").reset_index()
    assert made(groups, spec) == made(cells, spec)


def many_donors(n_donors: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    donor = rng.choice(n_donors, 5000, p=rng.dirichlet(np.ones(n_donors)))
    return table([(f"set {one % 7}", f"set {one % 7}:donor {one}", "10x 3' v3") for one in donor])


def test_shares_are_met_by_cells_however_unequal_the_donors_are():
    cells = make_split(many_donors(), DONORS).cells
    for side, share in SHARES.items():
        assert abs(cells[side] / 5000 - share) < 0.03


def test_another_seed_puts_other_donors_aside():
    one, other = (make_split(many_donors(), DONORS.model_copy(update={"seed": seed})) for seed in (0, 1))
    assert one.members["test"] != other.members["test"]


def test_named_groups_go_where_they_are_named_and_the_others_into_training():
    cells = table([("a", "p", "10x"), ("b", "q", "10x"), ("c", "r", "Smart-seq2"), ("d", "s", "10x")])
    split = make_split(cells, SplitSpec(name="named", by="dataset", test=["c"], validation=["b"]))
    assert split.side_of(cells).tolist() == ["train", "validation", "test", "train"]


def test_shares_are_of_what_is_not_named():
    cells = pd.concat([many_donors(), table([("x", "x:p", "Smart-seq2")])])
    spec = SplitSpec(name="both", by="dataset", test=["x"], shares={"train": 0.8, "validation": 0.2})
    split = make_split(cells, spec)
    assert split.members["test"] == ("x",)
    assert split.cells["validation"] > 500


def test_data_sets_that_came_out_after_a_day_are_for_testing():
    cells = table([("a", "p", "x", "2023-12-15"), ("b", "q", "x", "2025-11-08"), ("c", "r", "x", "2024-07-01")])
    split = make_split(cells, SplitSpec(name="newer", by="release", after="2024-07-01"))
    assert split.side_of(cells.drop(columns=RELEASE)).tolist() == ["train", "test", "train"]


def test_a_data_set_of_unknown_release_is_not_guessed_at():
    cells = table([("a", "p", "x", "2023-12-15"), ("b", "q", "x", "")])
    with pytest.raises(ConfigError, match="nobody says when the data set 'b' came out"):
        make_split(cells, SplitSpec(name="newer", by="release", after="2024-07-01"))


TWO_ASSAYS = table([("a", "p", "10x"), ("a", "q", "10x"), ("b", "p", "Smart-seq2"), ("b", "r", "Smart-seq2")])
FULL_LENGTH = SplitSpec(name="full-length", by="assay", test=["Smart-seq2"])


def test_a_donor_on_both_sides_is_refused_by_name():
    with pytest.raises(ConfigError, match="by assay would put the donor 'p' on both sides, 'train' and 'test'"):
        make_split(TWO_ASSAYS, FULL_LENGTH)


def test_shared_donors_can_be_left_out_of_training():
    split = make_split(TWO_ASSAYS, FULL_LENGTH.model_copy(update={"shared_donors": "drop"}))
    assert split.side_of(TWO_ASSAYS).tolist() == ["", "train", "test", "test"]
    assert split.shared_donors == {"p": "test"}
    assert split.cells == {"train": 1, "validation": 0, "test": 2, "dropped": 1}


def test_data_sets_that_share_a_donor_are_dealt_together():
    cells = table([("a", "p", "x"), ("b", "p", "x"), ("c", "q", "x"), ("d", "r", "x")])
    for seed in range(8):
        split = make_split(cells, SplitSpec(name="sets", by="dataset", shares={"train": 0.5, "test": 0.5}, seed=seed))
        side = dict(zip(cells[DATASET], split.side_of(cells), strict=True))
        assert side["a"] == side["b"]


def test_where_one_donor_holds_all_groups_together_nothing_is_made_and_the_donor_is_named():
    cells = table([("a", "p", "x"), ("b", "p", "x")])
    with pytest.raises(ConfigError, match=r"have 1 by dataset \(the donor 'p' is in 2 of them\)"):
        make_split(cells, SplitSpec(name="sets", by="dataset", shares={"train": 0.5, "test": 0.5}))


def test_unknown_donors_of_two_data_sets_are_two_donors():
    cells = table([("a", "unknown", "x"), ("b", "unknown", "x"), ("c", "p", "x")])
    assert made(cells, SplitSpec(name="sets", by="dataset", test=["a"])) is not None
    split = make_split(cells, DONORS)
    assert sorted(group for groups in split.members.values() for group in groups) == ["a/unknown", "b/unknown", "p"]


def test_a_name_that_no_cell_has_is_refused_with_those_that_there_are():
    with pytest.raises(ConfigError, match="names 'Smartseq' for 'test', but no cell is of that assay; there are '10x'"):
        make_split(TWO_ASSAYS, SplitSpec(name="typo", by="assay", test=["Smartseq"]))


def test_a_split_that_leaves_nothing_to_train_on_is_refused():
    with pytest.raises(ConfigError, match="leaves no cell for 'train'"):
        make_split(TWO_ASSAYS, SplitSpec(name="all", by="dataset", test=["a", "b"], shared_donors="drop"))


def test_cells_that_came_later_have_no_side_until_the_split_is_made_again():
    split = make_split(table([("a", "p", "x"), ("b", "q", "x")]), SplitSpec(name="sets", by="dataset", test=["b"]))
    with pytest.raises(StoreError, match="doesn't know the dataset 'c', which came later"):
        split.side_of(table([("a", "p", "x"), ("c", "r", "x")]))


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"by": "donor"}, "nothing is put aside"),
        ({"by": "donor", "shares": {"train": 0.7, "test": 0.2}}, "shares sum to 0.9"),
        ({"by": "dataset", "test": ["a"], "validation": ["a"]}, "named twice"),
        ({"by": "release"}, "needs a day in 'after'"),
        ({"by": "donor", "after": "2024-01-01", "test": ["a"]}, "no other split has one"),
        ({"by": "cell", "test": ["a"]}, "Input should be"),
        ({"by": "donor", "test": ["a"], "name": "../up"}, "should match pattern"),
    ],
)
def test_a_spec_that_can_not_be_is_refused(asked, problem):
    with pytest.raises(ValidationError, match=problem):
        SplitSpec(**{"name": "split", **asked})
