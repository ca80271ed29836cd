import numpy as np

import spoticell
from spoticell.io.demo import DEMO
from spoticell.web import demo


def test_the_demo_cells_are_counts_with_labels_and_new_at_each_call():
    cells = spoticell.demo_cells()
    assert cells.shape == (700, 765)
    assert np.array_equal(cells.X, np.round(cells.X))
    assert cells.obs["bulk_labels"].nunique() == 10
    cells.obs["mine"] = 1
    assert "mine" not in spoticell.demo_cells().obs


def test_the_page_has_the_same_cells(tmp_path):
    upload = demo.write(tmp_path)
    assert (tmp_path / upload.file).read_bytes() == DEMO.read_bytes()
