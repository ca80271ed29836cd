"""Teachers kept as arrays, made up of two or three classes."""

import json

import numpy as np
import pytest
from benchmarks.peers.panhuman import TooFewGenesError
from scipy import sparse
from scripts.human_v1.teachers import read_teacher

from spoticell.biology.genes import load_vocabulary

B_CELL, T_CELL, MONOCYTE = "CL:0000236", "CL:0000084", "CL:0000576"
GENES = ["MS4A1", "CD3D", "LYZ"]


@pytest.fixture
def keep(tmp_path):
    """Write a teacher of three classes, of which two are T cells, and read it."""

    def write(**arrays):
        np.savez(tmp_path / "made_up.npz", **arrays)
        terms = {"B": B_CELL, "T": T_CELL, "T too": T_CELL}
        (tmp_path / "made_up.json").write_text(json.dumps({"class_to_cl": terms, "tau": 0.5}))
        return read_teacher(tmp_path, "made_up")

    return write


@pytest.fixture
def voter(keep):
    """B and T cells are told apart by MS4A1 and CD3D; the two kinds of T cells are alike."""
    return keep(
        classes=np.array(["B", "T", "T too"]),
        genes=np.array(GENES),
        pairs=np.array([[0, 1], [0, 2], [1, 2]], dtype=np.int16),
        gene_index=np.array([0, 1, 0, 1], dtype=np.int16),
        pair_index=np.array([0, 0, 1, 1], dtype=np.int16),
        weight=np.array([1, -1, 1, -1], dtype=np.float32),
        threshold_low=np.array([-0.5, -0.5, -0.5], dtype=np.float32),
        threshold_high=np.array([0.5, 0.5, 0.5], dtype=np.float32),
    )


@pytest.fixture
def chooser(keep):
    """The group is B for MS4A1 and T for CD3D; within T the second kind has LYZ."""
    identity = np.eye(3)
    return keep(
        classes=np.array(["B", "T", "T too"]),
        genes_ensembl=np.array(GENES),
        groups=np.array(["b", "t"]),
        coarse_select_idx=np.array([0, 1, 2], dtype=np.int16),
        coarse_W1_q=np.array([[2, 0], [0, 2], [0, 0]], dtype=np.int8),
        coarse_W1_step=np.array([0.5, 0.5], dtype=np.float32),
        coarse_b1=np.zeros(2),
        coarse_W2=np.eye(2),
        coarse_b2=np.zeros(2),
        fine_b_classes=np.array(["B"]),
        fine_t_classes=np.array(["T", "T too"]),
        fine_t_select_idx=np.array([0, 1, 2], dtype=np.int16),
        fine_t_W1=identity,
        fine_t_b1=np.zeros(3),
        fine_t_W2=np.array([[0, 0], [1, 0], [0, 1]]),
        fine_t_b2=np.zeros(2),
    )


def cells(**counts):
    """Counts of one cell aligned to the vocabulary, and the genes that were measured: those that are named."""
    vocabulary = load_vocabulary()
    place = {gene: vocabulary.symbols.index(gene) for gene in counts}
    counts_ng = np.zeros((1, len(vocabulary)), dtype=np.float32)
    measured_g = np.zeros(len(vocabulary), dtype=np.bool_)
    for gene, count in counts.items():
        counts_ng[0, place[gene]], measured_g[place[gene]] = count, True
    return sparse.csr_array(counts_ng), measured_g, vocabulary


def test_the_class_that_wins_most_pairs_is_the_likeliest(voter):
    teaching = voter.teach(*cells(MS4A1=9, CD3D=0, LYZ=0))
    assert teaching.terms == (T_CELL, B_CELL)
    # two pairs won against none and none, divided by tau
    np.testing.assert_allclose(teaching.probabilities_nt, [[2, np.exp(4)]] / (2 + np.exp(4)), rtol=1e-5)


def test_classes_of_one_term_are_added_up(voter):
    teaching = voter.teach(*cells(MS4A1=0, CD3D=9, LYZ=0))
    np.testing.assert_allclose(teaching.probabilities_nt, [[2 * np.exp(2), 1]] / (1 + 2 * np.exp(2)), rtol=1e-5)


def test_the_votes_dont_depend_on_genes_that_no_pair_asks_for(voter):
    alone, beside = (voter.teach(*cells(MS4A1=3, CD3D=1, LYZ=lyz)).probabilities_nt for lyz in (0, 50))
    np.testing.assert_array_equal(alone, beside)


def test_a_group_is_chosen_and_then_the_class_within_it(chooser):
    probabilities = {gene: chooser.decide(np.eye(3)[[n]])[0] for n, gene in enumerate(GENES)}
    assert probabilities["MS4A1"].argmax() == 0
    assert probabilities["CD3D"].argmax() == 1
    mixed = chooser.decide(np.array([[0, 1, 3]]))[0]
    assert mixed.argmax() == 2
    assert mixed.sum() == pytest.approx(1)


def test_a_cells_depth_doesnt_change_what_two_stages_say(chooser):
    shallow, deep = (chooser.teach(*cells(MS4A1=n, CD3D=2 * n, LYZ=n)).probabilities_nt for n in (5, 50))
    np.testing.assert_allclose(shallow, deep, rtol=1e-5)


def test_a_teacher_whose_genes_arent_measured_says_nothing(voter):
    with pytest.raises(TooFewGenesError, match="0%"):
        voter.teach(*cells(ALB=5))
