from dataclasses import replace

import numpy as np
import pytest

from spoticell.biology.genes import load_vocabulary
from spoticell.errors import TrainingError
from spoticell.training.config import TrainConfig
from spoticell.training.data.labelled import read_labelled
from spoticell.training.data.supply import FolderSupply, dataset_weights, label_weights


@pytest.fixture(scope="module")
def cells(labelled_folder):
    return read_labelled(labelled_folder, load_vocabulary())


def supply_of(cells, **settings) -> FolderSupply:
    return FolderSupply(cells, TrainConfig(**settings), rng=np.random.default_rng(0))


def test_a_folder_is_one_pool_without_its_validation_cells(cells):
    supply = supply_of(cells, validation=("second",))
    pool = supply.pool(np.random.default_rng(0), streams=1)
    assert len(pool.cells) == supply.n_training == 60
    assert len(supply.validation) == 58
    assert supply.pool_steps(16) == 0
    assert pool.chance_n.sum() == pytest.approx(1)


def test_no_type_loses_all_its_cells_to_validation(cells):
    donor_n = np.array([f"d{n % 20}" for n in range(len(cells))], dtype=object)
    own_n = np.array([f"CL:{n % 20 + 20 * place:07}" for n, place in enumerate(cells.dataset_n)], dtype=object)
    label_n = np.where(np.arange(len(cells)) % 20 < 10, cells.label_n, own_n)
    supply = supply_of(replace(cells, donor_n=donor_n, label_n=label_n))
    assert set(supply.labels) == set(label_n)
    assert set(supply.validation.donor_n) <= {f"d{n}" for n in range(10)}


def test_rare_types_are_drawn_as_often_as_common_ones_where_types_are_balanced():
    cells_cs = np.array([[100, 0], [18, 0]])
    weight_s = dataset_weights(("a", "b"), config=TrainConfig())
    weight_c = label_weights(cells_cs, weight_s, config=TrainConfig(class_balance=1))
    chance_c = weight_c * cells_cs.sum(axis=1)
    np.testing.assert_allclose(chance_c / chance_c.sum(), [0.5, 0.5])


def test_cells_of_a_favoured_data_set_are_drawn_more_often(cells):
    pool = supply_of(cells, class_balance=0, source_weights={"first": 3}).pool(np.random.default_rng(0), streams=1)
    first_n = pool.cells.dataset_n == 0
    np.testing.assert_allclose(pool.chance_n[first_n].mean() / pool.chance_n[~first_n].mean(), 3)


def test_a_gene_counts_by_the_labels_whose_data_sets_measure_it(cells):
    weight_g = supply_of(cells).gene_weights(power=1)
    assert weight_g[cells.measured_sg[0]].tolist() == [1.0] * 400
    few = cells.take(np.flatnonzero((cells.dataset_n == 1) | (cells.label_n == "CL:0000084")))
    only_first = few.measured_sg[0] & ~few.measured_sg[1]
    np.testing.assert_allclose(supply_of(few).gene_weights(power=1)[only_first], 1 / 3)
    assert (supply_of(few).gene_weights(power=0) == 1).all()


def test_a_training_needs_cells_on_both_sides(cells):
    with pytest.raises(TrainingError, match="118 for validation; both need some"):
        supply_of(cells, validation=("first", "second"))
