import hashlib
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spoticell import __version__
from spoticell.errors import BundleError, SpoticellWarning
from spoticell.model.bundle import load_bundle, packaged_bundles, write_manifest


@pytest.fixture
def folder(tiny_bundle_folder, tmp_path):
    return Path(shutil.copytree(tiny_bundle_folder, tmp_path / "copy"))


def edit(folder, **fields):
    path = folder / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_bundle_that_was_written_is_read_back_the_same(tiny_bundle):
    assert tiny_bundle.name == "tiny"
    assert len(tiny_bundle.vocabulary) == tiny_bundle.manifest.n_genes == 200
    assert tiny_bundle.vocabulary.sha256 == tiny_bundle.manifest.gene_sha256
    assert tiny_bundle.vocabulary.chromosomes[0] == "1"
    assert len(np.unique(tiny_bundle.pixel_g)) == 200
    assert tiny_bundle.manifest.spoticell_version == __version__
    assert "fibroblast" in tiny_bundle.node_names
    assert tiny_bundle.manifest.files.keys() == {"model.onnx", "genes.tsv"}
    assert tiny_bundle.sha256 == hashlib.sha256((tiny_bundle.path / "bundle.json").read_bytes()).hexdigest()


def test_loading_writes_nothing(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    load_bundle(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_a_bundle_is_opened_without_the_readers_of_cells(folder):
    program = "import sys; from spoticell.model.bundle import load_bundle; load_bundle(sys.argv[1])\n"
    program += "sys.exit(', '.join({'pandas', 'h5py', 'anndata', 'spoticell.io.open'} & set(sys.modules)) or 0)"
    subprocess.run([sys.executable, "-c", program, str(folder)], check=True, cwd=Path(__file__).parents[2] / "src")


@pytest.mark.rows(49)
def test_every_file_of_a_bundle_is_verified_also_those_that_only_travel_along(folder):
    (folder / "weights.safetensors").write_bytes(b"weights")
    fields = json.loads((folder / "bundle.json").read_text())
    for derived in ("format_version", "spoticell_version", "n_genes", "gene_sha256", "files"):
        fields.pop(derived)
    write_manifest(folder, **fields)
    assert load_bundle(folder).read("weights.safetensors") == b"weights"
    (folder / "weights.safetensors").write_bytes(b"weighty")
    with pytest.raises(BundleError, match=r"weights.safetensors .* sha256 differs"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "model.onnx").unlink(), "lacks its file model.onnx"),
        (lambda f: (f / "genes.tsv").unlink(), "lacks its file genes.tsv"),
        (lambda f: (f / "model.onnx").write_bytes((f / "model.onnx").read_bytes()[:-7]), "cut short or changed"),
        (lambda f: (f / "model.onnx").write_bytes((f / "model.onnx").read_bytes()[:-1] + b"?"), "sha256 differs"),
        (lambda f: (f / "bundle.json").unlink(), "holds no bundle.json"),
        (lambda f: (f / "bundle.json").write_text("{"), "is not JSON"),
        (lambda f: (f / "bundle.json").write_text("[" * 100_000), "is not JSON"),
        (lambda f: (f / "bundle.json").write_text("[]"), "no table of fields"),
        (lambda f: (f / "bundle.json").write_bytes(b" " * 5_000_001), "5,000,001 bytes long"),
        (lambda f: edit(f, format_version="2.0"), r"format 2.0, and this Spoticell reads 1.x"),
        (lambda f: edit(f, format_version="one"), "format_version is 'one'"),
        (lambda f: edit(f, surprise=1), "surprise: Extra inputs"),
        (lambda f: edit(f, temperature=0), "temperature: "),
        (lambda f: edit(f, threshold=1.5), "threshold: "),
        (lambda f: edit(f, grid=10), "no room for 200 genes"),
        (lambda f: edit(f, date="yesterday"), "date: "),
        (lambda f: edit(f, labels=["CL:0000236", "CL:0000236"]), "the labels repeat a term"),
        (lambda f: edit(f, labels=["CL:0000540"]), "not among the nodes"),
        (lambda f: edit(f, labels=["CL:0000236"]), "not the labels and their ancestors"),
        (lambda f: edit(f, labels=["CL:9999999"], nodes=["CL:9999999"]), "not in Cell Ontology"),
        (lambda f: edit(f, n_genes=199), "other genes than the manifest says"),
        (lambda f: edit(f, gene_sha256="0" * 64), "other genes than the manifest says"),
    ],
)
@pytest.mark.rows(49, 50, 51)
def test_a_damaged_bundle_is_refused_with_the_reason(folder, damage, message):
    damage(folder)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a\\b", "C:x", "..", "", "bundle.json", "a\0b"])
@pytest.mark.rows(50)
def test_file_names_that_lead_elsewhere_are_refused(folder, name):
    files = json.loads((folder / "bundle.json").read_text())["files"]
    edit(folder, files=files | {name: {"sha256": "0" * 64, "bytes": 0}})
    with pytest.raises(BundleError, match="not a plain file name"):
        load_bundle(folder)


def rewrite_genes(folder, change):
    """Change genes.tsv and make the manifest fit it, as a careless exporter would."""
    path = folder / "genes.tsv"
    path.write_text(change(path.read_text()))
    fields = json.loads((folder / "bundle.json").read_text())
    files = fields["files"] | {
        "genes.tsv": {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": path.stat().st_size}
    }
    ids = [line.split("\t")[0] for line in path.read_text().splitlines()[1:]]
    edit(folder, files=files, n_genes=len(ids), gene_sha256=hashlib.sha256("\n".join(ids).encode()).hexdigest())


def repeat_first_gene(text):
    header, first, second, *rest = text.splitlines()
    return "\n".join([header, first, "\t".join([*first.split("\t")[:2], second.split("\t")[2]]), *rest]) + "\n"


def share_first_pixel(text):
    header, first, second, *rest = text.splitlines()
    return "\n".join([header, first, "\t".join([*second.split("\t")[:2], first.split("\t")[2]]), *rest]) + "\n"


def leave_the_grid(text):
    header, first, *rest = text.splitlines()
    return "\n".join([header, "\t".join([*first.split("\t")[:2], str(155 * 155)]), *rest]) + "\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (repeat_first_gene, "more than once"),
        (share_first_pixel, "two genes on one pixel"),
        (leave_the_grid, "outside the 155 by 155 grid"),
        (lambda text: text.replace("\tOR", "\tOR\t", 1) if "\tOR" in text else text + "x\n", "is not a table"),
        (lambda text: text.replace("pixel", "place", 1), "has the columns"),
        (lambda text: text.splitlines()[0] + "\n", "n_genes: "),
    ],
    ids=["repeated gene", "shared pixel", "off the grid", "ragged", "columns", "no genes"],
)
@pytest.mark.rows(51)
def test_gene_tables_that_can_not_be_are_refused(folder, change, message):
    rewrite_genes(folder, change)
    with pytest.raises(BundleError, match=message):
        load_bundle(folder)


@pytest.mark.rows(50)
def test_a_later_minor_format_is_read_with_a_warning_and_without_what_is_new(folder):
    edit(folder, format_version="1.7", novelty=[1])
    with pytest.warns(SpoticellWarning, match="later format 1.7"):
        assert load_bundle(folder).manifest.format_version == "1.7"


def test_nodes_of_another_ontology_release_are_taken_as_they_are(folder):
    nodes = json.loads((folder / "bundle.json").read_text())["nodes"]
    edit(folder, ontology_version="2020-01-01", nodes=[node for node in nodes if node != "CL:0000219"])
    assert "CL:0000219" not in load_bundle(folder).nodes


class Canary:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("name", ["model.pkl", "model.pt", "model.npy"])
@pytest.mark.rows(48)
def test_pickles_are_not_bundles_and_are_never_opened(tmp_path, name):
    (tmp_path / name).write_bytes(pickle.dumps(Canary(tmp_path / "canary")))
    with pytest.raises(BundleError, match="not a Spoticell bundle"):
        load_bundle(tmp_path / name)
    assert not (tmp_path / "canary").exists()


def test_a_name_that_nobody_knows_is_refused_with_those_that_are():
    with pytest.raises(BundleError, match=r"no bundle 'mouse-v1'; known by name: "):
        load_bundle("mouse-v1")


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"holds no bundle.json"):
        load_bundle(tmp_path)


def test_a_manifest_with_a_missing_field_is_never_written(folder):
    (folder / "bundle.json").unlink()
    with pytest.raises(BundleError, match="Field required"):
        write_manifest(folder, name="half")
    assert sorted(path.name for path in folder.iterdir()) == ["genes.tsv", "model.onnx"]


def test_the_packaged_bundle_is_sound_and_light():
    bundle = load_bundle()
    assert bundle.name == "human-v1"
    assert "human-v1" in packaged_bundles()
    assert len(bundle.manifest.labels) >= 100
    assert sum(path.stat().st_size for path in bundle.path.iterdir()) < 12_000_000
    assert bundle.manifest.sources
    assert "MODEL_CARD.md" in bundle.manifest.files


def with_code(folder, planes_bd):
    np.save(folder / "code.npy", planes_bd, allow_pickle=planes_bd.dtype.kind == "O")
    fields = json.loads((folder / "bundle.json").read_text())
    for derived in ("format_version", "spoticell_version", "n_genes", "gene_sha256", "files"):
        fields.pop(derived)
    write_manifest(folder, **fields)
    return load_bundle(folder)


def test_planes_of_a_code_that_was_learned_travel_in_the_bundle(folder):
    planes_bd = np.random.default_rng(5).normal(size=(256, 8)).astype(np.float16)
    np.testing.assert_array_equal(with_code(folder, planes_bd).planes_bd, planes_bd.astype(np.float32))


def test_a_bundle_without_planes_has_random_ones_that_never_change(tiny_bundle):
    planes_bd = tiny_bundle.planes_bd
    assert (planes_bd.shape, planes_bd.dtype) == ((128, 8), np.float32)
    np.testing.assert_array_equal(planes_bd, load_bundle(tiny_bundle.path).planes_bd)
    first, second = np.eye(8)[0], np.ones(8) / 8**0.5
    differ = np.mean((planes_bd @ first > 0) != (planes_bd @ second > 0))
    assert abs(differ - np.arccos(first @ second) / np.pi) < 0.1


@pytest.mark.parametrize(
    ("planes_bd", "message"),
    [
        (np.ones((128, 7), np.float32), "of 8 numbers"),
        (np.ones((12, 8), np.float32), "multiple of 8"),
        (np.ones((0, 8), np.float32), "8 to 1024"),
        (np.ones((128, 8), np.int64), "int64"),
        (np.full((128, 8), np.nan, np.float32), "finite"),
        (np.full((128, 8), None), "not an array"),
    ],
)
def test_planes_that_can_not_be_are_refused(folder, planes_bd, message):
    with pytest.raises(BundleError, match=message):
        _ = with_code(folder, planes_bd).planes_bd
