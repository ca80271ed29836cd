"""How a peer's settings are chosen: on data sets held out of its training, as Spoticell's own are.

The held-out sets are those of ``configs/human-v1-calibration-a.yaml``.  A setting is trained on all other cells, once;
its temperature is what makes the held-out labels most likely, every set counting alike, and its answer rule is the
label that is most probable or Spoticell's (the deepest term that is sure enough, with the best threshold), whichever
gives the higher mean macro-F1.  The setting with the highest is taken.
Axes: ``n`` cells, ``c`` labels, ``m`` nodes.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from benchmarks.lib.saving import ROOT
from benchmarks.lib.studies import Cells
from benchmarks.peers.methods import Peer, RefusedError
from spoticell.annotation.figures import score
from spoticell.biology.answer_rule import answers
from spoticell.biology.ontology import TOO_GENERAL, load_ontology, reach_matrix
from spoticell.keys import UNKNOWN
from spoticell.training.config import load_config
from spoticell.training.data.labelled import LabelledCells
from spoticell.training.loss import hierarchical_loss, reach_of

HELD_OUT = load_config(ROOT / "configs" / "human-v1-calibration-a.yaml").validation
THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7)
"""Those from which Spoticell's is chosen."""

Settings = dict[str, Any]


@dataclass(frozen=True)
class Rule:
    """How probabilities become answers."""

    temperature: float = 1.0
    threshold: float | None = None
    """Probability that an answer needs; None: the most probable label, always."""

    def answer(self, chance_nc: NDArray[np.floating], labels: Sequence[str]) -> tuple[list[str], NDArray[np.floating]]:
        """Give each cell's term and its probability."""
        nodes, reach_cm = reach_matrix(labels, load_ontology())
        softened_nc = soften(chance_nc, self.temperature)
        chance_nm = softened_nc @ reach_cm.astype(softened_nc.dtype)
        if self.threshold is not None:
            return self.sure(chance_nm, nodes)
        usable_c = np.array([label not in TOO_GENERAL for label in labels])
        terms = [labels[best] for best in np.where(usable_c, softened_nc, -1).argmax(axis=1)]
        return terms, chance_nm[np.arange(len(terms)), [nodes.index(term) for term in terms]]

    def sure(self, chance_nm: NDArray[np.floating], nodes: Sequence[str]) -> tuple[list[str], NDArray[np.floating]]:
        """Give the deepest term that is sure enough for each cell, and its probability."""
        answer_n, score_n = answers(chance_nm, nodes, load_ontology(), threshold=self.threshold or 0)
        terms = [*nodes, UNKNOWN]
        return [terms[answer] for answer in answer_n], score_n


@dataclass(frozen=True)
class Choice:
    """What was chosen for a peer, and all that was tried."""

    settings: Settings
    rule: Rule
    tried: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Give it for a file."""
        return {**asdict(self), "held_out": list(HELD_OUT)}

    @staticmethod
    def from_json(found: dict[str, Any]) -> Choice:
        """Take it from a file."""
        return Choice(found["settings"], Rule(**found["rule"]), found["tried"])


def soften(chance_nc: NDArray[np.floating], temperature: float) -> NDArray[np.floating]:
    """Divide the logarithms by a temperature; what a cell's probabilities sum to stays."""
    if temperature == 1:
        return chance_nc
    softened_nc = np.maximum(chance_nc, 1e-12) ** (1 / temperature)
    return softened_nc * (chance_nc.sum(axis=1) / softened_nc.sum(axis=1))[:, None]


def tune(
    make: Callable[..., Peer], grid: Sequence[Settings], cells: LabelledCells, held_out: Sequence[Cells]
) -> Choice:
    """Try every setting and choose.

    Parameters
    ----------
    make
        Makes the peer of a setting.
    grid
        The settings.
    cells
        Cells to learn from; those of the held-out sets among them are left out.
    held_out
        The held-out sets with their authors' labels.
    """
    names = np.array(cells.datasets, dtype=object)
    others = cells.take(~np.isin(names[cells.dataset_n], HELD_OUT))
    rules, tried = [], []
    for settings in grid:
        start = time.monotonic()
        peer = make(**settings).fit(others, seed=0)
        rule, macro_f1 = choose_rule(peer, held_out)
        rules.append(rule)
        tried.append({"settings": settings, **asdict(rule), "macro_f1": round(macro_f1, 4)})
        print(f"  {settings}: {macro_f1:.3f} ({rule}), {time.monotonic() - start:.0f} s", file=sys.stderr)
    best = max(range(len(grid)), key=lambda position: tried[position]["macro_f1"])
    return Choice(grid[best], rules[best], tried)


def choose_rule(peer: Peer, held_out: Sequence[Cells]) -> tuple[Rule, float]:
    """Give the answer rule with the highest mean macro-F1 over the held-out sets, and that mean."""
    nodes, _ = reach_matrix(peer.labels, load_ontology())
    seen = []
    for cells in held_out:
        known = cells.take(np.isin(cells.term_n, nodes))
        try:
            seen.append((known, peer.probabilities(known.counts_ng, known.measured_g)))
        except RefusedError:
            continue
    temperature = fit_temperature(seen, peer.labels)
    rules = [Rule(temperature, threshold) for threshold in (None, *THRESHOLDS)]
    scores = [_macro_f1(rule, seen, peer.labels) for rule in rules]
    best = int(np.argmax(scores))
    return rules[best], scores[best]


def fit_temperature(seen: Sequence[tuple[Cells, NDArray[np.floating]]], labels: Sequence[str]) -> float:
    """Give the temperature with the least loss of the labels' nodes, every set counting alike."""
    nodes, reach_cm = reach_of(labels)
    node_of = {node: m for m, node in enumerate(nodes)}
    targets = [torch.tensor([node_of[term] for term in cells.term_n]) for cells, _ in seen]
    logits = [torch.from_numpy(np.log(np.maximum(chance_nc, 1e-12)).astype(np.float32)) for _, chance_nc in seen]

    def loss(logarithm: float) -> float:
        pairs = zip(logits, targets, strict=True)
        return sum(
            float(hierarchical_loss(logits_nc / float(np.exp(logarithm)), target_n, reach_cm).mean())
            for logits_nc, target_n in pairs
        )

    return float(np.exp(minimize_scalar(loss, bounds=(-1.0, 2.0), method="bounded").x))


def _macro_f1(rule: Rule, seen: Sequence[tuple[Cells, NDArray[np.floating]]], labels: Sequence[str]) -> float:
    return statistics.mean(
        score(cells.term_n.tolist(), rule.answer(chance_nc, labels)[0])["macro_f1"] for cells, chance_nc in seen
    )
