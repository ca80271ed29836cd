"""Which split of a store a training goes by."""

from __future__ import annotations

import logging

import pandas as pd

from spoticell.corpus.splits.file import FOLDER, read_split
from spoticell.corpus.splits.make import make_split
from spoticell.corpus.splits.split import Split, SplitSpec
from spoticell.corpus.store.store import Store
from spoticell.corpus.survey import grouped
from spoticell.errors import ConfigError
from spoticell.training.config import TrainConfig

HELD_OUT = 0.1

log = logging.getLogger("spoticell")


def choose_split(store: Store, name: str | None, config: TrainConfig) -> Split:
    """Give the split of a store that is asked for, or its only one.

    Where the config names data sets for validation, these are held out in place of it.  A store without a split is
    divided by donor, a tenth of the cells for validation.

    Raises
    ------
    ConfigError
        If there are several splits and none is named.
    StoreError
        If there is no split of that name, or it was changed.
    """
    names = sorted(path.stem for path in (store.folder / FOLDER).glob("*.json"))
    if name is None and config.validation:
        return make_split(groups(store), SplitSpec(name="config", by="dataset", validation=config.validation))
    if name is None and len(names) > 1:
        raise ConfigError(f"{store.folder} has the splits {', '.join(names)}; say with which one to train.")
    if name is not None or names:
        return read_split(store.folder, name or names[0])
    log.info("the store has no split: a tenth of its cells, by donor, is held out for validation")
    spec = SplitSpec(name="donors", by="donor", shares={"train": 1 - HELD_OUT, "validation": HELD_OUT})
    return make_split(groups(store), spec)


def groups(store: Store) -> pd.DataFrame:
    """Count the cells of a store by data set, donor and assay, their number in ``n_cells``."""
    return grouped(shard.cells() for _, shard in store.shards())
