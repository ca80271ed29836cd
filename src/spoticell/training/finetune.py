"""Teaching a trained model new types, in a minute and without forgetting the old ones.

The network stays as it is, and with it every fingerprint; only its last layer, from fingerprint to labels, learns.  It
learns from many views of the new cells, and with each of them from an example of what it knew: of that it must go on
saying what it said.
Source of the second idea: Li & Hoiem 2016, learning without forgetting, doi:10.1007/978-3-319-46493-0_37.
Axes: ``n`` views of new cells, ``k`` examples, ``d`` fingerprint, ``c`` labels, ``o`` old labels, ``m`` nodes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spoticell.biology.label_weights import LabelWeights
from spoticell.biology.ontology import load_ontology
from spoticell.errors import TrainingError
from spoticell.io.write import atomic
from spoticell.progress import Progress
from spoticell.training.caches import cached_in
from spoticell.training.config import ConfigName, TrainConfig, settled
from spoticell.training.data.augment import Mask
from spoticell.training.data.draws import Draws
from spoticell.training.data.opening import open_supply
from spoticell.training.data.panels import read_panels
from spoticell.training.data.states import load_states
from spoticell.training.data.supply import Supply
from spoticell.training.export import BEST, About, export_bundle
from spoticell.training.history import write_summary, write_types
from spoticell.training.loss import hierarchical_loss, reach_of
from spoticell.training.network import FingerprintNetwork
from spoticell.training.pretrained import Start, load_start
from spoticell.training.rehearsal import Examples, make_examples
from spoticell.training.schedule import set_rate
from spoticell.training.train import own_folder
from spoticell.training.trained import Trained, plain_sources
from spoticell.training.validate import figures, predict_nodes

FEWEST_VIEWS, MOST_VIEWS = 16_384, 131_072
STEPS, BATCH = 600, 256
RATE = 0.02
"""Learning rate at the first step; it falls to nothing."""


def finetune(
    bundle: str | Path,
    data_dir: Path | str,
    output_dir: Path | str,
    config: TrainConfig | ConfigName | Sequence[ConfigName] = "default",
    *,
    random_state: int = 0,
    split: str | None = None,
    panels_dir: Path | None = None,
    on_progress: Progress | None = None,
) -> Path:
    """Teach a trained model the types of some labelled cells, and give the folder of the new bundle.

    Parameters
    ----------
    bundle
        The model: the name of a packaged bundle, or a folder.  It stays as it is.
    data_dir
        A store, or a folder of h5ad files, as for `spoticell.training.train.train`.
    output_dir
        Gets ``best_model_f1`` (the new bundle), tables and a summary.
    config
        How cells are drawn, held out and made incomplete; the rest of it is the model's own.
    random_state
        Seed.
    split, panels_dir
        As for training.
    on_progress
        Called with the views of cells made and those that will be.

    Raises
    ------
    BundleError
        If the bundle is broken, or brings no weights or no examples of what it knows.
    TrainingError
        If there is nothing to learn from, or the folder holds a bundle already.
    """
    start, output = load_start(bundle), Path(output_dir)
    if (output / BEST).exists():
        raise TrainingError(f"{output} holds a trained bundle already; choose another output folder.")
    config = settled(config)
    vocabulary = start.bundle.vocabulary
    supply = open_supply(Path(data_dir), vocabulary, config, split=split, random_state=random_state)
    output.mkdir(parents=True, exist_ok=True)
    with own_folder(output), cached_in(output):
        lesson = Teaching(start, supply, config, read_panels(panels_dir, vocabulary), random_state)
        lesson.learn(on_progress)
        return lesson.write(output)


class Teaching:
    """One model and what it is taught.

    Parameters
    ----------
    start
        The model.
    supply
        Labelled cells.
    config
        How cells are drawn and made incomplete.
    panels
        Real gene panels.
    random_state
        Seed.
    """

    def __init__(
        self, start: Start, supply: Supply, config: TrainConfig, panels: Sequence[Mask], random_state: int
    ) -> None:
        self.start, self.supply, self.config = start, supply, config
        self.panels, self.random_state = panels, random_state
        self.labels = tuple(sorted({*start.labels, *supply.labels}))
        self.nodes, self.reach_cm = reach_of(self.labels)
        self.network, self.known = start.widened(self.labels), Known(start, self.labels)

    def learn(self, on_progress: Progress | None = None) -> None:
        """Look at the cells, and fit the last layer."""
        draws = Draws(
            self.supply,
            self.nodes,
            self.config,
            panels=self.panels,
            seed=self.random_state,
            streams=1,
            states=load_states(self.start.bundle.vocabulary),
        )
        views = see(self.network, draws, count_views(self.supply), on_progress)
        fit_last_layer(self.network, *views, self.known, self.reach_cm, seed=self.random_state)

    def write(self, output: Path) -> Path:
        """Write bundle, tables and summary, and give the bundle's folder."""
        validation, manifest = self.supply.validation, self.start.bundle.manifest
        probabilities_nm = predict_nodes(self.network, validation, self.reach_cm)
        weights = LabelWeights(self.labels, self.nodes, load_ontology())
        probabilities_nm = manifest.calibrated(probabilities_nm, validation.counts_n, weights)
        result = figures(validation, probabilities_nm, self.nodes, threshold=manifest.threshold)
        write_types(output, result["per_type"])
        write_summary(output, self._summary(result))
        with atomic(output / "params.json") as path:
            path.write_text(json.dumps(self._record(), indent=1) + "\n", encoding="utf-8")
        held_out = {key: value for key, value in result.items() if isinstance(value, float)}
        description = f"{self.start.bundle.name}, taught the types of {self.supply.n_training:,} more cells."
        return export_bundle(
            self.trained(), output / BEST, About(description=description, figures={"validation": held_out})
        )

    def trained(self) -> Trained:
        """Give the taught network with all that its bundle carries."""
        bundle, rng = self.start.bundle, np.random.default_rng(self.random_state)
        new = make_examples(self.network, self.supply, self.labels, self.config, panels=self.panels, rng=rng)
        return Trained(
            self.network,
            bundle.vocabulary,
            bundle.pixel_g,
            self.labels,
            planes_bd=self.start.planes,
            examples=self.known.examples.with_more(new),
            threshold=bundle.manifest.threshold,
            temperature=bundle.manifest.temperature,
            calibration=bundle.manifest.calibration,
            softening=bundle.manifest.softening,
            trust=bundle.manifest.trust,
            sources=(*(origin.model_dump() for origin in bundle.manifest.sources), *plain_sources(self.supply)),
        )

    def _record(self) -> dict[str, Any]:
        return {
            "taught": self.start.bundle.name,
            "taught_sha256": self.start.bundle.sha256,
            "config": self.config.model_dump(mode="json"),
            "random_state": self.random_state,
            "data_sets": list(self.supply.datasets),
            **self.supply.about,
            "training_cells": self.supply.n_training,
            "validation_cells": len(self.supply.validation),
            "torch": torch.__version__,
        }

    def _summary(self, result: dict[str, Any]) -> list[str]:
        new = [load_ontology().name(label) for label in self.labels if label not in self.start.labels]
        bundle, kept = self.start.bundle, self.known.share_kept(self.network)
        return [
            f"{bundle.name} was taught {len(new)} new labels ({', '.join(new) or 'none'}) and "
            f"{len(self.supply.labels) - len(new)} that it had, by {self.supply.n_training:,} cells of "
            f"{len(self.supply.datasets)} data sets; it knows {len(self.labels)} now.",
            f"of the examples of what it knew {kept:.1%} have the likeliest label that they had",
            f"on {len(self.supply.validation):,} validation cells at threshold {bundle.manifest.threshold:g}:",
            *(f"{key.replace('_', ' ')}: {value:.4f}" for key, value in result.items() if isinstance(value, float)),
        ]


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

    def loss(self, network: FingerprintNetwork, chosen: Tensor) -> Tensor:
        """Give how far the answers to some examples are from what they were, and what new labels take of them."""
        logits_kc = network.answer(self.examples.fingerprint_kd[chosen])
        share_ko = torch.softmax(self.before_ko[chosen], dim=1)
        return -(share_ko * torch.log_softmax(logits_kc, dim=1)[:, self.column_o]).sum(1).mean()

    def share_kept(self, network: FingerprintNetwork) -> float:
        """Give the share of the examples whose likeliest label is the one that it was."""
        with torch.no_grad():
            now_k = network.answer(self.examples.fingerprint_kd).argmax(1)
        return float((now_k == self.column_o[self.before_ko.argmax(1)]).float().mean())


def count_views(supply: Supply) -> int:
    """Give how many views of new cells are learned from: one of each, within bounds."""
    return min(max(supply.n_training, FEWEST_VIEWS), MOST_VIEWS)


def see(network: FingerprintNetwork, draws: Draws, views: int, on_progress: Progress | None) -> tuple[Tensor, Tensor]:
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


def fit_last_layer(
    network: FingerprintNetwork, fingerprint_nd: Tensor, node_n: Tensor, known: Known, reach_cm: Tensor, *, seed: int
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
