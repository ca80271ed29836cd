from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import anndata
import numpy as np
import pytest

from spoticell.corpus.block import DATASET, LabelledBlock
from spoticell.corpus.build import build_store
from spoticell.corpus.recipe.recipe import load_recipe
from spoticell.corpus.sources.cellfile import FileCells
from spoticell.corpus.sources.opening import open_sources
from spoticell.corpus.store.store import Store
from spoticell.corpus.store.writer import StoreWriter
from spoticell.corpus.summary import SUMMARY
from spoticell.errors import ConfigError, FileFormatError, OutputError
from spoticell.keys import DONOR, LABEL

RECIPE = """
name: two
sources:
  - file: cells/*.h5ad
    labels: {blob: T cell}
splits:
  - {name: donors, by: donor, shares: {train: 0.5, validation: 0.25, test: 0.25}}
"""


@pytest.fixture
def folder(tmp_path: Path, make_tiny_cells: Callable[..., anndata.AnnData]) -> Path:
    """A recipe with two files of 61 cells, four donors each, some labels strange."""
    (tmp_path / "cells").mkdir()
    for seed, name in enumerate(("blood", "marrow")):
        cells = make_tiny_cells(per_type=10, seed=seed)
        labels = cells.obs["cell_type_ontology_term_id"].astype(str).to_numpy()
        labels[:5] = "blob"
        labels[-4:-1] = "clump"
        cells.obs["cell_type_ontology_term_id"] = labels
        cells.obs["donor_id"] = [f"d{n % 4}" for n in range(61)]
        cells.write_h5ad(tmp_path / "cells" / f"{name}.h5ad")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def build(folder: Path, output: str = "store", **options: object) -> dict:
    recipe = load_recipe(folder / "recipe.yaml")
    sources = open_sources(recipe, downloads=folder / "downloads")
    return build_store(recipe, sources, folder / output, shard_cells=20, **options)


def files_of(store: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(store)): path.read_bytes()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_a_recipe_becomes_a_store_of_its_cells(folder: Path) -> None:
    summary = build(folder)
    store = Store(folder / "store")
    assert len(store) == summary["cells"] == 114
    assert store.datasets == ("blood", "marrow")
    assert summary["types"] == store.manifest["counted"][LABEL]
    assert summary["types"]["CL:0000084"] == 10
    assert summary["donors"] == 8
    for _, shard in store.shards():
        assert len(shard) <= 20
        assert {name.partition("-")[0] for name in shard.names()} == {"cell"}


def test_the_counts_in_the_store_are_those_of_the_files(folder: Path) -> None:
    build(folder)
    store = Store(folder / "store")
    genes = {gene: position for position, gene in enumerate(store.vocabulary.ids)}
    for name in ("blood", "marrow"):
        cells = anndata.read_h5ad(folder / "cells" / f"{name}.h5ad")
        wanted = cells.X.toarray()
        for _, shard in store.shards():
            counts = np.vstack([shard.piece(p).toarray() for p in range(len(shard.first_p) - 1)])
            of_file = (shard.cells()[DATASET] == name).to_numpy()
            got = counts[of_file][:, [genes[gene] for gene in cells.var["gene_id"]]]
            np.testing.assert_array_equal(got, wanted[shard.rows()[of_file]])


def test_the_summary_accounts_for_every_row_of_every_source(folder: Path) -> None:
    build(folder)
    summary = json.loads((folder / "store" / SUMMARY).read_text())
    for source in summary["sources"]:
        assert source["left_out"] == {"no label": 1, "label not in the Cell Ontology": 3}
        assert source["cells"] + sum(source["left_out"].values()) == source["rows"] == 61
    lines = (folder / "store" / "unresolved_labels.tsv").read_text().splitlines()
    assert lines[1:] == ["blood\tclump\t3\t", "marrow\tclump\t3\t"]


def test_cells_without_counts_are_accounted_for_too(folder: Path) -> None:
    cells = anndata.read_h5ad(folder / "cells" / "blood.h5ad")
    counts = cells.X.toarray()
    counts[7:9] = 0
    cells.X = counts
    cells.write_h5ad(folder / "cells" / "blood.h5ad")
    blood, _ = build(folder)["sources"]
    assert blood["left_out"]["no counts in known genes"] == 2
    assert blood["cells"] + sum(blood["left_out"].values()) == blood["rows"]


def test_splits_of_the_recipe_lie_in_the_store_and_divide_its_donors(folder: Path) -> None:
    build(folder)
    split = json.loads((folder / "store" / "splits" / "donors.json").read_text())
    donors = [donor for side in split["members"].values() for donor in side]
    assert sorted(donors) == sorted(Store(folder / "store").manifest["counted"][DONOR])
    assert sum(split["cells"].values()) == 114


def test_nothing_of_this_machine_is_written(folder: Path) -> None:
    build(folder)
    for name, content in files_of(folder / "store").items():
        assert str(folder).encode() not in content, name


def test_the_same_recipe_gives_the_same_bytes(folder: Path) -> None:
    build(folder, "a")
    build(folder, "b")
    assert files_of(folder / "a") == files_of(folder / "b")


@pytest.mark.parametrize("after", range(4, 28, 3))
def test_a_run_that_is_stopped_anywhere_goes_on_to_the_same_bytes(
    folder: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    build(folder, "whole")
    left = iter(range(after))

    def interrupted(call: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **kwargs: object) -> object:
            if next(left, None) is None:
                raise KeyboardInterrupt
            return call(*args, **kwargs)

        return run

    with monkeypatch.context() as patched:
        patched.setattr("spoticell.io.write.sync", interrupted(lambda path: None))
        with pytest.raises(KeyboardInterrupt):
            build(folder)
    build(folder)
    assert files_of(folder / "store") == files_of(folder / "whole")


def test_a_run_that_was_stopped_before_its_last_word_only_says_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(folder)
    whole = files_of(folder / "store")
    (folder / "store" / SUMMARY).unlink()

    def nothing(*args: object, **kwargs: object) -> Iterator[LabelledBlock]:
        raise AssertionError("no counts need to be read")

    monkeypatch.setattr(FileCells, "blocks", nothing)
    build(folder)
    assert files_of(folder / "store") == whole


def test_a_finished_store_is_not_touched(folder: Path) -> None:
    summary = build(folder)
    times = {path: path.stat().st_mtime_ns for path in (folder / "store").rglob("*")}
    assert build(folder) == summary
    (folder / "recipe.yaml").write_text(RECIPE + "keep: {cells_per_type: 1}\n")
    with pytest.raises(OutputError, match="is a finished store already"):
        build(folder)
    assert {path: path.stat().st_mtime_ns for path in (folder / "store").rglob("*")} == times


def test_a_store_that_was_begun_with_other_cells_is_not_gone_on_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(StoreWriter, "finish", lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            build(folder)
    cells = anndata.read_h5ad(folder / "cells" / "blood.h5ad")
    cells.obs["cell_type_ontology_term_id"] = "CL:0000084"
    cells.write_h5ad(folder / "cells" / "blood.h5ad")
    with pytest.raises(OutputError, match="was begun by another recipe"):
        build(folder)


def test_a_recipe_that_leaves_no_cell_is_refused_with_the_reasons(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(RECIPE + "keep: {cells_per_type: 1000}\n")
    with pytest.raises(FileFormatError, match=r"leaves no cell \(.*114 type with fewer than 1,000 cells\).*'clump'"):
        build(folder)
    assert not (folder / "store").exists()


def test_a_split_that_can_not_be_made_is_refused_before_anything_is_written(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(RECIPE + "  - {name: other, by: dataset, test: [lung]}\n")
    with pytest.raises(ConfigError, match="no cell is of that dataset"):
        build(folder)
    assert not (folder / "store").exists()


def test_progress_never_goes_back_and_ends_at_the_end(folder: Path) -> None:
    seen: list[float] = []
    build(folder, on_progress=lambda done, total: seen.append(done / total))
    assert seen == sorted(seen)
    assert seen[-1] == 1


SLOW = """
import sys, time
from pathlib import Path
import spoticell.corpus.store.writer as writer
from spoticell.corpus.build import build_store
from spoticell.corpus.sources.opening import open_sources
from spoticell.corpus.recipe.recipe import load_recipe
folder = Path(sys.argv[1])
pack = writer.pack
def slowly(*args, **kwargs):
    print("a shard", flush=True)
    time.sleep(0.05)
    return pack(*args, **kwargs)
writer.pack = slowly
recipe = load_recipe(folder / "recipe.yaml")
build_store(recipe, open_sources(recipe, downloads=folder), folder / "store", shard_cells=9)
"""


@pytest.mark.slow
def test_a_process_that_is_killed_again_and_again_ends_with_the_same_bytes(folder: Path) -> None:
    recipe = load_recipe(folder / "recipe.yaml")
    build_store(recipe, open_sources(recipe, downloads=folder), folder / "whole", shard_cells=9)
    moments = random.Random(5)
    killed = 0
    while not (folder / "store" / SUMMARY).exists():
        with subprocess.Popen([sys.executable, "-c", SLOW, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            # the second shard is begun when the first is written, so each turn gets on
            said = [process.stdout.readline() for _ in range(moments.randint(2, 4))]
            time.sleep(moments.uniform(0, 0.05))
            process.kill()
        killed += all(said)
    assert killed >= 2
    assert files_of(folder / "store") == files_of(folder / "whole")


@pytest.mark.slow
@pytest.mark.real
def test_the_small_recipe_gives_exactly_the_labelled_real_cells(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTICELL_DATA", str(data_folder))
    recipe = load_recipe("mini")
    summary = build_store(recipe, open_sources(recipe, downloads=tmp_path), tmp_path / "store")
    assert (summary["cells"], len(summary["types"])) == (recipe.figures.cells, recipe.figures.types)
    assert summary["datasets"] == 10
    store = Store(tmp_path / "store")
    cells = anndata.read_h5ad(data_folder / "train" / "pbmc3k_10x.h5ad")
    totals = dict(zip(cells.obs_names, np.asarray(cells.X.sum(axis=1)).ravel(), strict=True))
    assert store.measured["pbmc3k_10x"].sum() <= cells.n_vars
    for _, shard in store.shards():
        if "pbmc3k_10x" in shard.words(DATASET):
            sums = np.concatenate([shard.piece(p).sum(axis=1) for p in range(len(shard.first_p) - 1)])
            share = [got / totals[name] for got, name in zip(sums, shard.names(), strict=True)]
            assert min(share) > 0.5
            assert max(share) <= 1
