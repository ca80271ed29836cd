"""What is exported holds nothing that a bundle may not hold."""

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from spoticell.biology.ontology import load_ontology, reach_matrix  # noqa: E402
from spoticell.model.graph import check_graph  # noqa: E402
from spoticell.model.manifest import Manifest  # noqa: E402
from spoticell.training.config import NetworkConfig  # noqa: E402
from spoticell.training.export import Exported, write_graph  # noqa: E402
from spoticell.training.fast import FastFingerprintNetwork  # noqa: E402
from spoticell.training.loss import reach_of  # noqa: E402

LABELS = ("CL:0000624", "CL:0000625", "CL:0000236")


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [{}, {"scaling": "log1p"}, {"cnn": True, "transformer": True}, {"transformer": True, "cell_token": 0}],
    ids=str,
)
def test_every_network_that_is_exported_passes_the_list_of_what_a_bundle_may_hold(tmp_path, shape):
    network = FastFingerprintNetwork(NetworkConfig(**shape), np.arange(300) * 7, len(LABELS))
    write_graph(tmp_path / "model.onnx", Exported(network.eval(), reach_of(LABELS)[1], 1.0), n_genes=300)
    ontology = load_ontology()
    manifest = Manifest.model_construct(
        labels=LABELS, nodes=reach_matrix(LABELS, ontology)[0], ontology_version=ontology.version
    )
    check_graph((tmp_path / "model.onnx").read_bytes(), manifest, where="exported")
