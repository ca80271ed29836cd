import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import load_ontology, reach_matrix
from spoticell.errors import ConfigError

ONTOLOGY = load_ontology()
LABELS = [
    "CL:0000738",
    "CL:0000542",
    "CL:0000084",
    "CL:0000624",
    "CL:0000625",
    "CL:0000895",
    "CL:0000236",
    "CL:0000540",
]
labels = st.lists(st.sampled_from(LABELS), min_size=1, max_size=8, unique=True)


@settings(deadline=None)
@given(labels, st.integers(0, 2**32 - 1), st.randoms(use_true_random=False))
def test_weights_become_probabilities_and_come_back_whatever_the_order_of_the_nodes(terms, seed, shuffle):
    nodes = list(reach_matrix(terms, ONTOLOGY)[0])
    shuffle.shuffle(nodes)
    weights = LabelWeights(terms, nodes, ONTOLOGY)
    weight_nc = np.random.default_rng(seed).dirichlet(np.full(len(terms), 0.5), size=5).astype(np.float32)
    probability_nm = weights.summed(weight_nc)
    np.testing.assert_allclose(weights.of(probability_nm), weight_nc, atol=1e-5)
    for m, node in enumerate(nodes):
        for above in ONTOLOGY.ancestors(node):
            assert (probability_nm[:, nodes.index(above)] >= probability_nm[:, m] - 1e-6).all()


def test_nodes_that_do_not_fit_the_labels_are_refused():
    nodes = reach_matrix(LABELS, ONTOLOGY)[0]
    with pytest.raises(ConfigError, match="the nodes aren't the labels"):
        LabelWeights(LABELS, nodes[:-1], ONTOLOGY)
