from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from spoticell.corpus.splits.dealing import deal, linked, shuffled

NAMES = st.text("abcdefgh", min_size=1, max_size=2)
PAIRS = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=30)
THREE = {"train": 0.7, "validation": 0.15, "test": 0.15}


@given(PAIRS)
def test_groups_of_one_donor_are_in_one_set_and_each_group_is_in_one(pairs):
    sets = linked(*zip(*pairs, strict=True))
    assert Counter(group for names in sets for group in names) == Counter({group for group, _ in pairs})
    set_of = {group: names for names in sets for group in names}
    for donor in {donor for _, donor in pairs}:
        assert len({set_of[group] for group, owner in pairs if owner == donor}) == 1


@given(PAIRS)
def test_no_set_could_be_parted_without_parting_a_donor(pairs):
    for names in linked(*zip(*pairs, strict=True)):
        reached, grown = set(), {names[0]}
        while grown != reached:
            reached = grown
            donors = {donor for group, donor in pairs if group in reached}
            grown = {group for group, donor in pairs if donor in donors}
        assert reached == set(names)


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=60))
def test_no_side_gets_more_than_its_share_and_one_set(sizes):
    dealt = deal(sizes, THREE)
    for side, share in THREE.items():
        assert sum(size for size, to in zip(sizes, dealt, strict=True) if to == side) <= share * sum(sizes) + max(sizes)


@given(st.lists(st.integers(1, 1000), min_size=3, max_size=20))
def test_every_side_gets_something(sizes):
    assert set(deal(sizes, THREE)) == set(THREE)


def test_another_seed_gives_another_order_of_the_same_sets():
    sets = [(name,) for name in "abcdefgh"]
    orders = [shuffled(sets, seed) for seed in range(5)]
    assert all(sorted(order) == sets for order in orders)
    assert len({tuple(order) for order in orders}) == 5
