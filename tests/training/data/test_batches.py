import numpy as np
import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.training.data.batches import Batches
from spoticell.training.data.labelled import read_labelled
from spoticell.training.data.supply import Pool


@pytest.fixture(scope="module")
def cells(labelled_folder):
    return read_labelled(labelled_folder, load_vocabulary())


def draw(cells, config, *, seed=0):
    node_n = np.unique(cells.label_n.astype(str), return_inverse=True)[1]
    pool = Pool(cells, np.full(len(cells), 1 / len(cells)))
    batches = Batches(pool, node_n, config=config, panels=[])
    return node_n, batches.draw(np.random.default_rng(seed))


def test_every_cell_has_a_partner_of_its_label_in_the_other_half(cells, small_config):
    node_n, batch = draw(cells, small_config)
    first, partner = batch.cell_n.numpy().reshape(2, -1)
    assert (node_n[first] == node_n[partner]).all()
    assert (batch.node_n.numpy() == node_n[batch.cell_n.numpy()]).all()


def test_a_partner_is_the_cell_itself_or_comes_from_another_data_set(cells, small_config):
    _, batch = draw(cells, small_config.model_copy(update={"batch_size": 200}))
    first, partner = batch.cell_n.numpy().reshape(2, -1)
    first_set, partner_set = batch.dataset_n.numpy().reshape(2, -1)
    itself = first == partner
    assert (first_set[~itself] != partner_set[~itself]).all()
    assert 0.3 < itself.mean() < 0.7


def test_two_views_of_a_cell_show_other_genes(cells, small_config):
    _, batch = draw(cells, small_config.model_copy(update={"batch_size": 64}))
    first, partner = batch.cell_n.numpy().reshape(2, -1)
    measured = batch.measured_ng.numpy().reshape(2, 32, -1)
    same = np.flatnonzero(first == partner)
    assert any((measured[0, n] != measured[1, n]).any() for n in same)


def test_a_type_of_one_data_set_is_its_own_partner(cells, small_config):
    alone = cells.take(cells.dataset_n == 0)
    _, batch = draw(alone, small_config)
    first, partner = batch.cell_n.numpy().reshape(2, -1)
    assert (first == partner).all()


def test_without_contrast_no_partners_are_drawn(cells, small_config):
    _, batch = draw(cells, small_config.model_copy(update={"contrast": 0, "batch_size": 40}))
    first, partner = batch.cell_n.numpy().reshape(2, -1)
    assert (first != partner).mean() > 0.5


@pytest.mark.rows(56)
def test_an_odd_batch_is_filled(cells, small_config):
    _, batch = draw(cells, small_config.model_copy(update={"batch_size": 15}))
    assert len(batch.cell_n) == len(batch.counts_ng) == 15
