from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from spoticell.annotation import sinks as module
from spoticell.annotation.allowed import allowed_types
from spoticell.annotation.pipeline import annotate_blocks, check_threshold
from spoticell.annotation.result import BARRED, EMPTY
from spoticell.annotation.sinks import Collector, spread_sample
from spoticell.errors import ConfigError
from spoticell.io.findings import inspect
from spoticell.io.in_memory import AnnDataCells
from spoticell.model.calibration import Calibration
from spoticell.model.runtime import Runtime


@pytest.fixture(scope="module")
def runtime(tiny_bundle):
    return Runtime(tiny_bundle, threads=1)


def run(adata, runtime, *, threshold=0.5, allowed=None, block=2048, **options):
    source = AnnDataCells(adata)
    findings = inspect(source, runtime.bundle.vocabulary)
    collector = Collector(source, findings, runtime, threshold=threshold, allowed=allowed, **options)
    for part in annotate_blocks(source, findings, runtime, threshold=threshold, allowed=allowed, block=block):
        collector.add(part)
    return collector.finish()


def test_cells_get_the_type_whose_genes_they_express_and_empty_ones_none(tiny_cells, runtime, tiny_answers):
    annotation = run(tiny_cells, runtime)
    assert annotation.terms_n.tolist() == tiny_answers
    assert annotation.names_n[0] == "B cell"
    assert annotation.broad_n[5] == "T cell"
    assert (annotation.score_n[:-1] > 0.9).all()
    assert (annotation.names_n[-1], annotation.broad_n[-1], annotation.score_n[-1]) == ("unknown", "unknown", 0)
    assert not annotation.fingerprint_sd[-1].any()
    assert annotation.n_counts_n[0] == tiny_cells.X[[0]].sum()
    assert annotation.n_genes_n[0] == tiny_cells.X[[0]].nnz


def test_only_allowed_types_are_answered_and_cells_of_others_are_unknown_for_a_reason_of_their_own(
    tiny_cells, runtime, tiny_answers
):
    allowed = allowed_types(runtime.bundle, allow=["T cell", "fibroblast"])
    annotation = run(tiny_cells, runtime, allowed=allowed, keep_probabilities=True)
    kept = {"CL:0000624", "CL:0000625", "CL:0000057"}
    assert annotation.terms_n.tolist() == [term if term in kept else "unknown" for term in tiny_answers]
    assert annotation.why_unknown() == {EMPTY: 1, BARRED: 15}
    barred_n = ~np.isin(tiny_answers, list(kept))
    assert not annotation.probabilities_nm[barred_n].any()
    assert annotation.allowed is allowed


def test_a_cell_between_two_types_is_given_to_the_one_that_is_allowed(tiny_cells, runtime):
    mixed = tiny_cells[:5].copy()
    mixed.X = mixed.X + tiny_cells.X[5:10]
    assert set(run(mixed, runtime, threshold=0.9).names_n) == {"lymphocyte"}
    allowed = allowed_types(runtime.bundle, deny=["T cell"])
    assert set(run(mixed, runtime, threshold=0.9, allowed=allowed).names_n) == {"B cell"}


def test_fingerprints_do_not_depend_on_what_is_allowed(tiny_cells, runtime):
    kept = run(tiny_cells, runtime, allowed=allowed_types(runtime.bundle, tissue="blood"))
    np.testing.assert_array_equal(kept.fingerprint_sd, run(tiny_cells, runtime).fingerprint_sd)


def test_the_size_of_blocks_changes_nothing(tiny_cells, runtime):
    whole, parts = (
        run(tiny_cells, runtime, keep_probabilities=True),
        run(tiny_cells, runtime, block=7, keep_probabilities=True),
    )
    np.testing.assert_array_equal(parts.answer_n, whole.answer_n)
    np.testing.assert_allclose(parts.probabilities_nm, whole.probabilities_nm, atol=1e-6)
    assert [example.position for example in parts.examples] == [example.position for example in whole.examples]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_genes_changes_no_bit_and_that_of_cells_only_the_order(tiny_cells, runtime, seed):
    rng = np.random.default_rng(seed)
    before = run(tiny_cells, runtime)
    genes = run(tiny_cells[:, rng.permutation(tiny_cells.n_vars)].copy(), runtime)
    np.testing.assert_array_equal(genes.answer_n, before.answer_n)
    np.testing.assert_array_equal(genes.score_n, before.score_n)
    np.testing.assert_array_equal(genes.fingerprint_sd, before.fingerprint_sd)
    order = rng.permutation(tiny_cells.n_obs)
    cells = run(tiny_cells[order].copy(), runtime)
    np.testing.assert_array_equal(cells.answer_n, before.answer_n[order])
    np.testing.assert_allclose(cells.score_n, before.score_n[order], atol=1e-6)


def test_a_cell_alone_gets_the_answer_that_it_gets_among_others(tiny_cells, runtime):
    together = run(tiny_cells, runtime)
    for row in (0, 12, 29):
        alone = run(tiny_cells[[row]].copy(), runtime)
        assert alone.terms_n[0] == together.terms_n[row]
        np.testing.assert_allclose(alone.score_n[0], together.score_n[row], atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint16, np.float32])
@pytest.mark.parametrize("layout", [sparse.csr_matrix, sparse.csc_matrix, np.asfortranarray])
def test_how_a_matrix_is_stored_changes_nothing(tiny_cells, runtime, dtype, layout):
    before = run(tiny_cells, runtime)
    tiny_cells.X = layout(tiny_cells.X.toarray().astype(dtype))
    after = run(tiny_cells, runtime)
    np.testing.assert_array_equal(after.score_n, before.score_n)
    np.testing.assert_array_equal(after.answer_n, before.answer_n)


def test_log_normalised_cells_get_the_answers_of_their_counts(tiny_cells, runtime, tiny_answers):
    counts = tiny_cells.X.toarray()
    tiny_cells.X = sparse.csr_matrix(np.log1p(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 1e4))
    annotation = run(tiny_cells, runtime)
    assert annotation.terms_n.tolist() == tiny_answers
    np.testing.assert_allclose(annotation.n_counts_n, counts.sum(axis=1))


def test_the_scores_of_a_calibrated_bundle_are_chances_of_being_right(tiny_bundle, tiny_cells, tiny_answers):
    doubt = Calibration(slope=0.5, depth=1.0, intercept=-0.2)
    manifest = tiny_bundle.manifest.model_copy(update={"calibration": doubt})
    plain = run(tiny_cells, Runtime(tiny_bundle, threads=1), threshold=0.1, keep_probabilities=True)
    found = run(tiny_cells, Runtime(replace(tiny_bundle, manifest=manifest), threads=1), threshold=0.1)
    expected_nm = doubt.apply(plain.probabilities_nm, plain.n_counts_n)
    assert found.terms_n.tolist() == tiny_answers
    np.testing.assert_allclose(found.score_n[:-1], expected_nm[np.arange(30), found.answer_n[:-1]], rtol=1e-6)
    assert found.score_n[-1] == 0


def test_a_higher_threshold_gives_broader_answers_or_none(tiny_cells, runtime):
    tiny_cells.X = sparse.csr_matrix(np.ones(tiny_cells.shape, dtype=np.float32))
    low, high = run(tiny_cells, runtime, threshold=0.2), run(tiny_cells, runtime, threshold=0.95)
    assert (low.answer_n >= 0).all()
    assert (high.answer_n == -1).all()
    assert high.why_unknown() == {"no type passed the threshold": 31}
    assert low.why_unknown() == {}


def test_the_summary_counts_every_cell_once_with_unknown_last(tiny_cells, runtime):
    annotation = run(tiny_cells, runtime)
    table = annotation.summary()
    assert table["cells"].sum() == 31
    assert table["share"].sum() == pytest.approx(1)
    assert table["cell_type"].iloc[-1] == "unknown"
    assert annotation.why_unknown() == {"no counts in known genes": 1}


def test_fingerprints_are_held_for_an_even_sample_only_and_probabilities_only_if_asked_for(tiny_cells, runtime):
    annotation, full = run(tiny_cells, runtime, sample=10, block=4), run(tiny_cells, runtime, keep_probabilities=True)
    assert annotation.fingerprint_sd.shape == (10, 8)
    np.testing.assert_array_equal(annotation.fingerprint_sd, full.fingerprint_sd[annotation.sample_s])
    assert annotation.probabilities_nm is None
    np.testing.assert_array_equal(full.sample_s, np.arange(31))
    assert full.probabilities_nm.shape == (31, len(full.nodes))


def test_examples_are_the_surest_cells_of_the_commonest_types(tiny_cells, runtime):
    rows = [*range(20), 25]
    annotation = run(tiny_cells[rows].copy(), runtime)
    assert [annotation.names[example.answer] for example in annotation.examples].count("fibroblast") == 1
    for example in annotation.examples:
        same = annotation.answer_n == example.answer
        assert example.score == annotation.score_n[same].max()
        assert example.name == tiny_cells.obs_names[rows[example.position]]
        assert example.counts_g.sum() == annotation.n_counts_n[example.position]


@given(st.integers(0, 3000), st.integers(1, 500), st.integers(0, 9))
def test_samples_rise_are_spread_evenly_and_hold_everything_that_fits(n, size, seed):
    sample = spread_sample(n, size, rng=np.random.default_rng(seed))
    assert len(sample) == min(n, size)
    assert (np.diff(sample) > 0).all()
    if n:
        gaps = np.diff([0, *sample, n - 1])
        assert gaps.max() <= 2 * np.ceil(n / len(sample))


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_thresholds_that_are_no_probabilities_are_refused(tiny_bundle, threshold):
    with pytest.raises(ConfigError, match="from 0 to 1"):
        check_threshold(threshold, tiny_bundle)


def test_the_threshold_is_the_bundles_unless_given(tiny_bundle):
    assert check_threshold(None, tiny_bundle) == 0.5
    assert check_threshold(0.0, tiny_bundle) == 0.0


def test_with_threshold_zero_empty_cells_are_still_unknown(tiny_cells, runtime):
    assert run(tiny_cells, runtime, threshold=0.0).terms_n[-1] == "unknown"
    assert module.SAMPLE >= 10_000
