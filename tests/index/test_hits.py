import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spoticell.index.hits import Hits, merged, no_hits


@st.composite
def searches(draw):
    """The outcomes of searching up to four parts of up to 20 cells, and the similarities of all cells."""
    n, k = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    sizes = draw(st.lists(st.integers(0, 5), min_size=1, max_size=4))
    steps = draw(st.lists(st.integers(-4, 4), min_size=n * sum(sizes), max_size=n * sum(sizes)))
    similarity_nr = np.array(steps, dtype=np.float32).reshape(n, sum(sizes)) / 4
    starts = np.cumsum([0, *sizes])
    parts = []
    for start, stop in itertools.pairwise(starts):
        order_nr = np.argsort(-similarity_nr[:, start:stop], axis=1, kind="stable")[:, :k]
        found = Hits(order_nr + start, np.take_along_axis(similarity_nr[:, start:stop], order_nr, axis=1))
        room = no_hits(n, k - order_nr.shape[1])
        parts.append(Hits(*(np.concatenate(pair, axis=1) for pair in zip(_arrays(found), _arrays(room), strict=True))))
    return k, parts, similarity_nr


def _arrays(hits):
    return hits.row_nk, hits.similarity_nk


@given(searches())
def test_merging_the_searches_of_parts_is_searching_the_whole(drawn):
    k, parts, similarity_nr = drawn
    hits = merged(parts, k)
    order_nr = np.argsort(-similarity_nr, axis=1, kind="stable")[:, :k]
    found = order_nr.shape[1]
    assert hits.row_nk[:, :found].tolist() == order_nr.tolist()
    assert hits.similarity_nk[:, :found].tolist() == np.take_along_axis(similarity_nr, order_nr, axis=1).tolist()
    assert (hits.row_nk[:, found:] == -1).all()
    assert np.isneginf(hits.similarity_nk[:, found:]).all()


@given(searches())
def test_the_order_of_the_parts_does_not_matter(drawn):
    k, parts, _ = drawn
    assert merged(parts, k).row_nk.tolist() == merged(parts[::-1], k).row_nk.tolist()
