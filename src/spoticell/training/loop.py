"""One training: its network, its state, and its steps.

What a step sees is in ``draws``, what it learns in ``objective``; states are kept by ``checkpoint``.
A step takes the mean gradient over its streams: one batch of each, shared out among the processes that train together.
Axes: ``n`` cells, ``g`` genes, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import copy
import json
import logging
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spoticell.biology.genes import Vocabulary
from spoticell.biology.ontology import load_ontology
from spoticell.errors import TrainingError, note
from spoticell.io.passing import remove_left
from spoticell.io.write import atomic
from spoticell.progress import Progress
from spoticell.training.binary_code import fit_planes
from spoticell.training.checkpoint import load_checkpoint, save_checkpoint
from spoticell.training.config import TrainConfig
from spoticell.training.data.augment import Mask
from spoticell.training.data.draws import Draw, Draws
from spoticell.training.data.states import load_states
from spoticell.training.data.supply import Supply
from spoticell.training.export import BEST, About, export_bundle
from spoticell.training.fast import FastFingerprintNetwork
from spoticell.training.history import write_epochs, write_summary, write_types
from spoticell.training.layout import Pixels, keep_layout, kept_layout, make_layout
from spoticell.training.loss import reach_of
from spoticell.training.network import count_parameters
from spoticell.training.objective import Lesson
from spoticell.training.ranks import Ranks
from spoticell.training.rehearsal import make_examples
from spoticell.training.schedule import make_optimizer, one_cycle, plateau, set_rate
from spoticell.training.tensorboard import Log
from spoticell.training.trained import Trained, plain_sources
from spoticell.training.validate import figures, predict, predict_nodes

log = logging.getLogger("spoticell")

CHECKPOINTS = "checkpoints"
CODE_CELLS = 8000
"""Training cells that the planes of the code are chosen by."""
CLIP = 5.0
"""Longest gradient; a longer one is cut to it."""
FEWEST_DRAWN = 8192
"""Cells drawn in an epoch of a small training: with fewer steps nothing would be learned."""
REMEMBERED = frozenset({"running_mean", "running_var"})
VALIDATED = ("macro_f1", "hierarchical_f1", "coverage")


class Run:
    """One training.

    Parameters
    ----------
    supply
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
    ranks
        The processes that train together.
    """

    def __init__(
        self,
        supply: Supply,
        vocabulary: Vocabulary,
        config: TrainConfig,
        *,
        output: Path,
        random_state: int,
        panels: Sequence[Mask] = (),
        ranks: Ranks | None = None,
    ) -> None:
        self.supply, self.config, self.vocabulary = supply, config, vocabulary
        self.output, self.random_state, self.ranks = output, random_state, ranks or Ranks()
        self.streams = config.accumulate * config.network.members * self.ranks.world
        """Batches whose gradients make a step."""
        torch.manual_seed(random_state)
        self.labels = supply.labels
        self.nodes, reach_cm = reach_of(self.labels)
        self.reach_cm = reach_cm.to(self.ranks.device)
        states = load_states(vocabulary)
        self.draws = Draws(
            supply, self.nodes, config, panels=panels, seed=random_state, streams=self.streams, states=states
        )
        self.pixel_g = self._layout()
        weight_g = supply.gene_weights(power=config.network.weigh_genes)
        self.network = FastFingerprintNetwork(config.network, self.pixel_g, len(self.labels), weight_g=weight_g)
        self.network.to(self.ranks.device)
        self.lesson = Lesson(config, self.reach_cm, _above(self.nodes).to(self.ranks.device))
        self.average = copy.deepcopy(self.network)
        self.best = copy.deepcopy(self.network)
        self.optimizer = make_optimizer(self.network, config=config)
        self.step = 0
        self.epochs: list[dict[str, float]] = []
        self.losses: list[float] = []
        """Loss of each step of the epoch so far."""
        self.seconds = 0.0
        """What the steps of the epoch took so far."""

    def _layout(self) -> Pixels:
        if kept_layout(self.output) is None and self.ranks.is_first:
            cells = self.supply.pool(np.random.default_rng(self.random_state), streams=1).cells
            made = make_layout(cells, self.vocabulary, self.config.network, random_state=self.random_state)
            keep_layout(self.output, made)
        self.ranks.wait()
        pixel_g = kept_layout(self.output)
        if pixel_g is None:
            raise TrainingError(f"the processes of a training must share its folder, and {self.output} isn't shared.")
        return pixel_g

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        drawn = self.config.cells_per_epoch or max(self.supply.n_training, FEWEST_DRAWN)
        return max(drawn // (self.config.batch_size * self.streams), 1)

    @property
    def total_steps(self) -> int:
        """Steps of a training that isn't stopped early."""
        return self.steps * self.config.epochs

    def fit(self, on_progress: Progress | None = None) -> None:
        """Train to the end, or until validation hasn't improved for a while."""
        if self.ranks.is_first:
            with atomic(self.output / "params.json") as path:
                path.write_text(json.dumps(self.describe(), indent=1) + "\n", encoding="utf-8")
        cells, kept = self.config.batch_size * self.streams, time.monotonic()
        own = self._own_streams
        with closing(self.draws.from_step(self.step, own)) as draws, Log(self.output, self.ranks) as tracked:
            while self.step < self.total_steps and not self.is_stale():
                start = time.monotonic()
                self.losses.append(self.advance([next(draws) for _ in own]))
                self.seconds += time.monotonic() - start
                tracked.step(self.step, loss=self.losses[-1], cells=cells * len(self.losses) / self.seconds)
                if on_progress is not None:
                    on_progress(self.step * cells, self.total_steps * cells)
                if self.step % self.steps == 0:
                    tracked.epoch(self._close_epoch())
                elif time.monotonic() - kept < self.config.checkpoint_seconds:
                    continue
                self._keep()
                kept = time.monotonic()

    def advance(self, draws: Sequence[Draw]) -> float:
        """Take one step with the batches of this process, and give the loss over all processes."""
        set_rate(self.optimizer, self._rate())
        self.network.train()
        self.optimizer.zero_grad()
        before = [buffer.clone() for buffer in self._statistics()]
        after = [torch.zeros_like(buffer) for buffer in before]
        loss, members = torch.zeros((), device=self.ranks.device), self.config.network.members
        for stream, (batch, seed) in zip(self._own_streams, draws, strict=True):
            # each batch moves the running statistics from where the step began, wherever it is counted
            _copy(before, self._statistics())
            torch.manual_seed(seed)
            # members learn from batches of their own: with the same ones they would err together
            part = self.lesson(self.network, batch.to(self.ranks.device), member=stream % members) / self.streams
            (members * part).backward()  # type: ignore[no-untyped-call]
            loss += part.detach()
            torch._foreach_add_(after, self._statistics(), alpha=1 / self.streams)
        self._share(loss, after)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"The loss is no longer a number at step {self.step:,}; lower the learning rate and resume "
                "from the last checkpoint."
            )
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP)
        self.optimizer.step()
        self.step += 1
        self._follow()
        return float(loss)

    @property
    def _own_streams(self) -> range:
        """Which batches of a step are this process's."""
        return range(self.ranks.rank, self.streams, self.ranks.world)

    def is_stale(self) -> bool:
        """Whether validation has gone without a better epoch for as long as the config allows."""
        scores = [epoch["validation_macro_f1"] for epoch in self.epochs]
        return len(scores) - 1 - int(np.argmax(scores)) >= self.config.patience if scores else False

    def restore(self) -> None:
        """Go back to the last checkpoint, if there is one."""
        remove_left(self.output / CHECKPOINTS)  # if it was the last one, no other will be written there
        state = load_checkpoint(self.output / CHECKPOINTS, networks=self._networks(), optimizer=self.optimizer)
        if state is not None:
            self.step, self.epochs = state["step"], state["epochs"]
            self.losses, self.seconds = state["losses"], state["seconds"]
            log.info("resumed after step %d of %d", self.step, self.total_steps)
            self._note_threads(state.get("threads"))

    def finish(self) -> Path:
        """Write the best network as a bundle, with its figures, and give the bundle's folder."""
        if not self.ranks.is_first:
            return self.output / BEST
        probabilities_nm = predict_nodes(self.best, self.supply.validation, self.reach_cm)
        result = figures(self.supply.validation, probabilities_nm, self.nodes, threshold=self.config.threshold)
        write_types(self.output, result["per_type"])
        # of equally good epochs the last one was kept
        best = max(self.epochs, key=lambda row: (row["validation_macro_f1"], row["epoch"]))
        write_summary(self.output, self._summary(result, int(best["epoch"])))
        held_out = {key: value for key, value in result.items() if isinstance(value, float)}
        return export_bundle(self.trained(), self.output / BEST, About(figures={"validation": held_out}))

    def trained(self) -> Trained:
        """Give the best network with all that its bundle carries."""
        network, rng = copy.deepcopy(self.best).cpu().eval(), np.random.default_rng(self.random_state)
        cells = self.supply.pool(rng, streams=1).cells
        chosen = rng.choice(len(cells), size=min(CODE_CELLS, len(cells)), replace=False)
        fingerprint_nd, _ = predict(network, cells.take(np.sort(chosen)))
        fingerprint_nd = network.shown(torch.from_numpy(fingerprint_nd)).numpy()
        planes_bd = fit_planes(fingerprint_nd, bits=self.config.code_bits, rng=rng)
        panels = self.draws.panels
        return Trained(
            network,
            self.vocabulary,
            self.pixel_g,
            self.labels,
            planes_bd=planes_bd.astype(np.float16),
            examples=make_examples(network, self.supply, self.labels, self.config, panels=panels, rng=rng),
            threshold=self.config.threshold,
            sources=plain_sources(self.supply),
        )

    def describe(self) -> dict[str, Any]:
        """Give everything that decided this training, as plain values."""
        return {
            "config": self.config.model_dump(mode="json"),
            "random_state": self.random_state,
            "data_sets": list(self.supply.datasets),
            **self.supply.about,
            "training_cells": self.supply.n_training,
            "validation_cells": len(self.supply.validation),
            "labels": len(self.labels),
            "nodes": len(self.nodes),
            "genes": len(self.vocabulary),
            "parameters": count_parameters(self.network),
            "processes": self.ranks.world,
            "cells_in_a_step": self.config.batch_size * self.streams,
            "torch": torch.__version__,
        }

    def _note_threads(self, before: int | None) -> None:
        threads = torch.get_num_threads()
        if self.ranks.device.type == "cpu" and before not in (None, threads):  # earlier versions didn't keep it
            note(
                f"the training was stopped with {before} threads and goes on with {threads}: its weights will differ "
                "in the last digits from those of a training that wasn't stopped. "
                f"OMP_NUM_THREADS={before} keeps them the same."
            )

    def _networks(self) -> dict[str, torch.nn.Module]:
        return {"network": self.network, "average": self.average, "best": self.best}

    def _rate(self) -> float:
        if self.config.schedule == "one-cycle":
            return one_cycle(self.step, total=self.total_steps, peak=self.config.learning_rate)
        return plateau([epoch["validation_macro_f1"] for epoch in self.epochs], peak=self.config.learning_rate)

    def _statistics(self) -> list[Tensor]:
        """Give what batch norms remember of the cells they have seen."""
        return [buffer for name, buffer in self.network.named_buffers() if name.rpartition(".")[2] in REMEMBERED]

    def _share(self, loss: Tensor, statistics: list[Tensor]) -> None:
        """Add up over all processes what each has found with its batches, and put it into the network."""
        gradients = [parameter.grad for parameter in self.network.parameters() if parameter.grad is not None]
        self.ranks.add_up([loss, *gradients, *statistics])
        _copy(statistics, self._statistics())

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running average of the weights towards the network (Polyak & Juditsky 1992, doi:10.1137/0330046)."""
        # a young average forgets faster, or it would remember the random start
        decay = min(self.config.weight_average, (self.step + 1) / (self.step + 10))
        for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)
        for kept, seen in zip(self.average.buffers(), self.network.buffers(), strict=True):
            kept.copy_(seen)

    def _close_epoch(self) -> dict[str, float]:
        """Validate, and give the figures of the epoch."""
        row = {
            "epoch": float(len(self.epochs) + 1),
            "loss": float(np.mean(self.losses)),
            **self._validate(),
            "learning_rate": self._rate(),
            "cells_per_second": self.steps * self.config.batch_size * self.streams / self.seconds,
        }
        if all(row["validation_macro_f1"] >= epoch["validation_macro_f1"] for epoch in self.epochs):
            self.best.load_state_dict(self.average.state_dict())
        self.epochs.append(row)
        self.losses, self.seconds = [], 0.0
        log.info("epoch %d: loss %.3f, validation macro-F1 %.3f", row["epoch"], row["loss"], row["validation_macro_f1"])
        return row

    def _validate(self) -> dict[str, float]:
        """Score the averaged network; the first process does it for all."""
        found = dict.fromkeys(VALIDATED, 0.0)
        if self.ranks.is_first:
            probabilities_nm = predict_nodes(self.average, self.supply.validation, self.reach_cm)
            found = figures(self.supply.validation, probabilities_nm, self.nodes, threshold=self.config.threshold)
        told = self.ranks.tell([found[name] for name in VALIDATED])
        return {f"validation_{name}": value for name, value in zip(VALIDATED, told, strict=True)}

    def _keep(self) -> None:
        """Write the state, so that the training can go on from here."""
        if not self.ranks.is_first:
            return
        state = {
            "epochs": self.epochs,
            "losses": self.losses,
            "seconds": self.seconds,
            "threads": torch.get_num_threads(),
        }
        save_checkpoint(
            self.output / CHECKPOINTS,
            step=self.step,
            networks=self._networks(),
            optimizer=self.optimizer,
            state=state,
        )
        if self.epochs:
            write_epochs(self.output, self.epochs)

    def _summary(self, result: dict[str, Any], epoch: int) -> list[str]:
        validation = len(self.supply.validation)
        return [
            f"{self.supply.n_training:,} training cells of {len(self.supply.datasets)} data sets, "
            f"{len(self.labels)} labels, {len(self.nodes)} nodes, {count_parameters(self.network):,} parameters",
            f"best epoch {epoch} of {len(self.epochs)}; on {validation:,} validation cells "
            f"at threshold {self.config.threshold:g}:",
            *(f"{key.replace('_', ' ')}: {value:.4f}" for key, value in result.items() if isinstance(value, float)),
        ]


def _copy(values: Sequence[Tensor], into: Sequence[Tensor]) -> None:
    for value, target in zip(values, into, strict=True):
        target.copy_(value)


def _above(nodes: tuple[str, ...]) -> Tensor:
    ontology = load_ontology()
    position = {node: m for m, node in enumerate(nodes)}
    above_mm = torch.zeros(len(nodes), len(nodes))
    for m, node in enumerate(nodes):
        above_mm[m, [position[term] for term in ontology.ancestors(node)]] = 1
    return above_mm
