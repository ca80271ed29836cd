"""Whatever a version of Spoticell ever wrote is read by this one: see README.md beside this file."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest

from spoticell.api import annotate, evaluate
from spoticell.corpus.splits.file import read_split
from spoticell.corpus.splits.split import MAJOR as SPLIT_MAJOR
from spoticell.corpus.splits.split import MINOR as SPLIT_MINOR
from spoticell.corpus.store import writer
from spoticell.corpus.store.store import Store
from spoticell.index import manifest as of_index
from spoticell.io import open_cells
from spoticell.io.fingerprints import stored_fingerprints
from spoticell.keys import DONOR, FINGERPRINT, KEY_ADDED, LABEL, RUN, SCORE, SINGLE_TERM, TERM
from spoticell.model import manifest as of_bundle
from spoticell.model.bundle import load_bundle

ARCHIVE = Path(__file__).parent
CELLS = ARCHIVE / "cells.h5ad"
SCRIPT = import_module("scripts.archive")


def kept(kind):
    """Folders of the archive that hold a thing of some kind."""
    return sorted(path.name for path in ARCHIVE.glob(f"{kind}-*"))


def named(bundle, output, *, each_cell_alone):
    """The answers for the cells of the archive, as a table."""
    annotate(CELLS, output, model=bundle, each_cell_alone=each_cell_alone)
    return pd.read_csv(output)


def bundle_of(place):
    """The bundle of the archive that an index is of."""
    sha256 = opened(place).bundle_sha256
    return next(
        bundle for name in kept("bundle") if (bundle := load_bundle(ARCHIVE / name / "bundle")).sha256 == sha256
    )


def opened(place):
    pytest.importorskip("faiss", reason="searching needs faiss: pip install 'spoticell[search]'")
    if place.suffix == ".lance":
        pytest.importorskip("lancedb", reason="Lance databases need lancedb: pip install 'spoticell[lance]'")
    return import_module("spoticell.index").open_index(place)


def hits(place):
    return import_module("spoticell.index.search").search(CELLS, place, k=3, model=bundle_of(place))


def record_keys(path):
    """Names of all that the record of a run says."""
    keys = []
    with h5py.File(path) as file:
        file[f"uns/{RUN.format(key=KEY_ADDED)}"].visit(keys.append)
    return set(keys)


def is_bundle(folder):
    bundle = load_bundle(folder / "bundle")
    assert all(len(bundle.read(name)) == record.bytes for name, record in bundle.manifest.files.items())
    assert bundle.planes_bd.shape[1] == bundle.manifest.fingerprint_size
    then = pd.read_csv(folder / "answers.csv")
    # before format 1.4 each cell was named alone
    alone = SINGLE_TERM.format(key=KEY_ADDED) not in then
    now = named(bundle, folder / "now.csv", each_cell_alone=alone)
    columns = [name.format(key=KEY_ADDED) for name in (TERM, SCORE)]
    assert now["cell"].tolist() == then["cell"].tolist()
    assert now[columns[0]].tolist() == then[columns[0]].tolist()
    np.testing.assert_allclose(now[columns[1]], then[columns[1]], atol=1e-4)


def is_index(folder):
    place = next(folder.glob("index*"))
    opened(place).check()
    then, now = pd.read_csv(folder / "hits.csv", keep_default_na=False), hits(place)
    for column in ("cell", "rank", "reference", "cell_type_ontology_term_id", "study"):
        assert now[column].astype(str).tolist() == then[column].astype(str).tolist()
    np.testing.assert_allclose(now["similarity"], then["similarity"].astype(float), atol=1e-3)


def is_store(folder):
    store = Store(folder / "store")
    store.verify()
    assert len(store.vocabulary) == store.manifest["genes"] == store.shard(0).n_genes
    then, now = pd.read_csv(folder / "cells.csv"), SCRIPT.table_of(store)
    pd.testing.assert_frame_equal(now, then, check_dtype=False)
    split = read_split(store.folder, "donors")
    side_n = split.side_of(now)
    assert [int((side_n == side).sum()) for side in ("train", "test")] == [
        split.cells[side] for side in ("train", "test")
    ]
    train, test = (set(now[DONOR][side_n == side]) for side in ("train", "test"))
    assert not train & test


def is_annotated(folder):
    path = folder / "cells.h5ad"
    then, now = json.loads((folder / "figures.json").read_text()), evaluate(path, label_column=LABEL).to_dict()
    assert now.keys() >= then.keys()
    assert now["accuracy"] == pytest.approx(then["accuracy"])
    assert now["ece"] == pytest.approx(then["ece"], abs=1e-6)
    cells = anndata.read_h5ad(path)
    with open_cells(path) as source:
        sha256 = cells.uns[RUN.format(key=KEY_ADDED)]["bundle_sha256"]
        fingerprints = stored_fingerprints(source, bundle_sha256=sha256, size=8)
        np.testing.assert_array_equal(fingerprints.read(0, 13), cells.obsm[FINGERPRINT.format(key=KEY_ADDED)])


@pytest.fixture
def copy(tmp_path):
    """A copy of a folder of the archive, which itself is never opened for writing."""
    return lambda name: Path(shutil.copytree(ARCHIVE / name, tmp_path / name))


@pytest.mark.parametrize("name", kept("bundle"))
def test_a_bundle_names_cells_as_it_did(copy, name):
    is_bundle(copy(name))


@pytest.mark.parametrize("name", [*kept("index"), *kept("lance")])
def test_an_index_gives_the_hits_that_it_gave(copy, name):
    is_index(copy(name))


@pytest.mark.parametrize("name", [*kept("index"), *kept("lance")])
def test_an_index_can_be_added_to(copy, tmp_path, name):
    place = next(copy(name).glob("index*"))
    before, bundle = opened(place).n_cells, bundle_of(place)
    SCRIPT.references(9).write_h5ad(tmp_path / "more.h5ad")
    import_module("spoticell.index.build").add_to_index(place, tmp_path / "more.h5ad", model=bundle)
    index = opened(place)
    index.check()
    assert index.n_cells == before + 12
    assert len(hits(place)) == 3 * 12


@pytest.mark.parametrize("name", kept("store"))
def test_a_store_gives_its_cells_and_its_sides(copy, name):
    is_store(copy(name))


@pytest.mark.parametrize("name", kept("annotated"))
def test_an_annotated_file_is_compared_with_labels_and_gives_its_fingerprints(copy, name):
    is_annotated(copy(name))


@pytest.mark.parametrize("name", kept("annotated"))
def test_an_annotated_file_is_annotated_again_as_if_it_never_had_been(copy, tmp_path, name):
    bundle = ARCHIVE / "bundle-1.2" / "bundle"
    annotate(copy(name) / "cells.h5ad", tmp_path / "again.h5ad", model=bundle)
    annotate(CELLS, tmp_path / "first.h5ad", model=bundle)
    again, first = (anndata.read_h5ad(tmp_path / f"{which}.h5ad") for which in ("again", "first"))
    pd.testing.assert_frame_equal(again.obs, first.obs)
    assert record_keys(tmp_path / "again.h5ad") == record_keys(tmp_path / "first.h5ad")


CHECKS = {"bundle": is_bundle, "index": is_index, "lance": is_index, "store": is_store, "annotated": is_annotated}


@pytest.mark.parametrize("kind", CHECKS)
def test_what_the_script_writes_today_is_what_the_archive_would_keep(tmp_path, kind):
    if kind not in {"bundle", "store"}:
        pytest.importorskip("lancedb" if kind == "lance" else "faiss", reason="the extra is not installed")
    SCRIPT.main([kind, str(tmp_path / kind)])
    CHECKS[kind](tmp_path / kind)


def test_the_script_touches_nothing_that_is_there(tmp_path):
    with pytest.raises(FileExistsError):
        SCRIPT.main(["bundle", str(tmp_path)])


@pytest.mark.parametrize(
    ("kind", "module"), [("bundle", of_bundle), ("index", of_index), ("lance", of_index), ("store", writer)]
)
def test_the_format_of_today_is_in_the_archive(kind, module):
    assert f"{kind}-{module.MAJOR}.{module.MINOR}" in kept(kind)


def test_the_split_of_today_is_in_the_archive():
    stated = {json.loads(path.read_text())["format_version"] for path in ARCHIVE.glob("store-*/store/splits/*.json")}
    assert f"{SPLIT_MAJOR}.{SPLIT_MINOR}" in stated


def test_the_record_of_today_is_in_the_archive(tmp_path):
    pytest.importorskip("faiss", reason="the extra is not installed")
    SCRIPT.main(["annotated", str(tmp_path / "today")])
    assert record_keys(tmp_path / "today" / "cells.h5ad") == record_keys(ARCHIVE / kept("annotated")[-1] / "cells.h5ad")


def test_the_readme_tells_of_every_folder_and_of_no_other():
    words = (ARCHIVE / "README.md").read_text(encoding="utf-8")
    folders = {path.name for path in ARCHIVE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {line.split("`")[1] for line in words.splitlines() if line.startswith("| `")} == folders
