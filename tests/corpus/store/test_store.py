import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

from spoticell.corpus.block import DATASET
from spoticell.corpus.store.shard import PIECE_CELLS, Shard
from spoticell.corpus.store.store import Store, is_store
from spoticell.corpus.store.writer import StoreWriter
from spoticell.errors import OutputError, StoreError
from spoticell.keys import LABEL

RECIPE = {"name": "tiny", "sources": [{"file": "a.h5ad"}]}


def write(folder, vocabulary, blocks_of, *, shard_cells=100):
    with StoreWriter(folder, vocabulary, recipe=RECIPE, shard_cells=shard_cells) as writer:
        for source, blocks in blocks_of.items():
            for block in blocks:
                writer.add(source, block)
            writer.close_source(source, {"cells": 3})
        return Store(writer.finish({"note": "made in a test"}))


@pytest.fixture
def two_sources(labelled_block, parts, small_vocabulary):
    g = len(small_vocabulary)
    return {
        "first": list(parts(labelled_block(250, g, seed=1), 90)),
        "second": list(parts(labelled_block(130, g, seed=2, dataset="marrow"), 1000)),
    }


@pytest.fixture
def store(tmp_path, small_vocabulary, two_sources) -> Store:
    return write(tmp_path / "store", small_vocabulary, two_sources)


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_every_cell_comes_out_once_with_its_counts_its_label_and_its_row(store, two_sources):
    seen = {}
    for _, shard in store.shards():
        counts = sparse.vstack([shard.piece(p) for p in range(len(shard.first_p) - 1)], format="csr").toarray()
        cells = shard.cells()
        for k, name in enumerate(shard.names()):
            assert name not in seen
            seen[name] = (counts[k], cells[LABEL][k], cells[DATASET][k], shard.rows()[k])
    assert len(seen) == len(store) == 380
    for block in (block for blocks in two_sources.values() for block in blocks):
        for k, (name, row) in enumerate(block.cells.iterrows()):
            counts_g, label, dataset, where = seen[name]
            np.testing.assert_array_equal(counts_g, block.counts_kg[[k]].toarray()[0])
            assert (label, dataset, where) == (row[LABEL], row[DATASET], block.row_k[k])


def test_a_piece_holds_cells_of_one_label_and_no_more_than_sixty_four(store):
    for _, shard in store.shards():
        label_k = shard.codes(LABEL)
        for start, stop in zip(shard.first_p[:-1], shard.first_p[1:], strict=True):
            assert 0 < stop - start <= PIECE_CELLS
            assert len(set(label_k[start:stop])) == 1


def test_a_store_tells_what_is_in_it(store, small_vocabulary):
    assert store.datasets == ("blood", "marrow")
    assert store.labels == ("CL:0000084", "CL:0000236", "CL:0000576")
    assert sum(store.manifest["counted"][LABEL].values()) == 380
    assert [len(source["shards"]) for source in store.manifest["sources"]] == [3, 2]
    assert store.manifest["note"] == "made in a test"
    assert store.vocabulary == small_vocabulary
    assert repr(store).endswith("380 cells, 3 types, 2 data sets)")
    assert sum(block.shape[0] for block in store.blocks()) == 380
    assert store.measured["marrow"].shape == (len(small_vocabulary),)
    store.verify()


def test_the_same_cells_in_other_blocks_give_the_same_bytes(tmp_path, store, labelled_block, parts, small_vocabulary):
    g = len(small_vocabulary)
    other = {
        "first": parts(labelled_block(250, g, seed=1), 37),
        "second": parts(labelled_block(130, g, seed=2, dataset="marrow"), 64),
    }
    write(tmp_path / "other", small_vocabulary, other)
    assert files_of(tmp_path / "other") == files_of(store.folder)


@pytest.mark.parametrize("after", [1, 3, 5, 8, 9])
def test_a_writer_that_stopped_goes_on_behind_the_last_whole_shard(after, store, labelled_block, parts):
    folder, vocabulary = store.folder.with_name("parts"), store.vocabulary
    whole = {
        "first": labelled_block(250, len(vocabulary), seed=1),
        "second": labelled_block(130, len(vocabulary), seed=2, dataset="marrow"),
    }
    steps = 0
    while True:  # each try ends after some blocks, as if it had been killed
        try:
            writer = StoreWriter(folder, vocabulary, recipe=RECIPE, shard_cells=100)
            for source, block in whole.items():
                if writer.is_done(source):
                    continue
                for part in parts(block, 150, start=writer.rows_done(source)):
                    writer.add(source, part)
                    steps += 1
                    if steps == after:
                        raise KeyboardInterrupt
                writer.close_source(source, {"cells": 3})
            writer.finish({"note": "made in a test"})
            break
        except KeyboardInterrupt:
            pass
        finally:
            writer.close()
    assert files_of(folder) == files_of(store.folder)


def test_a_store_that_is_not_finished_is_none(tmp_path, small_vocabulary, two_sources):
    with StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE) as writer:
        writer.add("first", two_sources["first"][0])
    assert not is_store(tmp_path / "s")
    with pytest.raises(StoreError, match=r"no finished store: it has no store.json; run spoticell prepare"):
        Store(tmp_path / "s")


def test_a_store_without_cells_is_refused(tmp_path, small_vocabulary):
    with StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE) as writer:
        writer.close_source("first", {})
        with pytest.raises(OutputError, match="no source has a cell that is kept"):
            writer.finish({})


def test_a_finished_store_is_not_written_again(store, small_vocabulary):
    with pytest.raises(OutputError, match="finished store already"):
        StoreWriter(store.folder, small_vocabulary, recipe=RECIPE)


def test_a_folder_of_other_things_is_left_alone(tmp_path, small_vocabulary):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="is no store"):
        StoreWriter(tmp_path, small_vocabulary, recipe=RECIPE)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_store_begun_by_another_recipe_is_not_gone_on_with(tmp_path, small_vocabulary):
    StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE).close()
    with pytest.raises(OutputError, match="begun by another recipe"):
        StoreWriter(tmp_path / "s", small_vocabulary, recipe={"name": "other"})


def test_two_writers_do_not_meet(tmp_path, small_vocabulary):
    writer = StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE)
    with pytest.raises(OutputError, match="written by another process"):
        StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE)
    writer.close()
    StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE).close()


def test_what_a_killed_writer_left_half_written_is_removed(tmp_path, small_vocabulary):
    StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE).close()
    shards = tmp_path / "s" / "shards"
    for ending in ("lock", "tmp.safetensors"):
        (shards / f".spoticell-01234567.{ending}").write_bytes(b"")
    StoreWriter(tmp_path / "s", small_vocabulary, recipe=RECIPE).close()
    assert [path.name for path in shards.iterdir()] == [".lock"]


def test_data_sets_of_one_name_with_other_genes_are_refused(tmp_path, small_vocabulary, labelled_block):
    blocks = {str(seed): [labelled_block(5, len(small_vocabulary), seed=seed)] for seed in (1, 2)}
    with pytest.raises(OutputError, match="two sources call a data set 'blood' but measure other genes"):
        write(tmp_path / "s", small_vocabulary, blocks)


def test_a_shard_that_was_cut_is_named(store):
    path = store.folder / "shards" / store.records[1].file
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(StoreError, match=r"00000-000001.safetensors is missing or incomplete"):
        Store(store.folder)


def test_a_shard_that_was_changed_is_found_by_its_hash_and_never_crashes_a_reader(store):
    path = store.folder / "shards" / store.records[0].file
    raw = bytearray(path.read_bytes())
    raw[-3000:-200] = bytes(2800)
    path.write_bytes(raw)
    changed = Store(store.folder)
    with pytest.raises(StoreError, match="was changed or damaged"):
        changed.verify()


@pytest.mark.parametrize("raw", [b"", b"not a shard", b"\xff" * 200])
def test_what_is_no_shard_is_said_so(raw, tmp_path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(raw)
    with pytest.raises(StoreError, match=r"x.safetensors is damaged or no shard"):
        Shard(path)


def test_a_store_of_a_later_format_is_not_guessed_at(store):
    path = store.folder / "store.json"
    path.write_text(json.dumps(store.manifest | {"format_version": "9.0"}))
    with pytest.raises(StoreError, match=r"has format 9.0, and this Spoticell reads 1.x"):
        Store(store.folder)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"format_version": None}, "it states no format_version"),
        ({"sources": [{"shards": [{"file": "a", "bytes": -1, "sha256": "0" * 64, "cells": 1}]}]}, "bytes: Input"),
        ({"sources": [{}]}, "'shards'"),
        ({"sources": 3}, "not iterable"),
    ],
)
def test_a_manifest_that_is_damaged_is_refused_in_one_sentence(store, change, what):
    path = store.folder / "store.json"
    path.write_text(json.dumps(store.manifest | change))
    with pytest.raises(StoreError, match=f"store.json is damaged .*{what}.*; prepare the store again") as caught:
        Store(store.folder)
    assert "\n" not in str(caught.value)


def test_a_manifest_that_leads_elsewhere_is_refused(store):
    manifest = json.loads((store.folder / "store.json").read_text())
    manifest["sources"][0]["shards"][0]["file"] = "../../secret"
    (store.folder / "store.json").write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="leads to files outside the store"):
        Store(store.folder)


KILLED = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from conftest import in_parts, make_block
from spoticell.corpus.store.writer import StoreWriter
from spoticell.biology.genes import Vocabulary, load_vocabulary
full = load_vocabulary()
vocabulary = Vocabulary(full.ids[:50], full.symbols[:50], full.chromosomes[:50])
writer = StoreWriter(Path(sys.argv[1]), vocabulary, recipe={"name": "killed"}, shard_cells=70)
print("begun", flush=True)
for number in range(3):
    source = str(number)
    if writer.is_done(source):
        continue
    block = make_block(700, 50, seed=number, dataset=source)
    for part in in_parts(block, 100, start=writer.rows_done(source)):
        writer.add(source, part)
        print("added", flush=True)
    writer.close_source(source, {})
writer.finish({})
writer.close()
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_store_killed_at_random_moments_is_the_store_that_was_never_killed(tmp_path):
    here = str(Path(__file__).parents[1])
    rng = np.random.default_rng(5)

    def start(folder):
        command = [sys.executable, "-c", KILLED, str(folder), here]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    whole = start(tmp_path / "whole")
    assert whole.wait() == 0
    whole.stdout.close()
    kills = 0
    while kills < 8:
        process = start(tmp_path / "killed")
        for _ in range(rng.integers(1, 5)):
            process.stdout.readline()
        time.sleep(rng.exponential(0.02))
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
        process.stdout.close()
        if is_store(tmp_path / "killed"):
            break
    last = start(tmp_path / "killed")
    last.wait()
    last.stdout.close()
    assert kills
    assert files_of(tmp_path / "killed") == files_of(tmp_path / "whole")
