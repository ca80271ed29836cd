"""From a trained network to a bundle: one ONNX graph from aligned counts to fingerprint and node probabilities.

Weights are rounded to half precision and kept so on disk, which halves the bundle; the graph computes in single
precision, and the same rounded weights travel as safetensors for going on training.
Axes: ``n`` cells, ``g`` genes, ``d`` fingerprint, ``m`` nodes.
"""

from __future__ import annotations

import copy
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save
from torch import Tensor, nn

from spoticell.bundle import CODE, write_genes, write_manifest
from spoticell.layout import GRID
from spoticell.manifest import MODEL
from spoticell.ontology import load_ontology
from spoticell.train.code import fit_planes
from spoticell.train.loss import node_probabilities
from spoticell.train.network import DualPath
from spoticell.train.start import NETWORK, WEIGHTS
from spoticell.train.validate import predict

if TYPE_CHECKING:
    from spoticell.train.run import Run

BEST = "best_model_f1"
"""Folder of the bundle in a training's output."""
CODE_CELLS = 8000
"""Training cells that the planes of the code are chosen by."""
SMALLEST_HALVED = 1000
"""Tensors of fewer numbers stay in single precision: nothing is gained by halving them."""


class Exported(nn.Module):
    """What goes into the graph: the network, temperature, softmax and the sum up the ontology."""

    reach_cm: Tensor

    def __init__(self, network: DualPath, reach_cm: Tensor, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.register_buffer("reach_cm", reach_cm)

    def forward(self, counts_ng: Tensor, measured_g: Tensor) -> tuple[Tensor, Tensor]:
        """Give fingerprints ``(n, d)`` and node probabilities ``(n, m)``."""
        fingerprint_nd, logits_nc = self.network(counts_ng, measured_g[None])
        return fingerprint_nd, node_probabilities(logits_nc / self.temperature, self.reach_cm)


@dataclass(frozen=True)
class About:
    """What a bundle says of itself."""

    name: str = "custom"
    description: str = ""
    licence: str = "not stated"
    temperature: float = 1.0
    """Logits are divided by it: more than 1 makes answers less sure."""
    threshold: float | None = None
    """Probability that an answer needs; the training config's if not given."""
    sources: Sequence[Mapping[str, Any]] = ()
    """Data sets with accession and licence; their names alone if none are given."""
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Measured figures, by test set."""
    card: str = ""
    """Text of the model card; a short one is written if none is given."""


def export_bundle(run: Run, folder: Path, about: About) -> Path:
    """Write a run's best network as a bundle, replacing an earlier one at the same place.

    Parameters
    ----------
    run
        A finished training.
    folder
        The bundle's folder.
    about
        What the bundle says of itself.

    Returns
    -------
    The bundle's folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".bundle-") as temporary:
        made = Path(temporary) / folder.name
        made.mkdir()
        network = halve(run.best)
        write_graph(made / MODEL, Exported(network, run.reach_cm.cpu(), about.temperature), n_genes=len(run.vocabulary))
        write_genes(made, run.vocabulary, pixel_g=run.pixel_g)
        write_code(made / CODE, network, run)
        shape = json.dumps(run.config.network.model_dump(mode="json"), sort_keys=True)
        (made / WEIGHTS).write_bytes(save(_weights(network), metadata={NETWORK: shape}))
        (made / "MODEL_CARD.md").write_text(about.card or _short_card(run, about.name), encoding="utf-8")
        write_manifest(made, **_manifest_fields(run, about))
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)
    return folder


def _manifest_fields(run: Run, about: About) -> dict[str, Any]:
    return {
        "name": about.name,
        "date": datetime.now(UTC).date().isoformat(),
        "licence": about.licence,
        "description": about.description
        or f"Trained on {run.supply.n_training:,} cells of {len(run.supply.datasets)} data sets.",
        "grid": GRID,
        "fingerprint_size": run.config.network.fingerprint,
        "labels": run.labels,
        "nodes": run.nodes,
        "ontology_version": load_ontology().version,
        "temperature": about.temperature,
        "threshold": run.config.threshold if about.threshold is None else about.threshold,
        "sources": tuple(about.sources) or _plain_sources(run),
        "figures": about.figures,
    }


def write_code(path: Path, network: DualPath, run: Run) -> None:
    """Write the planes that turn a fingerprint into its binary code, unit normals in half precision, ``(b, d)``."""
    rng = np.random.default_rng(run.random_state)
    cells = run.supply.pool(rng, streams=1).cells
    chosen = rng.choice(len(cells), size=min(CODE_CELLS, len(cells)), replace=False)
    fingerprint_nd, _ = predict(network, cells.take(np.sort(chosen)))
    planes_bd = fit_planes(fingerprint_nd, bits=run.config.code_bits, rng=rng)
    with path.open("wb") as file:
        np.save(file, planes_bd.astype(np.float16), allow_pickle=False)


def halve(network: DualPath) -> DualPath:
    """Give a copy whose large weights are rounded to what half precision can hold."""
    rounded = copy.deepcopy(network).cpu().eval()
    with torch.no_grad():
        for parameter in rounded.parameters():
            if parameter.numel() >= SMALLEST_HALVED:
                parameter.copy_(parameter.half().float())
    return rounded


def write_graph(path: Path, model: Exported, *, n_genes: int) -> None:
    """Write the ONNX graph with its large weights in half precision and casts that the runtime folds away."""
    counts_ng = torch.zeros(2, n_genes)
    counts_ng[:, 0] = 1.0
    # it tells users of packages that aren't needed
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as temporary:
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        plain = Path(temporary) / MODEL
        torch.onnx.export(
            model.eval(),
            (counts_ng, torch.ones(n_genes)),
            plain,
            input_names=["counts_ng", "measured_g"],
            output_names=["fingerprint_nd", "probabilities_nm"],
            dynamic_shapes={"counts_ng": {0: torch.export.Dim("n", min=1)}, "measured_g": None},
            dynamo=True,
            optimize=False,  # folding would undo the rounding; the runtime folds when it loads
            external_data=False,
            verbose=False,
        )
        graph = onnx.load(plain)
    _store_halved(graph.graph)
    _drop_notes(graph)
    onnx.checker.check_model(graph)
    path.write_bytes(graph.SerializeToString(deterministic=True))


def _store_halved(graph: onnx.GraphProto) -> None:
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < SMALLEST_HALVED:
            continue
        if not np.array_equal(values.astype(np.float16).astype(np.float32), values):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT, name=f"{name}_cast"))
    for node in reversed(casts):
        graph.node.insert(0, node)


def _drop_notes(model: onnx.ModelProto) -> None:
    """Remove the exporter's remarks, among them paths of the machine it ran on."""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:]


def _weights(network: DualPath) -> dict[str, Tensor]:
    return {
        name: (value.half() if value.numel() >= SMALLEST_HALVED and value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }


def _plain_sources(run: Run) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"name": name, "licence": "not stated", "cells": int(cells)}
        for name, cells in zip(run.supply.datasets, run.supply.cells_cs.sum(axis=0), strict=True)
    )


def _short_card(run: Run, name: str) -> str:
    return (
        f"# {name}\n\nTrained by its user on {run.supply.n_training:,} labelled cells "
        f"({', '.join(run.supply.datasets)}) with {len(run.labels)} labels. "
        "Figures on held-out cells are in `bundle.json`; nothing else is known about it.\n"
    )
