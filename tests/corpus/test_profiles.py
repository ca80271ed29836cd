import numpy as np
import pandas as pd
import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.profiles import Noise, Profiles, draw_cells, read_profiles
from spoticell.errors import FileFormatError

N_GENES = 80


def write_table(path, values_vr):
    table = pd.DataFrame(
        values_vr, index=load_vocabulary().symbols[:N_GENES], columns=[f"p{r}" for r in range(values_vr.shape[1])]
    )
    table.to_csv(path)
    return path


def test_profiles_become_shares_of_the_genes_that_were_measured(tmp_path):
    values = np.random.default_rng(0).poisson(4.0, size=(N_GENES, 3)).astype(float)
    profiles = read_profiles(write_table(tmp_path / "mine.csv.gz", values), {}, load_vocabulary())
    assert (profiles.source, profiles.names) == ("mine", ("p0", "p1", "p2"))
    np.testing.assert_allclose(profiles.share_rg.sum(axis=1), 1, rtol=1e-5)
    assert profiles.measured_g.sum() == N_GENES
    assert not profiles.background_rg.any()


def test_log_intensities_of_a_microarray_are_unlogged(tmp_path):
    values = np.full((N_GENES, 2), 5.0)
    values[0] = 9.0
    profiles = read_profiles(write_table(tmp_path / "array.csv", values), {}, load_vocabulary())
    assert profiles.share_rg[0].max() == pytest.approx(1.0)


def test_the_background_is_what_the_profiles_of_a_tissue_share(tmp_path):
    values = np.random.default_rng(0).poisson(4.0, size=(N_GENES, 5)).astype(float)
    tissues = dict.fromkeys(["p0", "p1", "p2", "p3"], "lung") | {"p4": "liver"}
    profiles = read_profiles(write_table(tmp_path / "t.csv", values), tissues, load_vocabulary())
    np.testing.assert_allclose(profiles.background_rg[0], profiles.share_rg[:4].mean(axis=0), rtol=1e-4)
    assert not profiles.background_rg[4].any()


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_a_table_with_impossible_values_is_refused(tmp_path, bad):
    values = np.ones((N_GENES, 2))
    values[3, 1] = bad
    with pytest.raises(FileFormatError, match=r"t\.csv holds missing or negative values"):
        read_profiles(write_table(tmp_path / "t.csv", values), {}, load_vocabulary())


def made_up_profiles() -> Profiles:
    share = np.zeros((2, 50), dtype=np.float32)
    share[0, :10] = 0.1
    share[1, 10:20] = 0.1
    return Profiles("made up", ("a", "b"), share, np.zeros_like(share), np.ones(50, dtype=np.bool_))


def test_drawn_cells_express_the_genes_of_their_profile_only():
    cells = draw_cells(made_up_profiles(), np.array([0, 1, 0]), rng=np.random.default_rng(0), noise=Noise()).toarray()
    assert cells[[0, 2], :10].all()
    assert not cells[[0, 2], 10:].any()
    assert not cells[1, :10].any()
    assert (cells == np.rint(cells)).all()


def test_drawn_cells_have_about_the_depth_that_is_asked_for():
    rows = np.zeros(400, dtype=np.intp)
    cells = draw_cells(made_up_profiles(), rows, rng=np.random.default_rng(0), noise=Noise(depth=500))
    assert 400 < np.median(cells.sum(axis=1)) < 620


def test_the_same_seed_draws_the_same_cells():
    first, second = (
        draw_cells(made_up_profiles(), np.array([0, 1]), rng=np.random.default_rng(5), noise=Noise()).toarray()
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
