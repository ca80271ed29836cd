from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest

from spoticell.allowed import allowed_types
from spoticell.bundle import load_bundle
from spoticell.errors import ConfigError

B, CD4, CD8, NK, MONOCYTE, FIBROBLAST = (
    "CL:0000236", "CL:0000624", "CL:0000625", "CL:0000623", "CL:0001054", "CL:0000057"
)  # fmt: skip


def left(bundle, **asked):
    allowed = allowed_types(bundle, **asked)
    return {label for label, stays in zip(bundle.manifest.labels, allowed.allowed_c, strict=True) if stays}


def test_nothing_said_is_no_restriction(tiny_bundle):
    assert allowed_types(tiny_bundle) is None
    assert allowed_types(tiny_bundle, allow=[], deny=()) is None


@pytest.mark.parametrize("word", ["CL:0000084", "cl_0000084", "T cell", "t lymphocyte", "T-cell"])
def test_types_are_named_by_id_name_or_synonym(tiny_bundle, word):
    assert left(tiny_bundle, allow=[word]) == left(tiny_bundle, allow=word) == {CD4, CD8}


def test_allowed_types_less_denied_ones_less_those_of_other_tissues_are_left(tiny_bundle):
    assert left(tiny_bundle, allow=["lymphocyte", "fibroblast"]) == {B, CD4, CD8, NK, FIBROBLAST}
    assert left(tiny_bundle, allow=["lymphocyte", "fibroblast"], deny=["T cell"]) == {B, NK, FIBROBLAST}
    assert left(tiny_bundle, allow=["lymphocyte", "fibroblast"], deny=["T cell"], tissue="PBMC") == {B, NK}
    assert left(tiny_bundle, deny=["leukocyte"]) == {FIBROBLAST}


def test_the_record_is_in_terms_without_repeats_in_one_order(tiny_bundle):
    asked = allowed_types(tiny_bundle, allow=["T cell", "B cell", "CL:0000084"], tissue="pbmc")
    assert asked.record() == {"allow": ["CL:0000084", "CL:0000236"], "deny": [], "tissue": "blood", "labels": 3}
    assert asked.record() == allowed_types(tiny_bundle, allow=["B cell", "T cell"], tissue="blood").record()
    assert asked.options() == ["--tissue", "blood", "--allow", "CL:0000084", "--allow", "CL:0000236"]
    assert "3 of the 6 types" in asked.describe()
    assert "T cell (CL:0000084)" in asked.describe()


@pytest.mark.parametrize(
    ("word", "close"),
    [
        ("hepatocite", "'hepatocyte'"),
        ("CD4 T cells", "'CD4-positive, alpha-beta T cell'"),
        ("Natural killer", "'natural killer cell'"),
    ],
)
@pytest.mark.parametrize("how", ["allow", "deny"])
def test_a_word_that_names_no_type_is_refused_with_those_that_are_close(tiny_bundle, word, close, how):
    with pytest.raises(ConfigError) as error:
        allowed_types(tiny_bundle, **{how: [word]})
    assert str(error.value).startswith(f"{word!r} is no id, name or exact synonym")
    assert close in str(error.value)


@pytest.mark.parametrize("word", ["", "xyzzy", "CL:9999999", "\0", "q" * 5000])
def test_a_word_that_is_like_nothing_is_refused_in_a_few_words(tiny_bundle, word):
    with pytest.raises(ConfigError, match="no id, name or exact synonym") as error:
        allowed_types(tiny_bundle, allow=[word])
    assert len(str(error.value)) < 500


def test_allowing_only_what_the_bundle_does_not_know_is_refused_and_says_what_it_does_know(tiny_bundle):
    with pytest.raises(
        ConfigError, match=r"knows neither CD4-positive, alpha-beta memory T cell \(CL:0000897\)"
    ) as error:
        allowed_types(tiny_bundle, allow=["CL:0000897"])
    assert f"CD4-positive, alpha-beta T cell ({CD4})" in str(error.value)


def test_other_types_that_the_bundle_does_not_know_are_warned_of(tiny_bundle, caplog):
    with caplog.at_level(logging.WARNING, logger="spoticell"):
        assert left(tiny_bundle, allow=["hepatocyte", "B cell"]) == {B}
        assert left(tiny_bundle, deny=["neuron"]) == set(tiny_bundle.manifest.labels)
    words = [record.getMessage() for record in caplog.records]
    assert words == [
        "the bundle tiny knows neither hepatocyte (CL:0000182) nor a subtype",
        "the bundle tiny knows neither neuron (CL:0000540) nor a subtype",
    ]


@pytest.mark.parametrize(
    "asked",
    [{"deny": ["cell"]}, {"allow": ["T cell"], "deny": ["T cell"]}, {"allow": ["fibroblast"], "tissue": "blood"}],
)
def test_a_choice_that_leaves_no_type_is_refused(tiny_bundle, asked):
    with pytest.raises(ConfigError, match="no type is left to answer with"):
        allowed_types(tiny_bundle, **asked)


def test_a_bundle_of_another_release_of_the_ontology_answers_freely_only(tiny_bundle):
    other = replace(tiny_bundle, manifest=tiny_bundle.manifest.model_copy(update={"ontology_version": "2020-01-01"}))
    assert allowed_types(other) is None
    with pytest.raises(ConfigError, match="2020-01-01"):
        allowed_types(other, tissue="lung")


def test_the_weights_of_the_shipped_bundle_come_back_from_its_nodes():
    bundle = load_bundle()
    everything = allowed_types(bundle, allow=["cell"])
    rng = np.random.default_rng(0)
    reach_cm = np.array([[node in above for node in bundle.nodes] for above in _above(bundle)], dtype=np.float32)
    weight_nc = rng.dirichlet(np.full(len(reach_cm), 0.02), size=200).astype(np.float32)
    np.testing.assert_allclose(everything.restrict(weight_nc @ reach_cm), weight_nc @ reach_cm, atol=1e-5)


def _above(bundle):
    from spoticell.ontology import load_ontology  # noqa: PLC0415

    return [load_ontology().ancestors(label) for label in bundle.manifest.labels]
