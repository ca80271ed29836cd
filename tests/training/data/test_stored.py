import shutil

import numpy as np
import pytest

from spoticell.biology.genes import Vocabulary, load_vocabulary
from spoticell.corpus.splits.file import write_split
from spoticell.corpus.splits.make import make_split
from spoticell.corpus.splits.split import SplitSpec
from spoticell.corpus.store.store import Store
from spoticell.errors import ConfigError, StoreError
from spoticell.training.config import TrainConfig
from spoticell.training.data.labelled import read_labelled
from spoticell.training.data.opening import open_supply
from spoticell.training.data.sides import groups
from spoticell.training.data.stored import StoreSupply
from spoticell.training.data.supply import FolderSupply


@pytest.fixture(scope="module")
def store(labelled_store):
    return Store(labelled_store)


@pytest.fixture(scope="module")
def split(store):
    return make_split(groups(store), SplitSpec(name="one", by="donor", validation=("first/d0",), test=("second/d1",)))


def supply_of(store, split, **settings) -> StoreSupply:
    return StoreSupply(store, split, TrainConfig(**settings), rng=np.random.default_rng(0))


def keys(cells) -> list[bytes]:
    return sorted(row.toarray().tobytes() for row in cells.counts_ng)


def test_groups_count_every_cell_once(store):
    table = groups(store)
    assert table["n_cells"].sum() == len(store) == 118
    assert set(table["donor_id"]) == {f"{name}/d{n}" for name in ("first", "second") for n in range(3)}


def test_a_supply_of_a_store_is_that_of_the_folder_it_was_made_from(store, labelled_folder):
    config = TrainConfig(validation=("second",))
    cells = read_labelled(labelled_folder, load_vocabulary())
    folder = FolderSupply(cells, config, rng=np.random.default_rng(0))
    stored = open_supply(store.folder, load_vocabulary(), config)
    assert stored.labels == folder.labels
    np.testing.assert_array_equal(stored.cells_cs, folder.cells_cs)
    np.testing.assert_array_equal(stored.measured_sg, folder.measured_sg)
    np.testing.assert_array_equal(stored.gene_weights(power=2), folder.gene_weights(power=2))
    assert keys(stored.validation) == keys(folder.validation)


def test_pools_hold_training_cells_and_never_others(store, split, labelled_folder):
    supply = supply_of(store, split)
    cells = read_labelled(labelled_folder, load_vocabulary())
    donor_n = np.array(
        [f"{cells.datasets[s]}/{donor}" for s, donor in zip(cells.dataset_n, cells.donor_n, strict=True)]
    )
    wanted = set(keys(cells.take(~np.isin(donor_n, ["first/d0", "second/d1"]))))
    seen = set()
    for seed in range(5):
        pool = supply.pool(np.random.default_rng(seed), streams=1)
        seen |= set(keys(pool.cells))
        assert pool.chance_n.sum() == pytest.approx(1)
    assert seen == wanted
    assert supply.n_training == len(wanted) == split.cells["train"]
    assert keys(supply.validation) == keys(cells.take(donor_n == "first/d0"))


@pytest.mark.parametrize("balance", [0, 0.5, 1])
def test_cells_come_from_pools_as_often_as_from_memory(store, balance, labelled_folder):
    settings = {"class_balance": balance, "source_weights": {"second": 2.5}, "validation": ("first",)}
    config = TrainConfig(**settings | {"validation": ()})
    spec = SplitSpec(name="one", by="donor", validation=("first/d0",))
    supply = StoreSupply(store, make_split(groups(store), spec), config, rng=np.random.default_rng(0))
    drawn: dict[tuple[str, int], float] = {}
    pools = 60
    for seed in range(pools):
        pool = supply.pool(np.random.default_rng(seed), streams=4)
        for label, dataset, chance in zip(pool.cells.label_n, pool.cells.dataset_n, pool.chance_n, strict=True):
            drawn[label, dataset] = drawn.get((label, dataset), 0) + chance / pools
    weight_s = np.array([1.0, 2.5])
    mass_cs = supply.cells_cs * weight_s
    mass_cs = mass_cs * mass_cs.sum(axis=1, keepdims=True) ** -balance
    for (label, dataset), share in drawn.items():
        expected = mass_cs[supply.labels.index(label), dataset] / mass_cs.sum()
        assert share == pytest.approx(expected, abs=0.03)


def test_the_same_seed_draws_the_same_pool(store, split):
    supply = supply_of(store, split)
    first, second, other = (supply.pool(np.random.default_rng(seed), streams=64) for seed in (1, 1, 2))
    assert (first.cells.counts_ng != second.cells.counts_ng).nnz == 0
    np.testing.assert_array_equal(first.chance_n, second.chance_n)
    assert not np.array_equal(first.chance_n, other.chance_n)


def test_no_more_validation_cells_are_held_than_are_wanted(store, split):
    few = supply_of(store, split, validation_cells=5).validation
    assert 5 <= len(few) < split.cells["validation"]


def test_a_store_without_a_split_is_divided_by_donor(store):
    supply = open_supply(store.folder, load_vocabulary(), TrainConfig())
    assert supply.about["split"] == "donors"
    assert 0 < len(supply.validation) < 45


def test_a_split_that_is_not_there_is_named(store):
    with pytest.raises(StoreError, match="has no split 'nobody'; it has none"):
        open_supply(store.folder, load_vocabulary(), TrainConfig(), split="nobody")


def test_of_several_splits_one_must_be_named(store, split, tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(store.folder, folder)
    for name in ("first", "second"):
        spec = SplitSpec(name=name, by="dataset", validation=(name,))
        write_split(folder, make_split(groups(store), spec))
    with pytest.raises(ConfigError, match="has the splits first, second; say with which one"):
        open_supply(folder, load_vocabulary(), TrainConfig())
    supply = open_supply(folder, load_vocabulary(), TrainConfig(), split="second")
    assert len(supply.validation) == 58


def test_a_folder_has_no_splits(labelled_folder):
    with pytest.raises(ConfigError, match="only a store has splits"):
        open_supply(labelled_folder, load_vocabulary(), TrainConfig(), split="donors")


def test_a_store_of_other_genes_is_refused(store):
    full = load_vocabulary()
    fewer = Vocabulary(full.ids[:100], full.symbols[:100], full.chromosomes[:100])
    with pytest.raises(StoreError, match="made with other genes"):
        open_supply(store.folder, fewer, TrainConfig())
