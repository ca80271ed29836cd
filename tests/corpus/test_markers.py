import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from spoticell.biology.genes import load_vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.corpus.markers import (
    ABUNDANT,
    MOST,
    MOST_LEFT,
    OVER_COMMON,
    MadeType,
    made_shares,
    mean_share,
    read_made_types,
    stand_in_share,
)
from spoticell.errors import ConfigError

ROD = MadeType(type="retinal rod cell", source="mine", base="neuron", filling="RHO", typical="NRL", absent="GAD1")


@pytest.fixture(scope="module")
def vocabulary():
    return load_vocabulary()


def shares(made, vocabulary, *, n_cells=200, measured=None, seed=0):
    base = np.full(len(vocabulary), 1 / len(vocabulary))
    base[vocabulary.by_symbol["GAD1"]] = 0.2
    measured = np.ones(len(vocabulary), dtype=bool) if measured is None else measured
    return made_shares(
        made, base / base.sum(), measured, n_cells, vocabulary=vocabulary, rng=np.random.default_rng(seed)
    )


def test_types_and_bases_are_read_by_name_and_markers_as_words_or_lists_of_words(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- {type: retinal rod cell, source: a, base: neuron, absent: &lost SST VIP}\n"
        "- {type: CL:0000573, source: a, base: neuron, stand_in: true, abundant: ARR3, absent: [*lost, GAD1 GAD2]}\n"
    )
    rod, cone = read_made_types(path)
    assert (rod.type, rod.base, rod.absent) == ("CL:0000604", "CL:0000540", ("SST", "VIP"))
    assert (cone.absent, cone.stand_in) == (("SST", "VIP", "GAD1", "GAD2"), True)
    assert cone.strengths == {"ARR3": ABUNDANT}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("- {type: no such cell, source: a, base: neuron}", "'no such cell' names no term"),
        ("- {type: neuron, source: a, base: neuron, markers: SST}", "markers"),
        ("a: [", r"mine\.yaml isn't a list of types"),
    ],
)
def test_a_file_that_is_no_list_of_types_is_refused(tmp_path, text, found):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=found):
        read_made_types(path)


def test_a_marker_that_is_no_human_gene_is_refused_by_name(vocabulary):
    with pytest.raises(ConfigError, match="'retinal rod cell' that are no symbols of human genes: Rho2"):
        shares(ROD.model_copy(update={"typical": ("NRL", "Rho2")}), vocabulary)


def test_every_cell_has_the_markers_and_next_to_nothing_of_what_the_type_lacks(vocabulary):
    share = shares(ROD, vocabulary)
    assert np.median(share[:, vocabulary.by_symbol["RHO"]]) == pytest.approx(0.12, rel=0.2)
    assert (share[:, vocabulary.by_symbol["NRL"]] > 1 / len(vocabulary) / 2).all()
    assert share[:, vocabulary.by_symbol["GAD1"]].max() < 3 * MOST_LEFT


def test_dim_and_bright_cells_occur(vocabulary):
    rho = shares(ROD, vocabulary)[:, vocabulary.by_symbol["RHO"]]
    low, high = np.quantile(rho, [0.05, 0.95])
    assert high > 4 * low


def test_a_marker_that_was_not_measured_stays_unseen(vocabulary):
    measured = np.ones(len(vocabulary), dtype=bool)
    measured[vocabulary.by_symbol["RHO"]] = False
    base_share = 1 / len(vocabulary)
    assert shares(ROD, vocabulary, measured=measured)[:, vocabulary.by_symbol["RHO"]].max() < 2 * base_share


def test_a_gene_that_is_both_absent_and_a_marker_is_a_marker(vocabulary):
    both = ROD.model_copy(update={"absent": ("RHO",)})
    assert np.median(shares(both, vocabulary)[:, vocabulary.by_symbol["RHO"]]) > 0.05


@given(seed=st.integers(0, 2**32 - 1), n_cells=st.integers(1, 5))
def test_shares_sum_to_one_and_markers_never_take_all(seed, n_cells):
    vocabulary = load_vocabulary()
    loud = ROD.model_copy(update={"filling": ("RHO", "SAG", "HBB", "HBA1", "HBA2", "INS", "GCG", "PRL", "GH1")})
    share = shares(loud, vocabulary, n_cells=n_cells, seed=seed)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-6)
    assert (share >= 0).all()
    markers = [vocabulary.by_symbol[symbol] for symbol in loud.strengths]
    assert (share[:, markers].sum(axis=1) <= MOST + 1e-9).all()


def test_a_stand_in_lends_no_gene_much_more_than_other_types_have():
    lowered = stand_in_share(np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.2, 0.2]))
    np.testing.assert_allclose(lowered, np.array([OVER_COMMON * 0.1, 0.1, 0.1]) / (OVER_COMMON * 0.1 + 0.2))


def test_a_mean_profile_counts_every_cell_alike_and_survives_an_empty_one():
    np.testing.assert_allclose(mean_share(sparse.csr_array([[9.0, 1.0], [0.0, 2.0], [0.0, 0.0]])), [0.3, 1.1 / 3])


def test_a_list_of_a_benchmark_names_types_once_and_human_genes_only(vocabulary, pytestconfig):
    made = read_made_types(pytestconfig.rootpath / "benchmarks" / "accuracy" / "marker_types.yaml")
    assert len({one.type for one in made}) == len(made)
    for one in made:
        assert not {*one.strengths, *one.absent} - set(vocabulary.by_symbol), load_ontology().name(one.type)
