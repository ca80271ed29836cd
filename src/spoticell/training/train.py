"""The training itself: one function from labelled cells to a bundle.

Where the cells come from is in ``supply``, the run of the steps in ``loop``; the finished model goes out through
``export``.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from spoticell.biology.genes import load_vocabulary
from spoticell.errors import TrainingError
from spoticell.io.heap import kept_memory
from spoticell.io.passing import held
from spoticell.progress import Progress
from spoticell.training.caches import cached_in
from spoticell.training.config import ConfigName, TrainConfig, settled
from spoticell.training.data.opening import open_supply
from spoticell.training.data.panels import read_panels
from spoticell.training.loop import CHECKPOINTS, Run
from spoticell.training.ranks import join_ranks, leave_ranks


def train(
    data_dir: Path | str,
    output_dir: Path | str,
    config: TrainConfig | ConfigName | Sequence[ConfigName] = "default",
    *,
    random_state: int = 0,
    split: str | None = None,
    panels_dir: Path | None = None,
    resume: bool = False,
    on_progress: Progress | None = None,
) -> Path:
    """Train a network on labelled cells, write its bundle, and give the bundle's folder.

    Started by ``torchrun``, several processes train one network together; the first one writes.

    Parameters
    ----------
    data_dir
        A store that ``spoticell prepare`` made, which is read without being loaded; or a folder of h5ad files with
        counts (or what counts can be had from) and Cell Ontology terms in ``obs["cell_type_ontology_term_id"]``.
    output_dir
        Gets ``best_model_f1`` (the bundle), checkpoints, logs, tables and pictures.
    config
        A named config, a YAML file, or settings: ``{"epochs": 3}``; of several the later ones win, group by group.
    random_state
        Seed of everything random: same cells, config and seed, same network.
    split
        Which of the store's splits says what is for training and what for validation; its only one if not given.
    panels_dir
        Folder of real gene panels, text files of one gene a line, for augmentation.
    resume
        Go on from the last checkpoint in ``output_dir``; the result equals that of an uninterrupted run.
    on_progress
        Called with the cells seen and all that will be.

    Raises
    ------
    TrainingError
        If there is nothing to train on, the output folder holds another run, or the loss is no longer a number.
    StoreError
        If the store is damaged, or of other genes.
    ConfigError
        If the config can't be used.
    """
    config = settled(config)
    output, vocabulary = Path(output_dir), load_vocabulary()
    if (output / CHECKPOINTS).exists() and not resume:
        raise TrainingError(f"{output} holds a training already; give --resume (resume=True) or another folder.")
    supply = open_supply(Path(data_dir), vocabulary, config, split=split, random_state=random_state)
    output.mkdir(parents=True, exist_ok=True)
    panels, ranks = read_panels(panels_dir, vocabulary), join_ranks()
    try:
        with own_folder(output) if ranks.is_first else nullcontext(), cached_in(output), kept_memory():
            run = Run(supply, vocabulary, config, output=output, random_state=random_state, panels=panels, ranks=ranks)
            if resume:
                run.restore()
            run.fit(on_progress)
            return run.finish()
    finally:
        leave_ranks(ranks)


def own_folder(output: Path) -> AbstractContextManager[None]:
    """Keep other trainings out of the folder of one."""
    return held(output, TrainingError(f"another training writes into {output}. Wait for it, or choose another folder."))
