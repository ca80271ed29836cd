"""From a trained network to a bundle: one ONNX graph from aligned counts to fingerprint and node probabilities.

Weights are rounded to half precision and kept so on disk, which halves the bundle; the graph computes in single
precision, and the same rounded weights travel as safetensors for going on training.
Axes: ``n`` cells, ``g`` genes, ``d`` fingerprint, ``m`` nodes.
"""

from __future__ import annotations

import copy
import json
import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save
from torch import Tensor, nn

from spoticell.biology.ontology import load_ontology
from spoticell.io.passing import passing_place
from spoticell.io.write import put_in_place
from spoticell.model.bundle import CODE, write_genes, write_manifest
from spoticell.model.calibration import Softening, Together, Trust
from spoticell.model.layers import NETWORK, WEIGHTS
from spoticell.model.manifest import MODEL, UNNAMED
from spoticell.model.runtime import FAMILIARITY, OUTPUTS
from spoticell.training.layout import GRID
from spoticell.training.lean import lean
from spoticell.training.loss import node_probabilities, reach_of
from spoticell.training.network import FingerprintNetwork, familiarity
from spoticell.training.rehearsal import EXAMPLES
from spoticell.training.trained import Trained

BEST = "best_model_f1"
"""Folder of the bundle in a training's output."""
SMALLEST_HALVED = 1000
"""Tensors of fewer numbers stay in single precision: nothing is gained by halving them."""


class Exported(nn.Module):
    """What goes into the graph: the network, temperature, softmax, the sum up the ontology, and familiarity."""

    reach_cm: Tensor
    direction_cd: Tensor

    def __init__(
        self, network: FingerprintNetwork, reach_cm: Tensor, direction_cd: Tensor, *, temperature: float
    ) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature
        self.register_buffer("reach_cm", reach_cm)
        self.register_buffer("direction_cd", direction_cd.half().float())

    def forward(self, counts_ng: Tensor, measured_g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give fingerprints ``(n, d)``, node probabilities ``(n, m)`` and familiarity ``(n,)``."""
        fingerprint_nd, logits_nc = self.network(counts_ng, measured_g[None])
        logits_nc = logits_nc / self.temperature
        known_n = familiarity(logits_nc, fingerprint_nd, self.direction_cd, self.network.config.nearness)
        return self.network.shown(fingerprint_nd), node_probabilities(logits_nc, self.reach_cm), known_n


@dataclass(frozen=True)
class About:
    """What a bundle says of itself."""

    name: str = UNNAMED
    description: str = ""
    licence: str = "not stated"
    temperature: float | None = None
    """Logits are divided by it; the network's own if not given."""
    threshold: float | None = None
    """Probability that an answer needs; the network's own if not given."""
    softening: Softening | None = None
    """What calibrates the weights of labels; the network's own if not given."""
    trust: Trust | None = None
    """What makes scores of chances and familiarity; the network's own if not given."""
    together: Together | None = None
    """The same for cells that are read together with their neighbours; what goes for cells alone if not given."""
    sources: Sequence[Mapping[str, Any]] = ()
    """Data sets with accession and licence; their names alone if none are given."""
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Measured figures, by test set."""
    card: str = ""
    """Text of the model card; a short one is written if none is given."""


def export_bundle(trained: Trained, folder: Path, about: About) -> Path:
    """Write a network as a bundle, replacing an earlier one at the same place.

    Parameters
    ----------
    trained
        The network, and what travels with it.
    folder
        The bundle's folder.
    about
        What the bundle says of itself.

    Returns
    -------
    The bundle's folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with passing_place(folder) as made:
        made.mkdir()
        network, (nodes, reach_cm) = halve(trained.network), reach_of(trained.labels)
        # a copy, as the weights that travel along keep the order of the network that is trained
        graph = Exported(
            lean(halve(trained.network)),
            reach_cm,
            trained.examples.directions(len(trained.labels)),
            temperature=about.temperature or trained.temperature,
        )
        write_graph(made / MODEL, graph, n_genes=len(trained.vocabulary))
        write_genes(made, trained.vocabulary, pixel_g=trained.pixel_g)
        with (made / CODE).open("wb") as file:
            np.save(file, trained.planes_bd.astype(np.float16), allow_pickle=False)
        shape = json.dumps(network.config.model_dump(mode="json"), sort_keys=True)
        (made / WEIGHTS).write_bytes(save(_weights(network), metadata={NETWORK: shape}))
        (made / EXAMPLES).write_bytes(trained.examples.to_bytes())
        (made / "MODEL_CARD.md").write_text(about.card or _short_card(trained, about.name), encoding="utf-8")
        write_manifest(made, **_manifest_fields(trained, nodes, about))
        put_in_place(made, folder)
    return folder


def _manifest_fields(trained: Trained, nodes: Sequence[str], about: About) -> dict[str, Any]:
    softening, trust = about.softening or trained.softening, about.trust or trained.trust
    return {
        "name": about.name,
        "date": datetime.now(UTC).date().isoformat(),
        "licence": about.licence,
        "description": about.description
        or f"Trained on {_cells(trained):,} cells of {len(trained.sources)} data sets.",
        "grid": GRID,
        "fingerprint_size": trained.network.config.fingerprint,
        "labels": trained.labels,
        "nodes": nodes,
        "ontology_version": load_ontology().version,
        "temperature": about.temperature or trained.temperature,
        "threshold": trained.threshold if about.threshold is None else about.threshold,
        "calibration": None if trained.calibration is None else trained.calibration.model_dump(),
        "softening": None if softening is None else softening.model_dump(),
        "trust": None if trust is None else trust.model_dump(),
        "together": None if about.together is None else about.together.model_dump(),
        "sources": tuple(about.sources) or trained.sources,
        "figures": about.figures,
    }


def _cells(trained: Trained) -> int:
    return sum(source["cells"] for source in trained.sources)


def halve(network: FingerprintNetwork) -> FingerprintNetwork:
    """Give a copy whose large weights are rounded to what half precision can hold."""
    rounded = copy.deepcopy(network).cpu().eval()
    with torch.no_grad():
        for parameter in rounded.parameters():
            if parameter.numel() >= SMALLEST_HALVED:
                parameter.copy_(parameter.half().float())
    return rounded


def write_graph(path: Path, model: Exported, *, n_genes: int) -> None:
    """Write the ONNX graph with its large weights stored small, and casts that the runtime folds away."""
    counts_ng = torch.zeros(2, n_genes)
    counts_ng[:, 0] = 1.0
    # it tells users of packages that aren't needed
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings(), passing_place(path) as plain:
        warnings.simplefilter("ignore")  # the exporter warns of its own internals
        torch.onnx.export(
            model.eval(),
            (counts_ng, torch.ones(n_genes)),
            plain,
            input_names=["counts_ng", "measured_g"],
            output_names=[*OUTPUTS, FAMILIARITY],
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
        name, kind = tensor.name, np.bool_ if np.isin(values, (0, 1)).all() else np.float16
        tensor.CopyFrom(numpy_helper.from_array(values.astype(kind), f"{name}_stored"))
        casts.append(helper.make_node("Cast", [f"{name}_stored"], [name], to=TensorProto.FLOAT, name=f"{name}_cast"))
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


def _weights(network: FingerprintNetwork) -> dict[str, Tensor]:
    return {
        name: (value.half() if value.numel() >= SMALLEST_HALVED and value.is_floating_point() else value).contiguous()
        for name, value in network.state_dict().items()
    }


def _short_card(trained: Trained, name: str) -> str:
    return (
        f"# {name}\n\nTrained by its user on {_cells(trained):,} labelled cells "
        f"({', '.join(source['name'] for source in trained.sources)}) with {len(trained.labels)} labels. "
        "Figures on held-out cells are in `bundle.json`; nothing else is known about it.\n"
    )
