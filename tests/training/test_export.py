"""What is exported holds nothing that a bundle may not hold."""

import pytest

torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402

from spoticell.biology.ontology import load_ontology, reach_matrix  # noqa: E402
from spoticell.model.graph import check_graph  # noqa: E402
from spoticell.model.manifest import Manifest  # noqa: E402
from spoticell.model.runtime import FAMILIARITY, OUTPUTS, onnxruntime  # noqa: E402
from spoticell.training.config import NetworkConfig  # noqa: E402
from spoticell.training.export import Exported, write_graph  # noqa: E402
from spoticell.training.fast import FastFingerprintNetwork  # noqa: E402
from spoticell.training.loss import reach_of  # noqa: E402

LABELS = ("CL:0000624", "CL:0000625", "CL:0000236")


DIRECTIONS = torch.eye(3, NetworkConfig().fingerprint)


def exported(network, temperature: float = 1.0) -> Exported:
    return Exported(network.eval(), reach_of(LABELS)[1], DIRECTIONS, temperature=temperature)


@pytest.mark.slow
@pytest.mark.parametrize(
    "shape",
    [
        {},
        {"scaling": "log1p"},
        {"cnn": True, "transformer": True},
        {"transformer": True, "cell_token": 0},
        {"nearness": 9},
    ],
    ids=str,
)
def test_every_network_that_is_exported_passes_the_list_of_what_a_bundle_may_hold(tmp_path, shape):
    network = FastFingerprintNetwork(NetworkConfig(**shape), np.arange(300) * 7, len(LABELS))
    write_graph(tmp_path / "model.onnx", exported(network), n_genes=300)
    ontology = load_ontology()
    manifest = Manifest.model_construct(
        labels=LABELS, nodes=reach_matrix(LABELS, ontology)[0], ontology_version=ontology.version
    )
    check_graph((tmp_path / "model.onnx").read_bytes(), manifest, where="exported")


@pytest.mark.parametrize("nearness", [0.0, 9.0])
def test_a_cell_is_the_more_familiar_the_nearer_it_is_to_the_examples_of_a_label(tmp_path, nearness):
    torch.manual_seed(0)
    network = FastFingerprintNetwork(NetworkConfig(nearness=nearness), np.arange(300) * 7, len(LABELS))
    write_graph(tmp_path / "model.onnx", exported(network, temperature=2.0), n_genes=300)
    counts_ng = np.random.default_rng(0).poisson(1.0, size=(5, 300)).astype(np.float32)
    session = onnxruntime.InferenceSession((tmp_path / "model.onnx").read_bytes())
    given = {"counts_ng": counts_ng, "measured_g": np.ones(300, dtype=np.float32)}
    fingerprint_nd, _, familiarity_n = session.run([*OUTPUTS, FAMILIARITY], given)
    with torch.inference_mode():
        logits_nc = network(torch.from_numpy(counts_ng), torch.ones(1, 300))[1].numpy() / 2
    expected_n = np.log(np.exp(logits_nc).sum(axis=1)) + nearness * fingerprint_nd[:, :3].max(axis=1)
    np.testing.assert_allclose(familiarity_n, expected_n, rtol=1e-2)
