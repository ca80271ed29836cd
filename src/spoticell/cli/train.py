"""The command that trains: ``spoticell train``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from spoticell.cli.arguments import Quiet
from spoticell.cli.console import guarded, listen, say
from spoticell.errors import ConfigError


@guarded
def train(
    *,
    data_dir: Annotated[
        Path, typer.Option("--data-dir", "--data_dir", metavar="D", help="A store, or a folder of labelled h5ad files.")
    ],
    output_dir: Annotated[
        Path, typer.Option("--output-dir", "--output_dir", metavar="O", help="Folder for all that comes out.")
    ],
    config: Annotated[
        list[str] | None,
        typer.Option(
            "--config",
            "-c",
            metavar="NAME|FILE",
            help="default, dual-path, original, or a YAML file; repeatable, later ones win [default].",
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Passes over the cells [the config's].")] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch-size", min=2, help="Cells in a step [the config's].")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", min=1e-9, help="Largest step size [the config's].")
    ] = None,
    random_state: Annotated[int, typer.Option("--random-state", min=0, help="Seed of all that is random.")] = 0,
    split: Annotated[
        str | None, typer.Option("--split", metavar="NAME", help="The store's split to go by [its only one].")
    ] = None,
    finetune: Annotated[
        str | None,
        typer.Option("--finetune", metavar="NAME|FOLDER", help="Teach a trained model the types of these cells."),
    ] = None,
    panels_dir: Annotated[
        Path | None, typer.Option("--panels-dir", metavar="P", help="Folder of real gene panels, one gene a line.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint in O.")] = False,
    quiet: Quiet = False,
) -> None:
    """Train a model of your own on labelled cells, or teach one more types.

    Example: spoticell train --data-dir data/processed --output-dir models/mine

    Example: spoticell train --finetune human-v1 --data-dir my-cells --output-dir models/mine
    """
    if finetune and resume:
        raise ConfigError("teaching a trained model takes a minute or two and isn't resumed; leave out --resume.")
    from spoticell import api
    from spoticell.training.config import load_config

    settings = load_config(*config or ()).changed(epochs=epochs, batch_size=batch_size, learning_rate=learning_rate)
    quiet = quiet or os.environ.get("RANK", "0") != "0"  # of the processes that torchrun starts only the first speaks
    asked: dict[str, Any] = {"random_state": random_state, "split": split, "panels": panels_dir}
    asked |= {"config": settings, "on_progress": not quiet}
    listen(quiet=quiet, details=True)
    if finetune:
        folder = api.finetune(finetune, data_dir, output_dir, **asked)
    else:
        folder = api.train(data_dir, output_dir, resume=resume, **asked)
    if not quiet:
        say(f"Trained: {folder}. Use it with: spoticell annotate CELLS -o OUT --model {folder}")
