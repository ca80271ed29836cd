"""Which split of a store a training goes by."""

from __future__ import annotations

import logging

import pandas as pd

from spoticell.corpus.block import CELL_COLUMNS
from spoticell.corpus.splits import Split, SplitSpec, make_split
from spoticell.corpus.store import Store
from spoticell.errors import ConfigError
from spoticell.train.config import TrainConfig

N_CELLS = "n_cells"
VALIDATION_SHARE = 0.1


def list_splits(folder):
    return sorted(p.stem for p in (folder / "splits").glob("*.json"))


def read_split(folder, name):
    return Split.model_validate_json((folder / "splits" / f"{name}.json").read_text())


log = logging.getLogger("spoticell")


def choose_split(store: Store, name: str | None, config: TrainConfig) -> Split:
    """Give the split of a store that is asked for, or its only one.

    Where the config names data sets for validation, these are held out in place of it.  A store without a split is
    divided by donor, a tenth of the cells for validation.

    Raises
    ------
    ConfigError
        If there is no such split, or there are several and none is named.
    """
    names = list_splits(store.folder)
    if name is None and config.validation:
        return make_split(groups(store), SplitSpec(name="config", by="dataset", validation=config.validation))
    if name is None and len(names) > 1:
        raise ConfigError(f"{store.folder} has the splits {', '.join(names)}; say with which one to train.")
    if name is not None and name not in names:
        raise ConfigError(f"{store.folder} has no split {name!r}; it has {', '.join(names) or 'none'}.")
    if names:
        return read_split(store.folder, name or names[0])
    log.info("the store has no split: a tenth of its cells, by donor, is held out for validation")
    shares = {"train": 1 - VALIDATION_SHARE, "validation": VALIDATION_SHARE}
    return make_split(groups(store), SplitSpec(name="donors", by="donor", shares=shares))


def groups(store: Store) -> pd.DataFrame:
    """Count the cells of a store that are alike in all columns: a row for each kind, their number in ``n_cells``."""
    counted = [shard.cells().value_counts().rename(N_CELLS).reset_index() for _, shard in store.shards()]
    table = pd.concat([part.astype(dict.fromkeys(CELL_COLUMNS, object)) for part in counted])
    return table.groupby(list(CELL_COLUMNS), sort=True)[N_CELLS].sum().reset_index()
