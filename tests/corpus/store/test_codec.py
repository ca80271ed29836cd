import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numcodecs import blosc
from scipy import sparse

from spoticell.corpus.store.codec import MOST_COUNTS, decode, encode


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(0, 6), st.integers(1, 40)),
        elements=st.one_of(st.just(0), st.integers(0, 3), st.integers(0, MOST_COUNTS)),
    )
)
def test_counts_come_back_as_they_were(counts_ng):
    cells = sparse.csr_array(counts_ng)
    back = decode(*encode(cells), entries_n=np.diff(cells.indptr), n_genes=counts_ng.shape[1])
    np.testing.assert_array_equal(back.toarray(), counts_ng.astype(np.float32))


def test_all_genes_of_the_grid_and_large_counts_fit():
    counts = sparse.csr_array(([70_000.0, 1.0], ([0, 0], [3, 24_024])), shape=(1, 24_025))
    back = decode(*encode(counts), entries_n=np.array([2]), n_genes=24_025)
    assert (back != counts).nnz == 0


def test_fractions_are_rounded():
    counts = sparse.csr_array(np.array([[0.6, 1.4]]))
    assert decode(*encode(counts), entries_n=np.array([2]), n_genes=2).toarray().tolist() == [[1, 1]]


def test_bytes_of_another_number_of_entries_are_refused():
    frames = encode(sparse.csr_array(np.eye(3)))
    with pytest.raises(ValueError, match="3 genes and 3 counts where 4 are said to be"):
        decode(*frames, entries_n=np.array([2, 2]), n_genes=3)


def test_genes_that_are_not_there_are_refused():
    frames = encode(sparse.csr_array(np.eye(3)))
    with pytest.raises(ValueError, match="genes that aren't there"):
        decode(*frames, entries_n=np.array([1, 1, 1]), n_genes=2)


def test_more_genes_than_can_be_kept_are_refused():
    with pytest.raises(ValueError, match="at most 65536"):
        encode(sparse.csr_array((1, 70_000)))


def test_a_frame_that_was_cut_is_refused():
    genes, counts = encode(sparse.csr_array(np.eye(3)))
    with pytest.raises(ValueError, match="another length than it states"):
        decode(genes[:-1], counts, entries_n=np.array([1, 1, 1]), n_genes=3)


def test_the_same_cells_give_the_same_bytes_with_threads_too(monkeypatch):
    monkeypatch.setattr(blosc, "use_threads", True)  # other libraries switch them off when they are imported
    threads = blosc.set_nthreads(2)
    cells = sparse.csr_array(np.random.default_rng(0).poisson(0.5, size=(64, 20_000)))
    try:
        assert len({encode(cells) for _ in range(20)}) == 1
    finally:
        blosc.set_nthreads(threads)
