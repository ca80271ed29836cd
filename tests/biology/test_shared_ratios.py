"""Ratios that cells share, which tell a logarithm of RPKM or FPKM."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.counts import CountsProbe
from spoticell.biology.scales import Kind
from spoticell.biology.shared_ratios import share_ratios

RNG = np.random.default_rng(5)
READS_NV = RNG.poisson(RNG.lognormal(1.5, 1.8, 1500) * RNG.lognormal(0, 0.4, (60, 1)) * RNG.gamma(2, 0.5, (60, 1500)))
LENGTH_V = RNG.lognormal(7.5, 0.8, 1500)


def fpkm(counts_nv: np.ndarray) -> np.ndarray:
    """Give reads by a thousand bases of a million reads, of which a share of each cell is of no gene."""
    share_n = np.random.default_rng(1).uniform(0.4, 0.9, (len(counts_nv), 1))
    return counts_nv / LENGTH_V / counts_nv.sum(axis=1, keepdims=True) * share_n * 1e9


def judge(values_nv: np.ndarray):
    probe = CountsProbe()
    probe.update(sparse.csr_array(values_nv.astype(np.float32)))
    return probe.verdict()


@pytest.mark.parametrize(("log", "kind"), [(np.log1p, Kind.LOG1P), (np.log2, Kind.LOG2), (np.log10, Kind.LOG10)])
def test_the_logarithm_of_fpkm_is_told_from_reads(log, kind):
    values_nv = log(fpkm(READS_NV) + (log is not np.log1p))
    verdict = judge(values_nv)
    assert (verdict.kind, verdict.usable, verdict.by_genes) == (kind, True, True), verdict.evidence


def test_a_logarithm_rounded_to_few_decimals_is_refused_rather_than_guessed():
    verdict = judge(np.log2(fpkm(READS_NV) + 1).round(3))
    assert not verdict.usable
    assert "logarithms of RPKM or FPKM" in verdict.evidence
    assert "before the logarithm" in verdict.evidence


def test_values_over_the_mean_of_each_gene_are_no_fpkm():
    values_nv = np.log2(READS_NV / READS_NV.mean(axis=0).clip(1e-9) * RNG.lognormal(0, 0.4, (60, 1)) + 1)
    assert not judge(values_nv).usable


def test_whole_numbers_whose_totals_hardly_grow_are_no_counts_of_reads():
    counts_nv = READS_NV.copy()
    # cells differ in how many genes they have
    for cell, kept in enumerate(np.linspace(0.3, 1, len(counts_nv))):
        counts_nv[cell, RNG.random(counts_nv.shape[1]) > kept] = 0
    assert judge(counts_nv).kind is Kind.COUNTS
    verdict = judge(np.rint(fpkm(counts_nv)))
    assert (verdict.kind, verdict.usable, verdict.by_genes) == (Kind.PER_LENGTH, True, True), verdict.evidence


def test_cells_that_are_equal_up_to_noise_tell_nothing():
    values_nv = np.tile(READS_NV[:1], (20, 1)).astype(float)
    assert share_ratios(sparse.csr_array(values_nv)) == 0


def test_few_cells_tell_nothing():
    assert share_ratios(sparse.csr_array(fpkm(READS_NV)[:5])) == 0
    assert share_ratios(sparse.csr_array(fpkm(READS_NV)[:6])) == 1
