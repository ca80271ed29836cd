"""The layers between summary and fingerprint, both ways."""

from __future__ import annotations

import numpy as np
import pytest

import spoticell
from spoticell.model.layers import gelu, layers_of, read_tensors


@pytest.fixture(scope="module", params=[1, 2])
def layers(request):
    """The layers of the packaged bundle, as those of one network and as those of two side by side."""
    return layers_of(read_tensors(spoticell.load_bundle("human-v1")), members=request.param)


def test_fingerprints_have_length_one(layers):
    summary_nk = np.random.default_rng(0).normal(size=(5, len(layers.scale_k))).astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(layers.forwards(summary_nk).fingerprint_nd, axis=1), 1, rtol=1e-5)


def test_the_way_back_is_the_slope_of_the_way_forwards(layers):
    rng, step = np.random.default_rng(0), 1e-2
    summary_nk = rng.normal(size=(1, len(layers.scale_k))).astype(np.float32)
    aim_nd = rng.normal(size=(1, layers.weights[-1].shape[0])).astype(np.float32)
    slope_nk = layers.backwards(layers.forwards(summary_nk), aim_nd)
    for k in range(0, len(layers.scale_k), 7):
        aside = np.zeros_like(summary_nk)
        aside[0, k] = step
        ahead, behind = (layers.forwards(summary_nk + sign * aside).fingerprint_nd for sign in (1, -1))
        assert slope_nk[0, k] == pytest.approx(float(((ahead - behind) * aim_nd).sum()) / (2 * step), abs=2e-3)


def test_gelu_bends_where_it_is_steepest():
    value, slope = gelu(np.array([-9.0, 0.0, 9.0]))
    np.testing.assert_allclose(value, [0, 0, 9], atol=1e-6)
    np.testing.assert_allclose(slope, [0, 0.5, 1], atol=1e-6)


def test_a_bundle_without_weights_has_no_layers(tiny_bundle):
    assert read_tensors(tiny_bundle) is None
