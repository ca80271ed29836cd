"""The training itself: one function from a folder of labelled cells to a bundle.

What a step sees is in ``batches``, what it learns in ``lesson``; states are kept by ``checkpoint``, the finished model
goes out through ``export``.  Axes: ``n`` cells, ``g`` genes, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.tensorboard import SummaryWriter

from spoticell.errors import TrainingError
from spoticell.genes import Vocabulary, load_vocabulary
from spoticell.io.write import atomic
from spoticell.layout import Pixels, alphabetical_layout, chromosomal_layout, learned_layout, random_layout
from spoticell.ontology import load_ontology, reach_matrix
from spoticell.train.augment import Mask
from spoticell.train.batches import Batches, gene_weights
from spoticell.train.cells import LabelledCells, read_labelled
from spoticell.train.checkpoint import load_checkpoint, save_checkpoint
from spoticell.train.config import TrainConfig, load_config
from spoticell.train.export import BEST, About, export_bundle
from spoticell.train.history import write_epochs, write_summary, write_types
from spoticell.train.lesson import Lesson
from spoticell.train.memory import kept_memory
from spoticell.train.network import DualPath, count_parameters
from spoticell.train.schedule import make_optimizer, one_cycle, plateau, set_rate
from spoticell.train.validate import figures, predict_nodes, split

log = logging.getLogger("spoticell")

Progress = Callable[[int, int], None]
LAYOUT = "layout.npy"
CLIP = 5.0
"""Longest gradient; a longer one is cut to it."""
LAYOUT_CELLS = 4000
"""Cells that a learned layout looks at."""


def train(
    data_dir: Path | str,
    output_dir: Path | str,
    config: TrainConfig | str | Path = "default",
    *,
    random_state: int = 0,
    panels_dir: Path | None = None,
    resume: bool = False,
    on_progress: Progress | None = None,
) -> Path:
    """Train a network on a folder of labelled data sets and write its bundle.

    Parameters
    ----------
    data_dir
        Folder of h5ad files with counts (or what counts can be had from) and Cell Ontology terms in
        ``obs["cell_type_ontology_term_id"]``.
    output_dir
        Gets ``best_model_f1`` (the bundle), checkpoints, logs, tables and pictures.
    config
        A named config, a YAML file, or settings.
    random_state
        Seed of everything random: same cells, config and seed, same network.
    panels_dir
        Folder of real gene panels, text files of one gene a line, for augmentation.
    resume
        Go on from the last checkpoint in ``output_dir``; the result equals that of an uninterrupted run.
    on_progress
        Called with the steps done and all steps.

    Returns
    -------
    The bundle's folder.

    Raises
    ------
    TrainingError
        If there is nothing to train on, the output folder holds another run, or the loss is no longer a number.
    ConfigError
        If the config can't be used.
    """
    config = config if isinstance(config, TrainConfig) else load_config(config)
    output = Path(output_dir)
    if (output / "checkpoints").exists() and not resume:
        raise TrainingError(f"{output} holds a training already; resume it, or choose another output folder.")
    vocabulary = load_vocabulary()
    cells = read_labelled(Path(data_dir), vocabulary)
    output.mkdir(parents=True, exist_ok=True)
    run = Run(
        cells, vocabulary, config, output=output, random_state=random_state, panels=read_panels(panels_dir, vocabulary)
    )
    if resume:
        run.restore()
    with kept_memory():
        run.fit(on_progress)
    return run.finish()


class Run:
    """One training: its network, its state, and what it writes.

    Parameters
    ----------
    cells
        Labelled cells, training and validation.
    vocabulary
        The genes.
    config
        Settings.
    output
        Existing folder that gets everything.
    random_state
        Seed.
    panels
        Real gene panels.
    """

    def __init__(
        self,
        cells: LabelledCells,
        vocabulary: Vocabulary,
        config: TrainConfig,
        *,
        output: Path,
        random_state: int,
        panels: Sequence[Mask] = (),
    ) -> None:
        self.config, self.vocabulary, self.output, self.random_state = config, vocabulary, output, random_state
        self.rng = np.random.default_rng(random_state)
        torch.manual_seed(random_state)
        held_out_n = split(cells, config.validation, rng=self.rng)
        self.validation, cells = cells.take(held_out_n), cells.take(~held_out_n)
        self.sizes = (len(cells), len(self.validation))
        if not len(cells) or not len(self.validation):
            raise TrainingError(
                f"{self.sizes[0]:,} cells are left for training, {self.sizes[1]:,} for validation; both need some."
            )
        self.labels = tuple(sorted(set(cells.label_n)))
        self.nodes, reach_cm = reach_matrix(self.labels, load_ontology())
        self.reach_cm = torch.from_numpy(reach_cm.astype(np.float32))
        position = {node: m for m, node in enumerate(self.nodes)}
        node_n = np.array([position[label] for label in cells.label_n])
        self.lesson = Lesson(config, self.reach_cm, _above(self.nodes))
        self.pixel_g = _kept_layout(output) if (output / LAYOUT).exists() else self._new_layout(cells)
        self.batches = Batches(cells, node_n, config=config, panels=panels)
        weight_g = gene_weights(cells, power=config.network.weigh_genes)
        self.network = DualPath(config.network, self.pixel_g, len(self.labels), weight_g=weight_g)
        self.average = copy.deepcopy(self.network)
        self.best = copy.deepcopy(self.network)
        self.optimizer = make_optimizer(self.network, config=config)
        self.step = 0
        self.epochs: list[dict[str, float]] = []

    def _new_layout(self, cells: LabelledCells) -> Pixels:
        pixel_g = make_layout(cells, self.vocabulary, self.config, random_state=self.random_state)
        with atomic(self.output / LAYOUT) as path, path.open("wb") as file:
            np.save(file, pixel_g)
        return pixel_g

    @property
    def total_steps(self) -> int:
        """Steps of a training that isn't stopped early."""
        return self.batches.steps * self.config.epochs

    def fit(self, on_progress: Progress | None = None) -> None:
        """Train to the end, or until validation hasn't improved for a while."""
        with atomic(self.output / "params.json") as path:
            path.write_text(json.dumps(self.describe(), indent=1) + "\n", encoding="utf-8")
        writer = SummaryWriter(str(self.output / "logs"))
        while self.step < self.total_steps and not self.is_stale():
            start, losses = time.monotonic(), []
            for _ in range(self.batches.steps):
                losses.append(self.advance())
                if on_progress is not None:
                    on_progress(self.step, self.total_steps)
            self._close_epoch(float(np.mean(losses)), time.monotonic() - start, writer)
        writer.close()

    def advance(self) -> float:
        """Take one step and give its loss."""
        set_rate(self.optimizer, self._rate())
        batch = self.batches.draw(self.rng)
        self.network.train()
        loss = self.lesson(self.network, batch)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is no longer a number at step {self.step:,}; lower the learning rate and resume "
                "from the last checkpoint."
            )
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.step += 1
        self._follow()
        return float(loss.detach())

    def is_stale(self) -> bool:
        """Whether validation has gone without a better epoch for as long as the config allows."""
        scores = [epoch["validation_macro_f1"] for epoch in self.epochs]
        return len(scores) - 1 - int(np.argmax(scores)) >= self.config.patience if scores else False

    def restore(self) -> None:
        """Go back to the last checkpoint, if there is one."""
        state = load_checkpoint(self.output / "checkpoints", networks=self._networks(), optimizer=self.optimizer)
        if state is not None:
            self.step, self.epochs = state["step"], state["epochs"]
            self.rng.bit_generator.state = state["random"]
            log.info("resumed after step %d of %d", self.step, self.total_steps)

    def finish(self) -> Path:
        """Write the best network as a bundle, with its figures, and give the bundle's folder."""
        probabilities_nm = predict_nodes(self.best, self.validation, self.reach_cm)
        result = figures(self.validation, probabilities_nm, self.nodes, threshold=self.config.threshold)
        write_types(self.output, result["per_type"])
        # of equally good epochs the last one was kept
        best = max(self.epochs, key=lambda row: (row["validation_macro_f1"], row["epoch"]))
        write_summary(self.output, self._summary(result, int(best["epoch"])))
        held_out = {key: value for key, value in result.items() if isinstance(value, float)}
        return export_bundle(self, self.output / BEST, About(figures={"validation": held_out}))

    def describe(self) -> dict[str, Any]:
        """Give everything that decided this training, as plain values."""
        return {
            "config": self.config.model_dump(mode="json"),
            "random_state": self.random_state,
            "data_sets": list(self.batches.cells.datasets),
            "training_cells": self.sizes[0],
            "validation_cells": self.sizes[1],
            "labels": len(self.labels),
            "nodes": len(self.nodes),
            "genes": len(self.vocabulary),
            "parameters": count_parameters(self.network),
            "torch": torch.__version__,
        }

    def _networks(self) -> dict[str, torch.nn.Module]:
        return {"network": self.network, "average": self.average, "best": self.best}

    def _rate(self) -> float:
        if self.config.schedule == "one-cycle":
            return one_cycle(self.step, total=self.total_steps, peak=self.config.learning_rate)
        return plateau([epoch["validation_macro_f1"] for epoch in self.epochs], peak=self.config.learning_rate)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running average of the weights towards the network (Polyak & Juditsky 1992, doi:10.1137/0330046)."""
        # a young average forgets faster, or it would remember the random start
        decay = min(self.config.weight_average, (self.step + 1) / (self.step + 10))
        for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)
        for kept, seen in zip(self.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(seen)

    def _close_epoch(self, loss: float, seconds: float, writer: SummaryWriter) -> None:
        probabilities_nm = predict_nodes(self.average, self.validation, self.reach_cm)
        result = figures(self.validation, probabilities_nm, self.nodes, threshold=self.config.threshold)
        row = {
            "epoch": float(len(self.epochs) + 1),
            "loss": loss,
            "validation_macro_f1": result["macro_f1"],
            "validation_hierarchical_f1": result["hierarchical_f1"],
            "validation_coverage": result["coverage"],
            "learning_rate": self._rate(),
            "cells_per_second": self.batches.steps * self.config.batch_size / seconds,
        }
        if all(row["validation_macro_f1"] >= epoch["validation_macro_f1"] for epoch in self.epochs):
            self.best.load_state_dict(self.average.state_dict())
        self.epochs.append(row)
        for name, value in row.items():
            writer.add_scalar(name, value, len(self.epochs))
        log.info("epoch %d: loss %.3f, validation macro-F1 %.3f", len(self.epochs), loss, row["validation_macro_f1"])
        state = {"epochs": self.epochs, "random": self.rng.bit_generator.state}
        save_checkpoint(
            self.output / "checkpoints",
            step=self.step,
            networks=self._networks(),
            optimizer=self.optimizer,
            state=state,
        )
        write_epochs(self.output, self.epochs)

    def _summary(self, result: dict[str, Any], epoch: int) -> list[str]:
        return [
            f"{self.sizes[0]:,} training cells of {len(self.batches.cells.datasets)} data sets, "
            f"{len(self.labels)} labels, {len(self.nodes)} nodes, {count_parameters(self.network):,} parameters",
            f"best epoch {epoch} of {len(self.epochs)}; on {self.sizes[1]:,} validation cells at threshold "
            f"{self.config.threshold:g}:",
            *(f"{key.replace('_', ' ')}: {value:.4f}" for key, value in result.items() if isinstance(value, float)),
        ]


def _kept_layout(output: Path) -> Pixels:
    """Give the layout that a training began with: another number of threads would learn a slightly different one."""
    return np.asarray(np.load(output / LAYOUT, allow_pickle=False), dtype=np.intp)


def make_layout(cells: LabelledCells, vocabulary: Vocabulary, config: TrainConfig, *, random_state: int) -> Pixels:
    """Give the layout that a config asks for; a learned one looks at the training cells only."""
    rng = np.random.default_rng(random_state)
    kind = config.network.layout
    if kind == "alphabetical":
        return alphabetical_layout(vocabulary.symbols)
    if kind == "chromosomal":
        return chromosomal_layout(len(vocabulary))
    if kind == "random":
        return random_layout(len(vocabulary), rng=rng)
    return learned_layout(_centred_expression(cells, rng), random_state=random_state)


def read_panels(folder: Path | None, vocabulary: Vocabulary) -> list[Mask]:
    """Read gene panels: text files of one gene a line, lines with # left out.

    Parameters
    ----------
    folder
        Holds ``.txt`` files; None gives no panels.
    vocabulary
        The genes ``g``.

    Returns
    -------
    One boolean array ``(g,)`` a panel.
    """
    masks = []
    for path in sorted(folder.glob("*.txt")) if folder else []:
        names = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        measured_g = np.zeros(len(vocabulary), dtype=np.bool_)
        measured_g[[vocabulary.exact[name] for name in names if name in vocabulary.exact]] = True
        masks.append(measured_g)
    return masks


def _centred_expression(cells: LabelledCells, rng: np.random.Generator) -> NDArray[np.float32]:
    """Square-root proportions of some cells, each type and data set alike, less the mean of their data set."""
    _, group_n = np.unique(
        np.array([f"{s} {label}" for s, label in zip(cells.dataset_n, cells.label_n, strict=True)]), return_inverse=True
    )
    chance_n = 1.0 / np.bincount(group_n)[group_n]
    size = min(LAYOUT_CELLS, len(cells))
    chosen = np.sort(rng.choice(len(cells), size=size, replace=False, p=chance_n / chance_n.sum()))
    root_kg = np.sqrt(cells.counts_ng[chosen].toarray())
    root_kg /= np.maximum(np.linalg.norm(root_kg, axis=1, keepdims=True), 1e-6)
    for dataset in np.unique(cells.dataset_n[chosen]):
        rows = cells.dataset_n[chosen] == dataset
        root_kg[rows] -= root_kg[rows].mean(axis=0)
    return np.asarray(root_kg, dtype=np.float32)


def _above(nodes: tuple[str, ...]) -> torch.Tensor:
    ontology = load_ontology()
    position = {node: m for m, node in enumerate(nodes)}
    above_mm = torch.zeros(len(nodes), len(nodes))
    for m, node in enumerate(nodes):
        above_mm[m, [position[term] for term in ontology.ancestors(node)]] = 1
    return above_mm
