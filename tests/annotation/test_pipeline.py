from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from tests.conftest import tiny_adata

from spoticell import annotate
from spoticell.annotation import first_blocks as first_blocks_module
from spoticell.annotation import pipeline
from spoticell.annotation.first_blocks import STEP, first_blocks
from spoticell.annotation.options import Options
from spoticell.annotation.reasons import BARRED, EMPTY
from spoticell.annotation.sample_tissue import SampleTissues
from spoticell.annotation.sinks import SAMPLE, ResultSink, spread_sample
from spoticell.errors import BundleError, CountsError
from spoticell.io import open_cells
from spoticell.io.findings import inspect
from spoticell.io.in_memory import AnnDataCells
from spoticell.model.calibration import Calibration, Softening
from spoticell.model.runtime import Runtime

ASKED = {
    "nothing": {},
    "deny": {"deny": ["T cell"]},
    "tissue": {"tissue": "lung"},
    "any": {"tissue": "any"},
    "allow": {"allow": ["T cell"]},
}


def answered(adata, bundle, *, threshold=0.5, size=STEP, sample=SAMPLE, **asked):
    """Give the annotation of an object, and the probabilities of its cells."""
    source, options = AnnDataCells(adata), Options(bundle, threshold=threshold, threads=1, **asked)
    findings = inspect(source, bundle.vocabulary)
    result, probabilities = ResultSink(source, findings, options, sample=sample), []
    runtime = Runtime(bundle, threads=1)
    for block in first_blocks(source, findings, options, runtime=runtime, tissues=None, size=size):
        result.see(block)
        result.add(block.alone)
        probabilities.append(block.alone.probabilities_nm)
    return result.finish(), np.concatenate(probabilities)


def run(adata, bundle, **asked):
    return answered(adata, bundle, **asked)[0]


@pytest.mark.rows(27)
def test_cells_get_the_type_whose_genes_they_express_and_empty_ones_none(tiny_cells, tiny_bundle, tiny_answers):
    annotation = run(tiny_cells, tiny_bundle)
    assert annotation.terms_n.tolist() == tiny_answers
    assert annotation.names_n[0] == "B cell"
    assert annotation.broad_n[5] == "T cell"
    assert (annotation.score_n[:-1] > 0.9).all()
    assert (annotation.names_n[-1], annotation.broad_n[-1], annotation.score_n[-1]) == ("unknown", "unknown", 0)
    assert not annotation.fingerprint_sd[-1].any()
    assert annotation.n_counts_n[0] == tiny_cells.X[[0]].sum()
    assert annotation.n_genes_n[0] == tiny_cells.X[[0]].nnz


def test_only_allowed_types_are_answered_and_cells_of_others_are_unknown_for_a_reason_of_their_own(
    tiny_cells, tiny_bundle, tiny_answers
):
    annotation, probabilities_nm = answered(tiny_cells, tiny_bundle, allow=["T cell", "fibroblast"])
    kept = {"CL:0000624", "CL:0000625", "CL:0000057"}
    assert annotation.terms_n.tolist() == [term if term in kept else "unknown" for term in tiny_answers]
    assert annotation.why_unknown() == {EMPTY: 1, BARRED: 15}
    barred_n = ~np.isin(tiny_answers, list(kept))
    assert not probabilities_nm[barred_n].any()
    assert annotation.allowed.allow == ("CL:0000057", "CL:0000084")


def test_a_cell_between_two_types_is_given_to_the_one_that_is_allowed(tiny_cells, tiny_bundle):
    mixed = tiny_cells[:5].copy()
    mixed.X = mixed.X + tiny_cells.X[5:10]
    assert set(run(mixed, tiny_bundle, threshold=0.9).names_n) == {"lymphocyte"}
    assert set(run(mixed, tiny_bundle, threshold=0.9, deny=["T cell"]).names_n) == {"B cell"}


def test_fingerprints_do_not_depend_on_what_is_allowed(tiny_cells, tiny_bundle):
    kept = run(tiny_cells, tiny_bundle, tissue="blood")
    np.testing.assert_array_equal(kept.fingerprint_sd, run(tiny_cells, tiny_bundle).fingerprint_sd)


def test_the_size_of_blocks_changes_nothing(tiny_cells, tiny_bundle):
    whole, whole_nm = answered(tiny_cells, tiny_bundle)
    parts, parts_nm = answered(tiny_cells, tiny_bundle, size=7)
    np.testing.assert_array_equal(parts.answer_n, whole.answer_n)
    np.testing.assert_allclose(parts_nm, whole_nm, atol=1e-6)
    assert [example.position for example in parts.examples] == [example.position for example in whole.examples]


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.rows(46)
def test_the_order_of_genes_changes_no_bit_and_that_of_cells_only_the_order(tiny_cells, tiny_bundle, seed):
    rng = np.random.default_rng(seed)
    before = run(tiny_cells, tiny_bundle)
    genes = run(tiny_cells[:, rng.permutation(tiny_cells.n_vars)].copy(), tiny_bundle)
    np.testing.assert_array_equal(genes.answer_n, before.answer_n)
    np.testing.assert_array_equal(genes.score_n, before.score_n)
    np.testing.assert_array_equal(genes.fingerprint_sd, before.fingerprint_sd)
    order = rng.permutation(tiny_cells.n_obs)
    cells = run(tiny_cells[order].copy(), tiny_bundle)
    np.testing.assert_array_equal(cells.answer_n, before.answer_n[order])
    np.testing.assert_allclose(cells.score_n, before.score_n[order], atol=1e-6)


@pytest.mark.rows(28)
def test_a_cell_alone_gets_the_answer_that_it_gets_among_others(tiny_cells, tiny_bundle):
    together = run(tiny_cells, tiny_bundle)
    for row in (0, 12, 29):
        alone = run(tiny_cells[[row]].copy(), tiny_bundle)
        assert alone.terms_n[0] == together.terms_n[row]
        np.testing.assert_allclose(alone.score_n[0], together.score_n[row], atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint16, np.float32])
@pytest.mark.parametrize("layout", [sparse.csr_matrix, sparse.csc_matrix, np.asfortranarray])
@pytest.mark.rows(31)
def test_how_a_matrix_is_stored_changes_nothing(tiny_cells, tiny_bundle, dtype, layout):
    before = run(tiny_cells, tiny_bundle)
    tiny_cells.X = layout(tiny_cells.X.toarray().astype(dtype))
    after = run(tiny_cells, tiny_bundle)
    np.testing.assert_array_equal(after.score_n, before.score_n)
    np.testing.assert_array_equal(after.answer_n, before.answer_n)


@pytest.mark.rows(23)
def test_log_normalised_cells_get_the_answers_of_their_counts(tiny_cells, tiny_bundle, tiny_answers):
    counts = tiny_cells.X.toarray()
    tiny_cells.X = sparse.csr_matrix(np.log1p(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 1e4))
    annotation = run(tiny_cells, tiny_bundle)
    assert annotation.terms_n.tolist() == tiny_answers
    np.testing.assert_allclose(annotation.n_counts_n, counts.sum(axis=1))


def test_the_scores_of_a_calibrated_bundle_are_chances_of_being_right(tiny_bundle, tiny_cells, tiny_answers):
    doubt = Calibration(slope=0.5, depth=1.0, intercept=-0.2)
    manifest = tiny_bundle.manifest.model_copy(update={"calibration": doubt})
    plain, plain_nm = answered(tiny_cells, tiny_bundle, threshold=0.1)
    found = run(tiny_cells, replace(tiny_bundle, manifest=manifest), threshold=0.1)
    expected_nm = doubt.apply(plain_nm, plain.n_counts_n)
    assert found.terms_n.tolist() == tiny_answers
    np.testing.assert_allclose(found.score_n[:-1], expected_nm[np.arange(30), found.answer_n[:-1]], rtol=1e-6)
    assert found.score_n[-1] == 0


def test_a_higher_threshold_gives_broader_answers_or_none(vague_cells, tiny_bundle):
    low, high = run(vague_cells, tiny_bundle, threshold=0.2), run(vague_cells, tiny_bundle, threshold=0.999)
    assert (low.answer_n >= 0).all()
    assert (high.answer_n == -1).all()
    assert high.why_unknown() == {"no type passed the threshold": 31}
    assert low.why_unknown() == {}


def test_the_summary_counts_every_cell_once_with_unknown_last(tiny_cells, tiny_bundle):
    annotation = run(tiny_cells, tiny_bundle)
    table = annotation.summary()
    assert table["cells"].sum() == 31
    assert table["share"].sum() == pytest.approx(1)
    assert table["cell_type"].iloc[-1] == "unknown"
    assert annotation.why_unknown() == {"no counts in known genes": 1}


def test_fingerprints_are_held_for_an_even_sample_only(tiny_cells, tiny_bundle):
    annotation, full = run(tiny_cells, tiny_bundle, sample=10, size=4), run(tiny_cells, tiny_bundle)
    assert annotation.fingerprint_sd.shape == (10, 8)
    np.testing.assert_array_equal(annotation.fingerprint_sd, full.fingerprint_sd[annotation.sample_s])
    np.testing.assert_array_equal(full.sample_s, np.arange(31))
    assert SAMPLE >= 10_000


class Witness:
    """A sink that writes down what it is told, and fails where it shall."""

    def __init__(self, told, name, fails=""):
        self.told, self.name, self.fails = told, name, fails

    def __getattr__(self, step):
        def tell(*_):
            self.told.append(f"{self.name} {step}")
            if step == self.fails:
                raise KeyboardInterrupt

        return tell


def test_sinks_are_begun_before_the_first_block_and_get_every_block(tiny_cells, tiny_bundle):
    told = []
    source, options = AnnDataCells(tiny_cells), Options(tiny_bundle)
    findings = inspect(source, tiny_bundle.vocabulary)
    pipeline.run(source, findings, options, [Witness(told, "a"), Witness(told, "b")])
    assert told == ["a begin", "b begin", "a see", "b see", "a add", "b add", "a finish", "b finish"]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_network_is_loaded_once_while_cells_are_looked_at(tiny_h5ad, tiny_bundle, monkeypatch, threads):
    loaded, look = [], pipeline.load_network
    monkeypatch.setattr(pipeline, "load_network", lambda options: loaded.append(options) or look(options))
    monkeypatch.setattr(first_blocks_module, "load_network", None)
    with open_cells(tiny_h5ad) as source:
        pipeline.annotate_source(source, Options(tiny_bundle, threads=threads))
    assert len(loaded) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_cells_that_cant_be_used_are_told_before_a_network_that_cant(tiny_cells, tiny_bundle, monkeypatch, threads):
    def fails(options):
        raise BundleError("the network can't be loaded.")

    monkeypatch.setattr(pipeline, "load_network", fails)
    options = Options(tiny_bundle, threads=threads)
    with pytest.raises(BundleError):
        pipeline.annotate_source(AnnDataCells(tiny_cells), options)
    bad = tiny_cells.copy()
    bad.X = -bad.X
    with pytest.raises(CountsError):
        pipeline.annotate_source(AnnDataCells(bad), options)


@pytest.mark.parametrize(
    ("fails", "abandoned"), [("begin", {"a"}), ("see", {"a", "b"}), ("add", {"a", "b"}), ("finish", {"a", "b"})]
)
def test_sinks_that_were_begun_are_abandoned_together_if_one_fails(tiny_cells, tiny_bundle, fails, abandoned):
    told = []
    source = AnnDataCells(tiny_cells)
    findings = inspect(source, tiny_bundle.vocabulary)
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(source, findings, Options(tiny_bundle), [Witness(told, "a"), Witness(told, "b", fails)])
    assert {line.split()[0] for line in told if line.endswith("abandon")} == abandoned


def test_examples_are_the_surest_cells_of_the_commonest_types(tiny_cells, tiny_bundle):
    rows = [*range(20), 25]
    annotation = run(tiny_cells[rows].copy(), tiny_bundle)
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


def test_with_threshold_zero_empty_cells_are_still_unknown(tiny_cells, tiny_bundle):
    assert run(tiny_cells, tiny_bundle, threshold=0.0).terms_n[-1] == "unknown"


def test_the_cells_say_from_where_they_are_unless_that_is_told(tiny_h5ad, tiny_bundle):
    asked = {word: Options(tiny_bundle, threads=1, **given) for word, given in ASKED.items()}
    with open_cells(tiny_h5ad) as source:
        said = {word: pipeline.annotate_source(source, options).tissues for word, options in asked.items()}
    assert {word for word, tissues in said.items() if tissues is None} == {"tissue", "any", "allow"}
    assert said["nothing"].shares == said["deny"].shares == {}  # of types that all tissues have


def test_types_that_the_sample_cannot_hold_give_their_weight_to_relatives(tiny_cells, tiny_bundle):
    source, options = AnnDataCells(tiny_cells), Options(tiny_bundle, threshold=0.5, threads=1)
    no_b = np.array([node != "CL:0000236" for node in tiny_bundle.nodes])
    shown, runtime = SampleTissues({}, no_b), Runtime(tiny_bundle, threads=1)
    findings = inspect(source, tiny_bundle.vocabulary)
    (first,) = first_blocks(source, findings, options, runtime=runtime, tissues=shown)
    block = first.alone
    plain = run(tiny_cells, tiny_bundle)
    b_cells = plain.terms_n == "CL:0000236"
    assert b_cells.any()
    above = {tiny_bundle.nodes[m] for m in block.answer_n[b_cells]}
    assert above == {"CL:0000945"}  # lymphocyte of B lineage
    np.testing.assert_array_equal(block.answer_n[~b_cells], plain.answer_n[~b_cells])


def test_the_second_best_excludes_the_answer(tiny_cells, tiny_bundle):
    mixed = tiny_cells[:5].copy()
    mixed.X = 5 * mixed.X + 4 * tiny_cells.X[5:10]
    annotation = run(mixed, tiny_bundle, threshold=0.5)
    assert set(annotation.names_n) == {"B cell"}
    assert set(annotation.second_names_n) == {"CD4-positive, alpha-beta T cell"}
    assert ((annotation.second_probability_n > 0) & (annotation.second_probability_n < annotation.score_n)).all()


def test_a_model_of_another_release_of_the_ontology_is_taken_as_it_says(tiny_h5ad, tiny_bundle, tiny_answers):
    for calibrated in ({"softening": Softening(power=-0.5, depth=0)}, {}):
        changes = {"ontology_version": "2020-01-01", **calibrated}
        old = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update=changes))
        with open_cells(tiny_h5ad) as source:
            annotation = pipeline.annotate_source(source, Options(old, threads=1))
        assert annotation.tissues is None
        assert annotation.terms_n.tolist() == tiny_answers


@pytest.mark.parametrize("threads", [2, 3])
def test_the_number_of_threads_changes_no_answer(tiny_bundle, tmp_path, threads, monkeypatch):
    monkeypatch.setattr("spoticell.annotation.first_blocks.STEP", 16)
    cells = tiny_adata(per_type=30)
    cells.write_h5ad(tmp_path / "cells.h5ad")
    for number in (1, threads):
        annotate(tmp_path / "cells.h5ad", tmp_path / f"{number}.csv", model=tiny_bundle, threads=number)
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / f"{threads}.csv").read_bytes()
