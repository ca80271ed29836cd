"""The atlas of the packaged model."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest

import spoticell
from spoticell.report.picture import LEVELS, SEEN
from spoticell.web.atlas import NAMED, NEAR, OTHER, SHOWN, atlas_of
from spoticell.web.grid_schemas import AtlasInfo


@pytest.fixture(scope="module")
def bundle():
    return spoticell.load_bundle("human-v1")


@pytest.fixture(scope="module")
def atlas(bundle):
    return atlas_of(bundle)


@pytest.fixture(scope="module")
def words(atlas):
    return json.loads(atlas.words)


def test_all_types_of_the_model_are_told(bundle, words):
    AtlasInfo(**words)
    assert sorted(kind["term"] for kind in words["types"]) == sorted(bundle.manifest.labels)


def test_types_of_one_broad_type_stand_together_and_others_last(words):
    broad = [kind["broad"] for kind in words["types"]]
    changes = sum(first != second for first, second in pairwise(broad))
    assert changes == len(set(broad)) - 1
    assert broad[-1] == OTHER


def test_a_type_has_its_genes_its_place_and_its_like(words):
    kind = next(kind for kind in words["types"] if kind["name"] == "naive B cell")
    assert len(kind["genes"]) == NAMED
    assert kind["genes"][0]["strength"] == 1
    assert "MS4A1" in [gene["symbol"] for gene in kind["genes"]]
    assert kind["path"][0]["name"] == "B cell"
    assert kind["definition"].startswith("A naive B cell is a mature B cell")
    near = [words["types"][at]["broad"] for at in kind["near"]]
    assert len(near) == NEAR
    assert near[0] == "B cell"
    assert np.linalg.norm(kind["fingerprint"]) == pytest.approx(1, abs=0.01)


def test_no_type_is_near_itself(words):
    assert all(at not in kind["near"] for at, kind in enumerate(words["types"]))


def test_pictures_show_the_named_genes_brightest(bundle, atlas, words):
    size = 3 * SHOWN
    assert len(atlas.pictures) == size * len(words["types"])
    for at in (0, 100, len(words["types"]) - 1):
        part = atlas.pictures[at * size : (at + 1) * size]
        pixels, levels = np.frombuffer(part[: 2 * SHOWN], "<u2"), np.frombuffer(part[2 * SHOWN :], np.uint8)
        row, column = words["types"][at]["genes"][0]["pixel"]
        assert pixels[0] == row * bundle.manifest.grid + column
        assert levels[0] == LEVELS - 1
        assert (np.diff(levels.astype(int)) <= 0).all()
        assert levels.min() >= SEEN - 1


def test_the_atlas_is_worked_out_once(bundle, atlas):
    assert atlas_of(spoticell.load_bundle("human-v1")) is atlas


def test_a_model_without_weights_has_no_atlas(tiny_bundle):
    assert atlas_of(tiny_bundle) is None
