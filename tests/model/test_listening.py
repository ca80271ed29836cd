from types import SimpleNamespace

import numpy as np
import pytest
from safetensors.numpy import load, save

import spoticell
from spoticell.model.layers import WEIGHTS
from spoticell.model.listening import EXAMPLES, listening, mean_fingerprints


@pytest.fixture(scope="module")
def human():
    return spoticell.load_bundle("human-v1")


@pytest.fixture(scope="module")
def strength_cg(human):
    return listening(human)


@pytest.mark.parametrize(
    ("term", "markers"),
    [
        ("CL:0000788", {"MS4A1", "CD79A", "PAX5"}),  # naive B cell
        ("CL:0000182", {"APOH", "SERPINC1", "HPX"}),  # hepatocyte
        ("CL:0000233", {"PF4", "PPBP", "GP9"}),  # platelet
        ("CL:0000127", {"GFAP", "SLC1A2"}),  # astrocyte
        ("CL:0000623", {"KLRF1", "PRF1"}),  # natural killer cell
    ],
)
def test_known_markers_are_among_the_genes_that_speak_loudest_for_a_type(human, strength_cg, term, markers):
    loudest = np.argsort(-strength_cg[human.manifest.labels.index(term)])[:100]
    assert markers <= {human.vocabulary.symbols[g] for g in loudest}


def test_what_speaks_for_some_types_speaks_against_others(human, strength_cg):
    assert strength_cg.shape == (len(human.manifest.labels), len(human.vocabulary))
    np.testing.assert_allclose(strength_cg.mean(axis=0), 0, atol=1e-4)


def test_it_is_worked_out_the_same_twice(human, strength_cg):
    np.testing.assert_allclose(listening(human), strength_cg, atol=1e-3)


def test_a_bundle_without_weights_shows_nothing(tiny_bundle):
    assert listening(tiny_bundle) is None


def fake(weights: dict[str, np.ndarray], examples: dict[str, np.ndarray], labels: int = 2) -> SimpleNamespace:
    files = {WEIGHTS: save(weights), EXAMPLES: save(examples)}
    return SimpleNamespace(manifest=SimpleNamespace(files=files, labels=("",) * labels), read=files.__getitem__)


def test_a_network_that_reads_the_picture_too_shows_nothing(human):
    weights = load(human.read(WEIGHTS))
    wide = weights["fusion.body.1.weight"]
    wider = weights | {"fusion.body.1.weight": np.concatenate([wide, wide], axis=1)}
    assert listening(fake(wider, {})) is None


def test_a_network_without_a_summary_shows_nothing():
    assert listening(fake({"labels.bias": np.zeros(2, dtype=np.float32)}, {})) is None


def test_the_mean_of_fingerprints_has_length_one_and_is_zero_without_examples():
    examples = {
        "fingerprint_kd": np.array([[3, 0], [0, 2]], dtype=np.float16),
        "label_k": np.zeros(2, dtype=np.int32),
    }
    half = np.sqrt(0.5)
    np.testing.assert_allclose(mean_fingerprints(fake({}, examples)), [[half, half], [0, 0]], rtol=1e-6)
