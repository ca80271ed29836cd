import numpy as np
import pytest
from scipy import sparse

from spoticell.biology.platelets import FEW, GENES, with_platelets
from spoticell.biology.vocabulary import Vocabulary

OTHERS = 5000
SYMBOLS = (*GENES, *map(str, range(OTHERS)))
VOCABULARY = Vocabulary(SYMBOLS, SYMBOLS, SYMBOLS)
ALL = np.ones(len(SYMBOLS), dtype=bool)


def told(genes, *, others=1000, measured_g=ALL):
    """Say whether a cell with one count of so many platelet genes is told."""
    counts_ng = sparse.csr_array(np.float32([[*[1] * genes, *[0] * (len(GENES) - genes), others, *[0] * (OTHERS - 1)]]))
    return with_platelets(counts_ng, VOCABULARY, measured_g, counts_ng.sum(axis=1)).tolist() == [True]


def test_several_genes_of_platelets_tell_a_platelet_fewer_do_not():
    assert told(FEW)
    assert not told(FEW - 1)


def test_a_deep_cell_has_some_of_them_without_a_platelet():
    assert not told(FEW, others=20_000)


@pytest.mark.parametrize("missing", [np.arange(8), np.arange(20, 2000)])
def test_on_a_panel_or_without_many_of_the_genes_no_cell_is_told(missing):
    measured_g = ALL.copy()
    measured_g[missing] = False
    assert not told(12, measured_g=measured_g)
