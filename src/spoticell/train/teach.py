"""Teaching a trained model new types, in a minute and without forgetting the old ones.

The network stays as it is, and with it every fingerprint; only its last layer, from fingerprint to labels, learns.  It
learns from many views of the new cells, and with each of them from an example of what it knew: of that it must go on
saying what it said.
Source of the second idea: Li & Hoiem 2016, learning without forgetting, doi:10.1007/978-3-319-46493-0_37.
Axes: ``n`` views of new cells, ``k`` examples, ``d`` fingerprint, ``c`` labels, ``o`` old labels, ``m`` nodes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spoticell.errors import TrainingError
from spoticell.io.write import atomic
from spoticell.ontology import load_ontology, reach_matrix
from spoticell.train.augment import Mask
from spoticell.train.config import TrainConfig
from spoticell.train.draws import Draws
from spoticell.train.examples import Examples, make_examples
from spoticell.train.export import BEST, About, export_bundle
from spoticell.train.history import write_summary, write_types
from spoticell.train.loss import hierarchical_loss
from spoticell.train.network import DualPath
from spoticell.train.schedule import set_rate
from spoticell.train.start import Start
from spoticell.train.supply import Supply
from spoticell.train.trained import Trained, plain_sources
from spoticell.train.validate import figures, predict_nodes

Progress = Callable[[int, int], None]
FEWEST_VIEWS, MOST_VIEWS = 16_384, 131_072
STEPS, BATCH = 600, 256
RATE = 0.02
"""Learning rate at the first step; it falls to nothing."""


def teach(
    start: Start,
    supply: Supply,
    config: TrainConfig,
    *,
    output: Path,
    random_state: int = 0,
    panels: Sequence[Mask] = (),
    on_progress: Progress | None = None,
) -> Path:
    """Teach a trained model the labels of some cells, and give the folder of the new bundle.

    Parameters
    ----------
    start
        The model.
    supply
        Labelled cells.
    config
        How cells are drawn and made incomplete; the rest of it is the model's own.
    output
        Existing folder that gets the bundle, tables and a summary.
    random_state
        Seed.
    panels
        Real gene panels.
    on_progress
        Called with the views made and those that will be.

    Raises
    ------
    TrainingError
        If the folder holds a bundle already.
    """
    if (output / BEST).exists():
        raise TrainingError(f"{output} holds a trained bundle already; choose another output folder.")
    labels = tuple(sorted({*start.labels, *supply.labels}))
    nodes, reach_cm = reach_matrix(labels, load_ontology())
    reach = torch.from_numpy(reach_cm.astype(np.float32))
    network, known = start.widened(labels), Known(start, labels)
    draws = Draws(supply, nodes, config, panels=panels, seed=random_state, streams=1)
    learn(network, *see(network, draws, count_views(supply), on_progress), known, reach, seed=random_state)
    threshold = start.bundle.manifest.threshold
    answers_nm = predict_nodes(network, supply.validation, reach)
    result = figures(supply.validation, answers_nm, nodes, threshold=threshold)
    write_types(output, result["per_type"])
    write_summary(output, _summary(start, supply, labels, result, known.share_kept(network)))
    with atomic(output / "params.json") as path:
        path.write_text(json.dumps(_record(start, supply, config, random_state), indent=1) + "\n", encoding="utf-8")
    new = make_examples(network, supply, labels, config, panels=panels, rng=np.random.default_rng(random_state))
    trained = Trained(
        network,
        start.bundle.vocabulary,
        start.bundle.pixel_g,
        labels,
        planes_bd=start.planes,
        examples=known.examples.with_more(new),
        threshold=threshold,
        temperature=start.bundle.manifest.temperature,
        sources=(*(origin.model_dump() for origin in start.bundle.manifest.sources), *plain_sources(supply)),
    )
    held_out = {key: value for key, value in result.items() if isinstance(value, float)}
    description = f"{start.bundle.name}, taught the types of {supply.n_training:,} more cells."
    return export_bundle(trained, output / BEST, About(description=description, figures={"validation": held_out}))


class Known:
    """What a model knew, as examples and its answers to them.

    Parameters
    ----------
    start
        The model.
    labels
        Labels of the model that is taught, the old ones among them.
    """

    def __init__(self, start: Start, labels: Sequence[str]) -> None:
        place = {label: c for c, label in enumerate(labels)}
        self.column_o = torch.tensor([place[label] for label in start.labels])
        fingerprint_kd = start.examples.fingerprint_kd.float()
        self.examples = Examples(fingerprint_kd, self.column_o[start.examples.label_k.long()])
        with torch.no_grad():
            self.before_ko = start.network().answer(fingerprint_kd)

    def loss(self, network: DualPath, chosen: Tensor) -> Tensor:
        """Give how far the answers to some examples are from what they were, and what new labels take of them."""
        logits_kc = network.answer(self.examples.fingerprint_kd[chosen])
        share_ko = torch.softmax(self.before_ko[chosen], dim=1)
        return -(share_ko * torch.log_softmax(logits_kc, dim=1)[:, self.column_o]).sum(1).mean()

    def share_kept(self, network: DualPath) -> float:
        """Give the share of the examples whose likeliest label is the one that it was."""
        with torch.no_grad():
            now_k = network.answer(self.examples.fingerprint_kd).argmax(1)
        return float((now_k == self.column_o[self.before_ko.argmax(1)]).float().mean())


def count_views(supply: Supply) -> int:
    """Give how many views of new cells are learned from: one of each, within bounds."""
    return min(max(supply.n_training, FEWEST_VIEWS), MOST_VIEWS)


def see(network: DualPath, draws: Draws, views: int, on_progress: Progress | None) -> tuple[Tensor, Tensor]:
    """Give the fingerprints of views of new cells, ``(n, d)``, and the nodes of their labels, ``(n,)``."""
    network.eval()
    steps = views // draws.config.batch_size + 1
    fingerprints, nodes = [], []
    with torch.inference_mode(), closing(draws.from_step(0, [0])) as batches:
        for step, (batch, _) in zip(range(steps), batches, strict=False):
            fingerprints.append(network(batch.counts_ng, batch.measured_ng)[0])
            nodes.append(batch.node_n)
            if on_progress is not None:
                on_progress((step + 1) * draws.config.batch_size, steps * draws.config.batch_size)
    return torch.cat(fingerprints).clone(), torch.cat(nodes)


def learn(
    network: DualPath, fingerprint_nd: Tensor, node_n: Tensor, known: Known, reach_cm: Tensor, *, seed: int
) -> None:
    """Fit the last layer of a network to new views and to the examples of what it knew."""
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(network.labels.parameters(), lr=RATE)
    for step in range(STEPS):
        set_rate(optimizer, RATE * (1 - step / STEPS))
        chosen = torch.randint(len(fingerprint_nd), (BATCH,))
        loss_n = hierarchical_loss(network.answer(fingerprint_nd[chosen]), node_n[chosen], reach_cm)
        loss = loss_n.mean() + known.loss(network, torch.randint(len(known.before_ko), (BATCH,)))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()


def _record(start: Start, supply: Supply, config: TrainConfig, random_state: int) -> dict[str, Any]:
    return {
        "taught": start.bundle.name,
        "taught_sha256": start.bundle.sha256,
        "config": config.model_dump(mode="json"),
        "random_state": random_state,
        "data_sets": list(supply.datasets),
        **supply.about,
        "training_cells": supply.n_training,
        "validation_cells": len(supply.validation),
        "torch": torch.__version__,
    }


def _summary(start: Start, supply: Supply, labels: Sequence[str], result: dict[str, Any], kept: float) -> list[str]:
    new = [load_ontology().name(label) for label in labels if label not in start.labels]
    return [
        f"{start.bundle.name} was taught {len(new)} new labels ({', '.join(new) or 'none'}) and "
        f"{len(supply.labels) - len(new)} that it had, by {supply.n_training:,} cells of "
        f"{len(supply.datasets)} data sets; it knows {len(labels)} now.",
        f"of the examples of what it knew {kept:.1%} have the likeliest label that they had",
        f"on {len(supply.validation):,} validation cells at threshold {start.bundle.manifest.threshold:g}:",
        *(f"{key.replace('_', ' ')}: {value:.4f}" for key, value in result.items() if isinstance(value, float)),
    ]
