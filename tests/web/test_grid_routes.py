"""Pictures on the gene grid as they are sent, and what each pixel is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from tests.web.conftest import checked, done, h5ad, run

from spoticell.report.picture import SEEN

SIDE = 155


def taken_apart(contents: bytes) -> tuple[np.ndarray, np.ndarray]:
    levels = np.frombuffer(contents[: SIDE * SIDE], np.uint8)
    values = np.zeros(SIDE * SIDE)
    values[levels >= SEEN] = np.frombuffer(contents[SIDE * SIDE :], "<f4")
    return levels, values


def test_each_gene_has_its_pixel(shared, tiny_bundle):
    grid = shared.get("/api/grid").json()
    assert (grid["model"], grid["side"]) == (tiny_bundle.name, SIDE)
    assert grid["pixels"] == tiny_bundle.pixel_g.tolist()
    assert grid["symbols"] == list(tiny_bundle.vocabulary.symbols)
    assert grid["chromosomes"][grid["symbols"].index("MS4A1")] == "11"
    assert grid["colors"][0].startswith("#")


@pytest.mark.parametrize("path", ["grid", "atlas", "atlas/pictures"])
def test_a_model_that_is_not_offered_is_refused(shared, path):
    reply = shared.get(f"/api/{path}?model=nobody")
    assert reply.status_code == 404
    assert "no model of that name" in reply.json()["error"]


def test_a_model_without_weights_says_that_it_has_no_atlas(shared):
    for path in ("/api/atlas", "/api/atlas/pictures"):
        reply = shared.get(path)
        assert reply.status_code == 404
        assert "brings no weights" in reply.json()["error"]


def test_the_packaged_model_has_an_atlas(opened):
    client = opened(bundles=("human-v1",))
    atlas = client.get("/api/atlas").json()
    assert atlas["model"] == "human-v1"
    pictures = client.get("/api/atlas/pictures?model=human-v1").content
    assert len(pictures) == 3 * atlas["shown"] * len(atlas["types"])


def test_a_cell_is_sent_as_its_picture_and_its_counts(shared, done_job, tiny_cells, tiny_bundle):
    here = f"/api/jobs/{done_job['id']}"
    levels, values = taken_apart(shared.get(f"{here}/cells/2/sky").content)
    drawn = Image.open(io.BytesIO(shared.get(f"{here}/cells/2/picture.png").content))
    np.testing.assert_array_equal(levels.reshape(SIDE, SIDE), np.asarray(drawn))
    counts_v = tiny_cells.X.toarray()[2]
    for gene, count in zip(tiny_cells.var_names, counts_v, strict=True):
        g = tiny_bundle.vocabulary.exact[gene]
        assert values[tiny_bundle.pixel_g[g]] == count


def test_a_type_is_sent_as_the_mean_of_its_cells(shared, done_job, tiny_cells, tiny_bundle):
    here = f"/api/jobs/{done_job['id']}"
    b_cells = next(kind for kind in shared.get(f"{here}/summary").json()["types"] if kind["name"] == "B cell")
    levels, values = taken_apart(shared.get(f"{here}/skies/{b_cells['index']}").content)
    counts = tiny_cells.X.toarray()[: b_cells["cells"]]
    mean_v = np.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True)).mean(axis=0)
    pixel_v = tiny_bundle.pixel_g[[tiny_bundle.vocabulary.exact[gene] for gene in tiny_cells.var_names]]
    np.testing.assert_allclose(values[pixel_v], mean_v, rtol=1e-4)
    assert levels.argmax() in pixel_v
    all_levels = np.frombuffer(shared.get(f"{here}/skies").content, np.uint8).reshape(-1, SIDE * SIDE)
    np.testing.assert_array_equal(all_levels[b_cells["index"]], levels)


def test_the_means_are_worked_out_once(opened, settings, tiny_file):
    client = opened()
    job = done(client, tiny_file)
    first = client.get(f"/api/jobs/{job['id']}/skies").content
    kept = next(settings.data_dir.rglob("means.npy"))
    np.save(kept, np.load(kept)[::-1])
    assert client.get(f"/api/jobs/{job['id']}/skies").content != first, "what is kept is used"


def test_a_type_that_no_cell_has_is_refused(shared, done_job):
    reply = shared.get(f"/api/jobs/{done_job['id']}/skies/400")
    assert reply.status_code == 404
    assert reply.json()["error"] == "There is no type of that number in the summary."


def test_a_sample_without_a_named_cell_has_no_pictures_of_types(opened, vague_cells, tmp_path):
    client = opened()
    job = run(client, checked(client, h5ad(vague_cells[:5].copy(), tmp_path / "vague.h5ad")), threshold=0.95)
    assert client.get(f"/api/jobs/{job['id']}/summary").json()["types"] == []
    assert client.get(f"/api/jobs/{job['id']}/skies").content == b""


def test_the_page_of_the_atlas_is_the_page(shared):
    assert shared.get("/atlas").text == shared.get("/").text
