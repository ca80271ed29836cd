from __future__ import annotations

import re
import tracemalloc

import anndata
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.strategies import cells_like_real_ones, counts

from spoticell.biology.counts import CountsProbe, CountsVerdict, Kind, recover
from spoticell.biology.reading import near_units
from spoticell.biology.recovery import depth_of
from spoticell.errors import CountsError

COUNTS_NV = cells_like_real_ones(np.random.default_rng(5), n=300, v=3000, depth=3000)
PANEL_NV = cells_like_real_ones(np.random.default_rng(6), n=400, v=300, depth=200)


def judge(values_nv, *, block: int = 2048) -> CountsVerdict:
    probe = CountsProbe()
    for start in range(0, values_nv.shape[0], block):
        probe.update(values_nv[start : start + block])
    return probe.verdict()


def with_values(counts_nv, data) -> sparse.csr_array:
    stored_nv = counts_nv.astype(np.float32, copy=True)
    stored_nv.data[:] = data
    return stored_nv


def per_value(counts_nv, each_n) -> np.ndarray:
    return np.repeat(np.asarray(each_n, np.float64), np.diff(counts_nv.indptr))


def normalised(counts_nv, target: float) -> np.ndarray:
    return counts_nv.data * (target / per_value(counts_nv, counts_nv.sum(axis=1)))


STORED = {
    "CPM": (Kind.NORMALISED, 1e6, lambda x: normalised(x, 1e6)),
    "ten thousand": (Kind.NORMALISED, 1e4, lambda x: normalised(x, 1e4)),
    "log1p ten thousand": (Kind.LOG1P, 1e4, lambda x: np.log1p(normalised(x, 1e4))),
    "log1p median": (Kind.LOG1P, ..., lambda x: np.log1p(normalised(x, np.median(x.sum(axis=1))))),
    "log1p of counts": (Kind.LOG1P, None, lambda x: np.log1p(x.data)),
    "log2 CPM": (Kind.LOG2, 1e6, lambda x: np.log2(1 + normalised(x, 1e6))),
    "log2 of counts": (Kind.LOG2, None, lambda x: np.log2(1 + x.data)),
    "log10": (Kind.LOG10, 1e4, lambda x: np.log10(1 + normalised(x, 1e4))),
    "square root": (Kind.SQRT, None, lambda x: np.sqrt(x.data)),
    "log1p twice": (Kind.LOG1P_TWICE, 1e4, lambda x: np.log1p(np.log1p(normalised(x, 1e4)))),
    "four decimals": (Kind.LOG1P, 1e4, lambda x: np.round(np.log1p(normalised(x, 1e4)), 4)),
    "asinh": (Kind.ASINH, 1e4, lambda x: np.arcsinh(normalised(x, 1e4))),
    "Freeman-Tukey": (Kind.FREEMAN_TUKEY, None, lambda x: np.sqrt(x.data) + np.sqrt(x.data + 1) - 1),
    "noise": (Kind.COUNTS, None, lambda x: x.data + np.random.default_rng(0).normal(0, 1e-4, x.nnz)),
}


def lengths(counts_nv) -> np.ndarray:
    return np.random.default_rng(3).uniform(0.3, 8, counts_nv.shape[1])[counts_nv.indices]


def rpkm(counts_nv) -> np.ndarray:
    return normalised(counts_nv, 1e6) / lengths(counts_nv)


def tpm(counts_nv) -> np.ndarray:
    return normalised(with_values(counts_nv, counts_nv.data / lengths(counts_nv)), 1e6)


def without_soup(counts_nv) -> sparse.csr_array:
    """Take away a tenth of ambient RNA, as SoupX does: fractional counts."""
    soup_v = counts_nv.sum(axis=0) / counts_nv.sum()
    clean = counts_nv.data - 0.1 * per_value(counts_nv, counts_nv.sum(axis=1)) * soup_v[counts_nv.indices]
    clean_nv = with_values(counts_nv, np.where(clean > 0.01, clean, 0))
    clean_nv.eliminate_zeros()
    return clean_nv


def shared_reads(counts_nv, share: float, decimals: int) -> sparse.csr_array:
    """Split reads between genes that are alike, as RSEM, kallisto and STARsolo do: fractions in some genes."""
    rng = np.random.default_rng(9)
    twin_v = rng.permutation(counts_nv.shape[1])[: int(share * counts_nv.shape[1])]
    given_nv = counts_nv.toarray().astype(np.float64)
    moved_nv = rng.binomial(counts_nv.toarray()[:, twin_v].astype(int), 0.3) * rng.random((1, len(twin_v)))
    given_nv[:, twin_v] -= moved_nv
    given_nv[:, np.roll(twin_v, 1)] += moved_nv
    return sparse.csr_array(np.round(given_nv, decimals))


@pytest.mark.parametrize("share", [0.1, 0.2])
@pytest.mark.parametrize("decimals", [1, 2, 12])
def test_fractions_of_some_genes_are_not_taken_for_the_unit_of_all(share, decimals):
    for counts_nv in (COUNTS_NV, with_values(COUNTS_NV, COUNTS_NV.data**2 * 3 - 2)):
        values_nv = shared_reads(counts_nv, share, decimals)
        verdict = judge(values_nv)
        assert (verdict.kind, verdict.usable) == (Kind.NEAR_COUNTS, True), verdict.evidence
        np.testing.assert_allclose(recover(values_nv, verdict).toarray(), values_nv.toarray(), rtol=1e-5)


def shares(values_nv) -> np.ndarray:
    dense_nv = np.asarray(values_nv.toarray() if sparse.issparse(values_nv) else values_nv, dtype=np.float64)
    return dense_nv / np.maximum(dense_nv.sum(axis=1, keepdims=True), 1e-9)


@pytest.mark.parametrize("counts_nv", [COUNTS_NV, PANEL_NV], ids=["cells", "panel"])
@pytest.mark.parametrize("stored", STORED)
def test_counts_come_back_from_every_scale(counts_nv, stored):
    kind, target, store = STORED[stored]
    values_nv = with_values(counts_nv, store(counts_nv))
    verdict = judge(values_nv, block=128)
    assert (verdict.kind, verdict.usable, verdict.recovers) == (kind, True, "counts"), verdict.evidence
    if target is not ...:
        assert verdict.target_sum == (None if target is None else pytest.approx(target, rel=1e-3))
    wrong_n = abs(recover(values_nv, verdict) - counts_nv).sum(axis=1) > 0
    assert wrong_n.mean() < 0.01
    np.testing.assert_allclose(shares(recover(values_nv, verdict)), shares(counts_nv), atol=1e-4)


@pytest.mark.parametrize("stored", ["CPM", "log1p ten thousand", "log2 CPM", "log1p twice", "square root"])
def test_counts_come_back_from_a_choice_of_genes(stored):
    chosen = np.sort(np.random.default_rng(1).choice(COUNTS_NV.shape[1], 600, replace=False))
    kind, _, store = STORED[stored]
    values_nv = with_values(COUNTS_NV, store(COUNTS_NV))[:, chosen]
    verdict = judge(values_nv)
    assert (verdict.kind, verdict.recovers, verdict.target_sum) == (kind, "counts", None)
    wrong_n = abs(recover(values_nv, verdict) - COUNTS_NV[:, chosen]).sum(axis=1) > 0
    assert wrong_n.mean() < 0.02


def test_counts_come_back_from_a_handful_of_genes():
    chosen = np.random.default_rng(2).choice(COUNTS_NV.shape[1], 60, replace=False)
    values_nv = with_values(COUNTS_NV, np.log1p(normalised(COUNTS_NV, 1e4)))[:, chosen]
    verdict = judge(values_nv)
    assert (verdict.kind, verdict.recovers) == (Kind.LOG1P, "counts")
    np.testing.assert_allclose(shares(recover(values_nv, verdict)), shares(COUNTS_NV[:, chosen]), atol=1e-4)


def test_proportions_come_back_where_counts_were_never_whole():
    clean_nv = without_soup(COUNTS_NV)
    values_nv = with_values(clean_nv, np.log1p(normalised(clean_nv, 1e5)))
    verdict = judge(values_nv)
    assert (verdict.kind, verdict.recovers) == (Kind.LOG1P, "proportions")
    back_nv = recover(values_nv, verdict)
    np.testing.assert_allclose(shares(back_nv), shares(clean_nv), atol=1e-5)
    # one of five values is taken for less than a count
    assert ((back_nv > 0.99).sum(axis=1) / (back_nv > 0).sum(axis=1)).mean() == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    "counts_nv", [COUNTS_NV, PANEL_NV, COUNTS_NV[:1], COUNTS_NV[:, :1]], ids=["cells", "panel", "1 cell", "1 gene"]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.uint16, np.int32])
def test_counts_of_any_number_type_are_taken_as_they_are(counts_nv, dtype):
    verdict = judge(counts_nv.astype(dtype))
    assert verdict == judge(counts_nv)
    assert (verdict.kind, verdict.usable, verdict.recovers) == (Kind.COUNTS, True, "counts")
    back_nv = recover(counts_nv.astype(dtype), verdict)
    assert back_nv.dtype == np.float32
    assert (back_nv != counts_nv).nnz == 0


def test_one_normalised_cell_is_recognised_by_its_sum():
    values_nv = with_values(COUNTS_NV, np.log1p(normalised(COUNTS_NV, 1e4)))[:1]
    assert judge(values_nv).kind is Kind.LOG1P


def test_fractional_counts_are_passed_on_as_they_are():
    for fractional_nv in (
        without_soup(COUNTS_NV),
        with_values(COUNTS_NV, np.where(COUNTS_NV.data > 2, COUNTS_NV.data - 0.37, COUNTS_NV.data)),
    ):
        verdict = judge(fractional_nv)
        assert (verdict.kind, verdict.usable) == (Kind.NEAR_COUNTS, True), verdict.evidence
        assert (recover(fractional_nv, verdict) != fractional_nv).nnz == 0


@pytest.mark.parametrize(
    ("store", "kind"),
    [
        (lambda x: np.rint(np.log1p(normalised(x, 1e4))), Kind.ROUNDED_LOG),
        (lambda x: np.rint(np.log2(1 + normalised(x, 1e4))), Kind.ROUNDED_LOG),
        (lambda x: np.rint(np.log1p(normalised(x, 2e3))), Kind.ROUNDED_LOG),
        (lambda x: np.random.default_rng(0).uniform(0.1, 1, x.nnz), Kind.UNKNOWN),
    ],
    ids=[
        "rounded log1p",
        "rounded log2",
        "rounded shallow log",
        "zero to one",
    ],
)
def test_what_holds_no_counts_is_refused_with_the_evidence(store, kind):
    values_nv = with_values(COUNTS_NV, store(COUNTS_NV))
    values_nv.eliminate_zeros()
    verdict = judge(values_nv)
    assert (verdict.kind, verdict.usable) == (kind, False), verdict.evidence
    assert re.search(r"\d.*layers\['counts'\]", verdict.evidence)
    with pytest.raises(CountsError, match=re.escape(verdict.evidence)):
        recover(values_nv, verdict)


@pytest.mark.parametrize(
    ("store", "undo"),
    [
        (rpkm, lambda x: x),
        (tpm, lambda x: x),
        (lambda x: np.log2(1 + tpm(x)), lambda x: np.exp2(x) - 1),
        (lambda x: np.log2(1 + tpm(x) / 10), lambda x: np.exp2(x) - 1),
        (lambda x: np.round(rpkm(x), 1), lambda x: x),
        (lambda x: np.rint(tpm(x)), lambda x: x),
        (lambda x: np.log2(1 + rpkm(x)), lambda x: np.exp2(x) - 1),
        (lambda x: np.log1p(rpkm(x)), np.expm1),
        (lambda x: np.log10(1 + rpkm(x)), lambda x: 10**x - 1),
        (lambda x: np.log1p(tpm(x) / 100), np.expm1),
        (lambda x: np.rint(rpkm(x)), lambda x: x),
    ],
    ids=[
        *("RPKM", "TPM", "log2 TPM", "log2 of a tenth of TPM", "RPKM to a tenth", "rounded TPM"),
        *("log2 RPKM", "ln RPKM", "log10 RPKM", "ln of a hundredth of TPM", "rounded RPKM"),
    ],
)
def test_what_is_divided_by_gene_length_gives_proportions_with_counts_by_genes_and_a_note(store, undo):
    values_nv = with_values(COUNTS_NV, store(COUNTS_NV))
    values_nv.eliminate_zeros()
    verdict = judge(values_nv)
    assert (verdict.usable, verdict.recovers, verdict.by_genes) == (True, "proportions", True), verdict.evidence
    assert "divided by gene length" in " ".join(verdict.remarks)
    found_nv = recover(values_nv, verdict)
    np.testing.assert_allclose(found_nv.sum(axis=1), depth_of(values_nv), rtol=1e-4)
    undone_nv = with_values(values_nv, undo(values_nv.data)).astype(np.float64)
    np.testing.assert_allclose(proportions(found_nv).toarray(), proportions(undone_nv).toarray(), atol=1e-5)


def test_dense_values_that_sum_to_a_million_are_refused():
    dense_nv = sparse.csr_array(np.random.default_rng(0).gamma(2.0, size=(60, 600)))
    verdict = judge(with_values(dense_nv, normalised(dense_nv, 1e6)))
    assert not verdict.usable, verdict.evidence


def mixed(first_nv, second_nv, n_first: int) -> sparse.csr_array:
    return sparse.csr_array(sparse.vstack([first_nv[:n_first], second_nv[n_first:]]))


def over_size_factors(counts_nv) -> sparse.csr_array:
    """Log2 of 1 + counts over a size factor, as scran stores them: cells sum to no customary number."""
    factor_n = np.random.default_rng(8).lognormal(0, 0.4, counts_nv.shape[0])
    return with_values(counts_nv, np.log2(1 + counts_nv.data / per_value(counts_nv, factor_n)))


LOGGED_NV = with_values(COUNTS_NV, np.log1p(normalised(COUNTS_NV, 1e4)))


@pytest.mark.parametrize(
    ("most_nv", "few_nv", "kind", "said"),
    [
        (COUNTS_NV, LOGGED_NV, Kind.COUNTS, r"60 of 300 cells \(the first is cell 240.*natural log"),
        (LOGGED_NV, COUNTS_NV, Kind.LOG1P, r"60 of 300 cells \(the first is cell 240.*normalised, not logged"),
        (LOGGED_NV, with_values(COUNTS_NV, np.log2(1 + normalised(COUNTS_NV, 1e6))), Kind.LOG1P, "60 of 300.*log2"),
        (
            COUNTS_NV,
            with_values(COUNTS_NV, COUNTS_NV.data * 10),
            Kind.COUNTS,
            r"60 of 300.*multiples.*\(10 in the first",
        ),
        (COUNTS_NV, with_values(COUNTS_NV, normalised(COUNTS_NV, 1)), Kind.COUNTS, "60 of 300.*multiples of another"),
        (LOGGED_NV, over_size_factors(COUNTS_NV), Kind.LOG1P, "60 of 300.*log2"),
        (over_size_factors(COUNTS_NV), with_values(COUNTS_NV, np.sqrt(COUNTS_NV.data)), Kind.LOG2, "60 of 300.*square"),
    ],
    ids=[
        "logs among counts",
        "counts among logs",
        "log2 among natural logs",
        "tenfold",
        "shares among counts",
        "scran among scanpy",
        "square roots among scran",
    ],
)
def test_cells_on_another_scale_than_most_are_named_and_read_on_their_own(most_nv, few_nv, kind, said):
    values_nv = mixed(most_nv, few_nv, 240)
    verdict = judge(values_nv, block=100)
    assert verdict.kind is kind, verdict.evidence
    assert re.search(said, " ".join(verdict.remarks))
    wrong_n = abs(recover(values_nv, verdict) - COUNTS_NV).sum(axis=1) > 0
    assert wrong_n.mean() < 0.01


def test_one_cell_on_another_scale_is_named():
    verdict = judge(mixed(COUNTS_NV, LOGGED_NV, 299))
    assert verdict.kind is Kind.COUNTS
    assert "1 of 300 cells (the first is cell 299" in verdict.remarks[0]


def test_cells_on_no_scale_are_named_and_left_empty():
    strange_nv = with_values(COUNTS_NV, np.round(30 * COUNTS_NV.data / lengths(COUNTS_NV), 2))
    values_nv = mixed(COUNTS_NV, strange_nv, 240)
    verdict = judge(values_nv)
    assert verdict.kind is Kind.COUNTS
    assert "60 of 300 cells (the first is cell 240" in verdict.remarks[0]
    back_nv = recover(values_nv, verdict)
    assert (back_nv[:240] != COUNTS_NV[:240]).nnz == 0
    assert back_nv[240:].nnz == 0


@pytest.mark.parametrize(
    "store",
    [
        lambda x: np.rint(normalised(x, 1e6)),
        lambda x: np.rint(normalised(x, 1e4)),
        lambda x: np.round(np.log1p(normalised(x, 1e4)), 1),
        lambda x: np.round(np.log1p(normalised(x, 1e4)), 2),
    ],
    ids=["whole CPM", "whole numbers per ten thousand", "logs to a tenth", "logs to a hundredth"],
)
def test_rounded_values_come_back_nearly(store):
    values_nv = with_values(PANEL_NV, store(PANEL_NV))
    verdict = judge(values_nv)
    assert verdict.usable, verdict.evidence
    assert verdict.remarks
    difference_n = abs(shares(recover(values_nv, verdict)) - shares(PANEL_NV)).sum(axis=1)
    assert np.median(difference_n) < 0.05


@pytest.mark.parametrize(
    ("store", "said"),
    [
        (lambda x: np.rint(normalised(x, 1e4)), "may be off by a few percent"),
        (lambda x: np.arccosh(0.1 * x.data / per_value(x, x.sum(axis=1) / x.sum(axis=1).mean()) + 1), "are rough"),
    ],
    ids=["rounded", "another curve"],
)
def test_only_values_of_few_decimals_are_called_rounded(store, said):
    # the inverse hyperbolic cosine is no scale that is known, and comes near square roots
    counts_nv = cells_like_real_ones(np.random.default_rng(3), n=120, v=3000, depth=1500)
    verdict = judge(with_values(counts_nv, store(counts_nv)))
    assert verdict.usable, verdict.evidence
    assert said in " ".join(verdict.remarks)


FLOORED = {
    "counts + 1": lambda dense_nv: dense_nv + 1,
    "counts + 0.01": lambda dense_nv: dense_nv + 0.01,
    "log1p of normalised + 1": lambda dense_nv: np.log1p(1e4 * shares(dense_nv) + 1),
    "logs of counts + 1, normalised": lambda dense_nv: np.log1p(1e4 * shares(dense_nv + 1)),
    "log2 of CPM + 0.01": lambda dense_nv: np.log2(1e6 * shares(dense_nv) + 0.01),
    "centred log ratios": lambda dense_nv: np.log1p(dense_nv) - np.log1p(dense_nv).mean(axis=1, keepdims=True),
    "Anscombe": lambda dense_nv: 2 * np.sqrt(dense_nv + 0.375),
}


@pytest.mark.parametrize("stored", FLOORED)
def test_a_value_that_most_genes_share_stands_for_none(stored):
    dense_nv = COUNTS_NV[:60].toarray().astype(np.float64)
    values_nv = sparse.csr_array(FLOORED[stored](dense_nv).astype(np.float32))
    verdict = judge(values_nv)
    assert verdict.usable, verdict.evidence
    assert "most genes of a cell share was taken for zero" in verdict.remarks[0]
    np.testing.assert_array_equal(recover(values_nv, verdict).toarray(), dense_nv)


@pytest.mark.parametrize("factor", [10, 7, 0.25, 0.37, 0.01])
def test_counts_times_a_number_are_divided_by_it(factor):
    for counts_nv in (COUNTS_NV, PANEL_NV):
        values_nv = with_values(counts_nv, counts_nv.data * factor)
        verdict = judge(values_nv)
        assert (verdict.kind, verdict.unit) == (Kind.COUNTS, pytest.approx(factor))
        assert f"multiples of {factor:g}" in verdict.remarks[0]
        assert (recover(values_nv, verdict) != counts_nv).nnz == 0


def near_cells(counts_nv, k: int) -> np.ndarray:
    log_nv = np.log1p(1e4 * shares(counts_nv))
    distance_nn = ((log_nv[:, None] - log_nv[None]) ** 2).sum(axis=2)
    return np.argsort(distance_nn, axis=1)[:, :k]


def ranks(counts_nv) -> np.ndarray:
    order = [np.argsort(np.argsort(row.data, kind="stable")) + 1 for row in counts_nv]
    return np.concatenate(order)


@pytest.mark.parametrize(
    ("store", "kind"),
    [
        (lambda x: with_values(x, 1), Kind.MASK),
        (lambda x: with_values(x, ranks(x)), Kind.RANKS),
        (lambda x: sparse.csr_array(x.toarray()[near_cells(x, 10)].sum(axis=1)), Kind.SMOOTHED),
        (lambda x: sparse.csr_array(x.toarray()[near_cells(x, 3)].mean(axis=1)), Kind.SMOOTHED),
        (lambda x: with_values(x, np.minimum(np.log1p(normalised(x, 1e4)), 3)), Kind.CAPPED),
        (lambda x: with_values(x, np.minimum(x.data, 8)), Kind.CAPPED),
        (lambda x: with_values(x, np.maximum(30 * x.data % 256, 1)), Kind.CAPPED),
        (lambda x: with_values(x, x.data / lengths(x)), Kind.PER_LENGTH),
        (lambda x: sparse.csr_array(np.random.default_rng(0).poisson(1, x.shape)), Kind.NOISE),
    ],
    ids=[
        "mask",
        "ranks",
        "sums over neighbours",
        "means over neighbours",
        "cut off",
        "counts cut off",
        "bytes run over",
        "over lengths",
        "noise",
    ],
)
def test_numbers_that_only_look_like_counts_are_called_what_they_are(store, kind):
    counts_nv = cells_like_real_ones(np.random.default_rng(7), n=80, v=1500, depth=2000)
    verdict = judge(sparse.csr_array(store(counts_nv)).astype(np.float32))
    assert (verdict.kind, verdict.usable) == (kind, False), verdict.evidence


def denoised(counts_nv, k: int) -> np.ndarray:
    """What few components say of each cell, its logarithm undone."""
    rows_nk, sizes_k, genes_kv = np.linalg.svd(np.log1p(1e4 * shares(counts_nv)), full_matrices=False)
    return np.expm1(np.maximum((rows_nk[:, :k] * sizes_k[:k]) @ genes_kv[:k], 0))


@pytest.mark.parametrize("k", [5, 15])
def test_denoised_values_are_no_rounded_counts_though_most_are_nearly_zero(k):
    # squares of small values lie near zero, which no count does
    counts_nv = cells_like_real_ones(np.random.default_rng(7), n=80, v=1500, depth=2000)
    verdict = judge(sparse.csr_array(denoised(counts_nv, k)).astype(np.float32))
    assert not verdict.usable, verdict.evidence


def test_values_near_zero_are_near_no_multiple_of_a_unit():
    near_zero = np.concatenate([np.full(60, 0.1), np.repeat([1.0, 2.0, 3.0], 12)])
    assert np.isnan(near_units(near_zero[None], np.array([0.1]))).all()


def test_a_cell_whose_counts_would_be_absurd_is_left_empty():
    values_nv = with_values(COUNTS_NV, np.log1p(COUNTS_NV.data)).toarray().astype(np.float64)
    values_nv[5, COUNTS_NV[[5]].indices] = np.linspace(1e-12, 16, len(COUNTS_NV[[5]].indices))
    values_nv = sparse.csr_array(values_nv)
    back_nv = recover(values_nv, judge(values_nv))
    assert np.isfinite(back_nv.data).all()
    assert back_nv.data.max() < 1e9
    assert (back_nv[:5] != COUNTS_NV[:5]).nnz == 0


@pytest.mark.parametrize(
    "store",
    [
        lambda x: x,
        lambda x: with_values(x, np.log1p(normalised(x, 1e4))),
        lambda x: with_values(x, np.log2(normalised(x, 1e6) + 1)),
        lambda x: with_values(x, normalised(x, 1e4)),
        lambda x: x * 10,
    ],
    ids=["counts", "log1p", "log2", "normalised", "x 10"],
)
def test_empty_droplets_are_told_from_shallow_cells_on_every_scale(store):
    rng = np.random.default_rng(0)
    cells_nv = cells_like_real_ones(rng, n=60, v=6000, depth=3000)
    share_v = np.asarray(cells_nv.sum(axis=0)).ravel() / cells_nv.sum()
    droplets_nv = sparse.csr_array(rng.poisson(rng.integers(5, 60, size=(400, 1)) * share_v).astype(np.float32))
    both_nv = store(sparse.csr_array(sparse.vstack([droplets_nv, cells_nv])))
    raw = judge(both_nv)
    assert raw.empty_up_to == 100
    assert "400 of 460 barcodes" in raw.remarks[-1]
    total_n = recover(both_nv, raw).sum(axis=1)
    assert (total_n[:400] <= 100).all()
    assert (total_n[400:] > 100).all()
    assert judge(droplets_nv).empty_up_to == 100
    two_types = [cells_like_real_ones(np.random.default_rng(seed), n=200, v=6000, depth=40) for seed in (1, 2)]
    assert judge(store(sparse.csr_array(sparse.vstack(two_types)))).empty_up_to == 0


def test_square_roots_of_shallow_cells_arent_even_because_they_are_rounded():
    two_types = [cells_like_real_ones(np.random.default_rng(seed), n=200, v=6000, depth=40) for seed in (1, 2)]
    cells_nv = sparse.csr_array(sparse.vstack(two_types))
    assert judge(with_values(cells_nv, np.sqrt(cells_nv.data))).empty_up_to == 0


def test_counts_thinned_to_one_depth_are_counts():
    rng = np.random.default_rng(0)
    share_nv = shares(PANEL_NV[:100]) + 0.02
    thinned = [rng.multinomial(300, share_v / share_v.sum()) for share_v in share_nv]
    assert judge(sparse.csr_array(np.array(thinned, dtype=np.float32))).kind is Kind.COUNTS


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused_with_their_place(bad):
    values_nv = COUNTS_NV[:10].copy()
    values_nv.data[[values_nv.indptr[7], values_nv.indptr[9]]] = bad
    probe = CountsProbe()
    probe.update(COUNTS_NV[:100])
    with pytest.raises(
        CountsError, match=rf"2 of the values.*NaN or infinite.*cell 107, gene {values_nv.indices[values_nv.indptr[7]]}"
    ):
        probe.update(values_nv)


def test_negative_values_are_refused_as_scaled():
    dense_nv = with_values(COUNTS_NV, np.log1p(normalised(COUNTS_NV, 1e4))).toarray()
    with pytest.raises(
        CountsError, match=r"are negative \(the first at cell 0, gene \d+.*looks scaled.*layers\['counts'\]"
    ):
        judge(sparse.csr_array(dense_nv - dense_nv.mean(axis=0)))


def test_cells_without_counts_are_counted_and_stay_empty():
    holes_nv = sparse.csr_array(
        sparse.vstack([sparse.csr_array((2, 3000)), COUNTS_NV[:50], sparse.csr_array((1, 3000))])
    )
    for values_nv in (holes_nv, with_values(holes_nv, np.log1p(normalised(holes_nv, 1e4)))):
        verdict = judge(values_nv)
        assert (verdict.n_cells, verdict.n_empty) == (53, 3)
        assert (recover(values_nv, verdict) != holes_nv).nnz == 0


@pytest.mark.parametrize("shape", [(0, 5), (4, 5), (4, 0)])
def test_nothing_but_zeros_is_refused(shape):
    verdict = judge(sparse.csr_array(shape, dtype=np.float32))
    assert (verdict.kind, verdict.usable, verdict.n_cells, verdict.n_empty) == (Kind.NOTHING, False, shape[0], shape[0])


def test_of_scales_that_differ_by_the_last_digits_only_the_first_is_taken():
    logged = np.array([[8.517193] * 4, [8.517193] * 4, [8.294049, 8.987197, 8.294049, 8.294049]], dtype=np.float32)
    verdict = judge(sparse.csr_array(np.hstack([logged, np.zeros((3, 96), dtype=np.float32)])))
    assert verdict.kind is Kind.LOG1P, verdict.evidence


def test_cells_whose_values_cancel_are_no_square_roots():
    two_nv = np.where(np.arange(400) < [[150], [151]], 0.5, -0.5)
    values_nv = sparse.csr_array(np.tile(two_nv, (10, 1)).astype(np.float32))
    verdict = judge(values_nv)
    assert verdict.kind is Kind.NORMALISED, verdict.evidence
    assert np.isfinite(recover(values_nv, verdict).data).all()


def test_identical_cells_are_judged_without_trouble():
    same_nv = sparse.csr_array(np.tile(COUNTS_NV[:1].toarray(), (30, 1)))
    assert judge(same_nv).kind is Kind.COUNTS
    assert judge(with_values(same_nv, np.log1p(normalised(same_nv, 1e4)))).kind is Kind.LOG1P
    assert judge(sparse.csr_array(np.ones((30, 2000)))).kind is Kind.NOTHING


def test_a_few_fractional_cells_are_refused_without_a_guess():
    verdict = judge(sparse.csr_array(np.array([[30.37, 2.71, 9.44], [4.13, 1.69, 70.21]])))
    assert (verdict.kind, verdict.usable) == (Kind.UNKNOWN, False)


@pytest.mark.rows(30)
def test_huge_counts_keep_their_digits():
    values_nv = sparse.csr_array(np.array([[16_777_216, 1, 0], [1e7, 3e6, 2]] * 40, dtype=np.float64))
    verdict = judge(values_nv)
    assert verdict.kind is Kind.COUNTS
    assert (recover(values_nv, verdict) != values_nv).nnz == 0


def test_unsorted_repeated_and_stored_zero_entries_change_nothing():
    messy_nv = sparse.csr_array((np.array([1.0, 2, 3, 0]), np.array([2, 0, 2, 1]), np.array([0, 4])), shape=(1, 3))
    before = messy_nv.data.copy(), messy_nv.indices.copy()
    verdict = judge(messy_nv)
    assert recover(messy_nv, verdict).toarray().tolist() == [[2, 0, 4]]
    np.testing.assert_array_equal(messy_nv.data, before[0])
    np.testing.assert_array_equal(messy_nv.indices, before[1])


@settings(deadline=None)
@given(counts(), st.integers(1, 7))
def test_blocks_of_any_size_lead_to_the_same_verdict(counts_nv, block):
    whole, parts = judge(counts_nv), judge(counts_nv, block=block)
    assert (whole.kind, whole.n_cells, whole.n_empty) == (parts.kind, parts.n_cells, parts.n_empty)


@settings(deadline=None)
@given(counts(), st.sampled_from(sorted(STORED)))
def test_no_stored_form_of_counts_breaks_the_judgement(counts_nv, stored):
    values_nv = with_values(counts_nv, STORED[stored][2](counts_nv)) if counts_nv.nnz else counts_nv
    verdict = judge(values_nv)
    if verdict.usable:
        back_nv = recover(values_nv, verdict)
        assert np.isfinite(back_nv.data).all()
        assert (back_nv.data > 0).all()
        assert back_nv.has_canonical_format
        assert ((back_nv.sum(axis=1) > 0) == (values_nv.sum(axis=1) > 0)).all()


def test_memory_doesnt_grow_with_cells():
    values_nv = with_values(PANEL_NV, np.log1p(normalised(PANEL_NV, 1e4)))
    probe = CountsProbe()
    for _ in range(3):
        probe.update(values_nv)
    tracemalloc.start()
    for _ in range(20):
        probe.update(values_nv)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 1_000_000


def proportions(values_nv) -> sparse.csr_array:
    """Give what `shares` does, without its zeros."""
    return with_values(values_nv, normalised(values_nv, 1)).astype(np.float64)


@pytest.mark.slow
@pytest.mark.real
def test_real_sets_are_judged_right(data_folder):
    traps = {"macparland2018_liver_scpagwas": Kind.ROUNDED_LOG, "yan2013_embryo_sc3": Kind.PER_LENGTH}
    for path in sorted(data_folder.glob("*/*.h5ad")):
        verdict = judge(sparse.csr_array(anndata.read_h5ad(path).X))
        assert verdict.kind is traps.get(path.stem, Kind.COUNTS), f"{path.stem}: {verdict.evidence}"
        assert verdict.usable is (verdict.kind is not Kind.ROUNDED_LOG)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize(
    "name",
    ["train/pbmc3k_10x", "train/darmanis2015_brain", "test/he2020_marrow_421genes_ref", "test/cosmx_nsclc_960_profast"],
)
def test_real_counts_come_back_from_every_scale(data_folder, name):
    counts_nv = sparse.csr_array(anndata.read_h5ad(data_folder / f"{name}.h5ad").X)[:400]
    for stored, (kind, _, store) in STORED.items():
        values_nv = with_values(counts_nv, store(counts_nv))
        verdict = judge(values_nv)
        assert verdict.kind is kind, f"{stored}: {verdict.evidence}"
        apart_nv = proportions(recover(values_nv, verdict)) - proportions(counts_nv)
        assert abs(apart_nv).sum(axis=1).max() < 0.003, stored
