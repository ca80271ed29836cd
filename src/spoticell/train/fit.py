"""The training itself: one function from labelled cells to a bundle.

Where the cells come from is in ``supply``, the run of the steps in ``run``; the finished model goes out through
``export``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from spoticell.corpus.store import Store, is_store
from spoticell.errors import ConfigError, StoreError, TrainingError
from spoticell.genes import Vocabulary, load_vocabulary
from spoticell.train.cells import read_labelled
from spoticell.train.config import TrainConfig, load_config
from spoticell.train.panels import read_panels
from spoticell.train.ranks import join_ranks, leave_ranks
from spoticell.train.run import CHECKPOINTS, Run
from spoticell.train.sides import choose_split
from spoticell.train.start import load_start
from spoticell.train.stored import StoreSupply
from spoticell.train.supply import FolderSupply, Supply
from spoticell.train.teach import teach

Progress = Callable[[int, int], None]


def train(
    data_dir: Path | str,
    output_dir: Path | str,
    config: TrainConfig | str | Path = "default",
    *,
    random_state: int = 0,
    split: str | None = None,
    finetune: str | Path | None = None,
    panels_dir: Path | None = None,
    resume: bool = False,
    on_progress: Progress | None = None,
) -> Path:
    """Train a network on labelled cells and write its bundle.

    Started by ``torchrun``, several processes train one network together; the first one writes.

    Parameters
    ----------
    data_dir
        A store that ``spoticell prepare`` made, which is read without being loaded; or a folder of h5ad files with
        counts (or what counts can be had from) and Cell Ontology terms in ``obs["cell_type_ontology_term_id"]``.
    output_dir
        Gets ``best_model_f1`` (the bundle), checkpoints, logs, tables and pictures.
    config
        A named config, a YAML file, or settings.
    random_state
        Seed of everything random: same cells, config and seed, same network.
    split
        Which of the store's splits says what is for training and what for validation; its only one if not given.
    finetune
        A bundle that is taught the types of these cells and keeps those that it knows: the name of a packaged one, or
        a folder.  Its network stays as it is but for the last layer.
    panels_dir
        Folder of real gene panels, text files of one gene a line, for augmentation.
    resume
        Go on from the last checkpoint in ``output_dir``; the result equals that of an uninterrupted run.
    on_progress
        Called with the cells seen and all that will be.

    Returns
    -------
    The bundle's folder.

    Raises
    ------
    TrainingError
        If there is nothing to train on, the output folder holds another run, or the loss is no longer a number.
    StoreError
        If the store is damaged, or of other genes.
    BundleError
        If the bundle to start with is broken, or brings no weights.
    ConfigError
        If the config can't be used.
    """
    config = config if isinstance(config, TrainConfig) else load_config(config)
    start = None if finetune is None else load_start(finetune)
    output, vocabulary = Path(output_dir), load_vocabulary() if start is None else start.bundle.vocabulary
    if (output / CHECKPOINTS).exists() and not resume:
        raise TrainingError(f"{output} holds a training already; resume it, or choose another output folder.")
    ranks = join_ranks()
    try:
        supply = open_supply(Path(data_dir), vocabulary, config, split=split, random_state=random_state)
        output.mkdir(parents=True, exist_ok=True)
        panels = read_panels(panels_dir, vocabulary)
        if start is not None:
            return teach(
                start,
                supply,
                config,
                output=output,
                random_state=random_state,
                panels=panels,
                on_progress=on_progress,
            )
        run = Run(supply, vocabulary, config, output=output, random_state=random_state, panels=panels, ranks=ranks)
        if resume:
            run.restore()
        run.fit(on_progress)
        return run.finish()
    finally:
        leave_ranks(ranks)


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
