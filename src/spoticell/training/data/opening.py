"""The cells of a training, from a store or from a folder of files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spoticell.biology.genes import Vocabulary
from spoticell.corpus.store.store import Store, is_store
from spoticell.errors import ConfigError, StoreError
from spoticell.training.config import TrainConfig
from spoticell.training.data.labelled import read_labelled
from spoticell.training.data.sides import choose_split
from spoticell.training.data.stored import StoreSupply
from spoticell.training.data.supply import FolderSupply, Supply


def open_supply(
    data_dir: Path, vocabulary: Vocabulary, config: TrainConfig, *, split: str | None = None, random_state: int = 0
) -> Supply:
    """Give the cells of a store or of a folder.

    Parameters
    ----------
    data_dir
        A store, or a folder of h5ad files.
    vocabulary
        The genes of the network.
    config
        Says which cells are for validation, unless the store's split does.
    split
        Name of one of the store's splits.
    random_state
        Seed.

    Raises
    ------
    StoreError
        If the store is of other genes.
    """
    rng = np.random.default_rng(random_state)
    if not is_store(data_dir):
        if split is not None:
            raise ConfigError(f"{data_dir} is a folder of files, and only a store has splits; run spoticell prepare.")
        return FolderSupply(read_labelled(data_dir, vocabulary), config, rng=rng)
    store = Store(data_dir)
    if store.manifest["gene_sha256"] != vocabulary.sha256:
        raise StoreError(f"{data_dir} was made with other genes than the network's; prepare the store again.")
    return StoreSupply(store, choose_split(store, split, config), config, rng=rng)
