from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spoticell.annotation.allowed import LEAST, Restriction, allowed_types, labels_within
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.errors import ConfigError
from spoticell.model.bundle import load_bundle

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
    assert "3 of the 6 types" in asked.describe()
    assert "T cell (CL:0000084)" in asked.describe()


@pytest.mark.parametrize(
    ("word", "close"),
    [
        ("hepatocite", "'hepatocyte'"),
        ("CD4 clones", "'CD4-positive, alpha-beta T cell'"),
        ("killer", "'natural killer cell'"),
    ],
)
@pytest.mark.parametrize("how", ["allow", "deny"])
def test_a_word_that_names_no_type_is_refused_with_those_that_are_close(tiny_bundle, word, close, how):
    with pytest.raises(ConfigError) as error:
        allowed_types(tiny_bundle, **{how: [word]})
    assert str(error.value).startswith(f"{word!r} is no id, name or synonym")
    assert close in str(error.value)


@pytest.mark.parametrize("word", ["", "xyzzy", "CL:9999999", "\0", "q" * 5000])
def test_a_word_that_is_like_nothing_is_refused_in_a_few_words(tiny_bundle, word):
    with pytest.raises(ConfigError, match="no id, name or synonym") as error:
        allowed_types(tiny_bundle, allow=[word])
    assert len(str(error.value)) < 500


def test_allowing_only_what_the_bundle_does_not_know_is_refused_and_says_what_it_does_know(tiny_bundle):
    with pytest.raises(
        ConfigError, match=r"knows neither CD4-positive, alpha-beta memory T cell \(CL:0000897\)"
    ) as error:
        allowed_types(tiny_bundle, allow=["CL:0000897"])
    assert f"CD4-positive, alpha-beta T cell ({CD4})" in str(error.value)


def test_other_types_that_the_model_does_not_know_are_noted(tiny_bundle):
    assert left(tiny_bundle, allow=["hepatocyte", "B cell"]) == {B}
    assert allowed_types(tiny_bundle, allow=["hepatocyte", "B cell"]).notes == (
        "the model tiny knows neither hepatocyte (CL:0000182) nor a subtype.",
    )
    assert left(tiny_bundle, deny=["neuron"]) == set(tiny_bundle.manifest.labels)
    assert allowed_types(tiny_bundle, deny=["neuron"]).notes == (
        "the model tiny knows neither neuron (CL:0000540) nor a subtype.",
    )


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
    from spoticell.biology.ontology import load_ontology  # noqa: PLC0415

    return [load_ontology().ancestors(label) for label in bundle.manifest.labels]


ONTOLOGY = load_ontology()

LYMPHOCYTE, T, CD4, B, NEURON = "CL:0000542", "CL:0000084", "CL:0000624", "CL:0000236", "CL:0000540"

LABELS = [T, LYMPHOCYTE, NEURON, B, CD4]

NODES, REACH = reach_matrix(LABELS, ONTOLOGY)


def restricted(weight_nc, allowed):
    """Restrict cells with some weight on each of LABELS to some of these."""
    restriction = Restriction(LABELS, NODES, ONTOLOGY, np.array([label in allowed for label in LABELS]))
    out_nm = restriction(np.float32(weight_nc) @ REACH.astype(np.float32))
    return {node: out_nm[:, m].tolist() for m, node in enumerate(NODES)}


@st.composite
def cells(draw):
    """Labels from all over the ontology, their nodes in any order, and the weights of some cells on the labels."""
    labels = draw(st.lists(st.sampled_from(ONTOLOGY.terms), min_size=2, max_size=25, unique=True))
    nodes, reach_cm = reach_matrix(labels, ONTOLOGY)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weight_nc = rng.dirichlet(np.full(len(labels), draw(st.sampled_from((0.05, 1, 20)))), size=5).astype(np.float32)
    order = rng.permutation(len(nodes))
    allowed_c = rng.random(len(labels)) < draw(st.sampled_from((0.2, 0.7)))
    allowed_c[rng.integers(len(labels))] = True
    return labels, tuple(nodes[m] for m in order), weight_nc, reach_cm[:, order], allowed_c


def test_weight_that_is_left_is_made_one_and_summed_up_the_ontology():
    out = restricted([[0.1, 0.2, 0.4, 0.2, 0.1]], {T, CD4, B})
    expected = {NEURON: 0, B: 0.5, CD4: 0.25, T: 0.5, LYMPHOCYTE: 1, "CL:0000000": 1}
    assert {node: out[node][0] for node in expected} == pytest.approx(expected, abs=1e-6)


def test_what_a_coarse_label_has_for_itself_is_lost_where_only_a_finer_one_is_allowed():
    out = restricted([[0.6, 0, 0.2, 0, 0.2]], {CD4})
    assert out[CD4] == out[T] == pytest.approx([1])
    assert out[NEURON] == [0]


@pytest.mark.parametrize(("on_t", "expected"), [(LEAST - 0.01, 0), (LEAST + 0.01, 1)])
def test_a_neuron_among_t_cells_stays_what_it_is_not(on_t, expected):
    out = restricted([[on_t, 0, 1 - on_t, 0, 0]], {T, CD4})
    assert out[T] == out["CL:0000000"] == pytest.approx([expected])


def test_a_cell_without_any_probability_keeps_none():
    assert set(map(tuple, restricted(np.zeros((2, 5)), {T}).values())) == {(0.0, 0.0)}


@given(cells())
def test_probabilities_stay_probabilities_and_parents_above_children(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    out_nm = Restriction(labels, nodes, ONTOLOGY, allowed_c)(weight_nc @ reach_cm.astype(np.float32))
    assert out_nm.dtype == np.float32
    assert out_nm.min() >= 0
    assert out_nm.max() <= 1
    place = {node: m for m, node in enumerate(nodes)}
    for node in nodes:
        for parent in ONTOLOGY.parents(node):
            assert (out_nm[:, place[parent]] >= out_nm[:, place[node]] - 1e-6).all()


@given(cells())
def test_each_cell_has_all_of_its_weight_or_none_and_none_on_what_is_out(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    out_nm = Restriction(labels, nodes, ONTOLOGY, allowed_c)(weight_nc @ reach_cm.astype(np.float32))
    left_n = weight_nc[:, allowed_c].sum(axis=1)
    root_n = out_nm[:, nodes.index("CL:0000000")]
    clear_n = np.abs(left_n - LEAST) > 1e-4
    np.testing.assert_allclose(root_n[clear_n], (left_n >= LEAST)[clear_n], atol=1e-5)
    out_m = ~reach_cm[allowed_c].any(axis=0)
    assert not out_nm[:, out_m].any()


@given(cells())
def test_weights_of_allowed_labels_keep_their_proportions(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    out_nm = Restriction(labels, nodes, ONTOLOGY, allowed_c)(weight_nc @ reach_cm.astype(np.float32))
    left_nc = np.where(allowed_c, weight_nc, 0)
    kept_n = left_nc.sum(axis=1) > LEAST + 1e-4
    expected_nm = (left_nc / np.maximum(left_nc.sum(axis=1, keepdims=True), LEAST)) @ reach_cm
    np.testing.assert_allclose(out_nm[kept_n], expected_nm[kept_n], atol=5e-5)


@given(cells())
def test_allowing_every_label_changes_nothing(case):
    labels, nodes, weight_nc, reach_cm, allowed_c = case
    probabilities_nm = weight_nc @ reach_cm.astype(np.float32)
    out_nm = Restriction(labels, nodes, ONTOLOGY, np.ones_like(allowed_c))(probabilities_nm)
    np.testing.assert_allclose(out_nm, probabilities_nm, atol=1e-5)


terms = st.lists(st.sampled_from(ONTOLOGY.terms), min_size=1, max_size=6, unique=True)


@given(terms, terms, terms)
def test_the_order_of_lists_does_not_matter(labels, allow, deny):
    within_c = labels_within(labels, ONTOLOGY, allow=allow, deny=deny)
    assert (labels_within(labels, ONTOLOGY, allow=allow[::-1], deny=deny[::-1]) == within_c).all()


@given(terms, terms)
def test_nothing_said_allows_all_the_root_allows_all_and_denying_an_allowed_term_takes_it_away(labels, some):
    assert labels_within(labels, ONTOLOGY).all()
    assert labels_within(labels, ONTOLOGY, allow=["CL:0000000"]).all()
    assert not labels_within(labels, ONTOLOGY, allow=some, deny=some).any()
    allowed_c, denied_c = labels_within(labels, ONTOLOGY, allow=some), labels_within(labels, ONTOLOGY, deny=some)
    assert (allowed_c == ~denied_c).all()


def test_no_label_at_all_and_other_nodes_are_refused():
    with pytest.raises(ConfigError, match="none of the labels"):
        Restriction(LABELS, NODES, ONTOLOGY, np.zeros(len(LABELS), dtype=bool))
    with pytest.raises(ConfigError, match="nodes"):
        Restriction(LABELS, NODES[:-1], ONTOLOGY, np.ones(len(LABELS), dtype=bool))


def test_with_any_tissue_all_labels_are_left_and_nothing_is_looked_for(tiny_bundle):
    asked = allowed_types(tiny_bundle, tissue=" Any")
    assert (asked.tissue, asked.restrict, asked.relatives) == ("any", None, None)
    assert asked.allowed_c.all()
    assert asked.describe() == "6 of the 6 types that the model knows: in any tissue"


def test_a_tissue_gives_weight_to_relatives_but_not_to_such_as_are_not_allowed(tiny_bundle):
    assert allowed_types(tiny_bundle, tissue="lung").relatives is not None
    assert allowed_types(tiny_bundle, deny=["T cell"], tissue="lung").relatives is not None
    assert allowed_types(tiny_bundle, allow=["T cell"], tissue="lung").relatives is None
