import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.index.made import random_cells, unit

from spoticell.errors import OutputError, SearchError
from spoticell.index import Index, ReferenceCells, append, create_index, merge_into, set_background
from spoticell.index.folder import writer
from spoticell.index.folder.writer import locked
from spoticell.index.manifest import read_manifest

SOURCE = Path(__file__).parents[3] / "src"
QUERY = unit(np.random.default_rng(3).normal(size=(7, 8)))


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def hit_names(folder, **options):
    index = Index(folder)
    hits = index.search(QUERY, k=12, **options)
    return index.names_of(hits.row_nk).tolist(), hits.similarity_nk.tolist()


def test_adding_cells_bit_by_bit_gives_the_hits_of_an_index_built_at_once(tmp_path, tiny_bundle):
    parts = [random_cells(25, seed=seed, study=f"s{seed}") for seed in range(3)]
    create_index(tmp_path / "once", tiny_bundle, parts)
    create_index(tmp_path / "grown", tiny_bundle, parts[:1])
    for part in parts[1:]:
        append(tmp_path / "grown", tiny_bundle, [part])
    assert len(Index(tmp_path / "grown").segments) == 3
    assert hit_names(tmp_path / "grown") == hit_names(tmp_path / "once")
    where = {"where": ["study!=s1", "tissue=blood"]}
    assert hit_names(tmp_path / "grown", **where) == hit_names(tmp_path / "once", **where)


@pytest.mark.parametrize("n", [30, 300])
def test_the_same_cells_give_the_same_bytes(small_lists, tmp_path, tiny_bundle, n):
    for name in ("a", "b"):
        create_index(tmp_path / name, tiny_bundle, [random_cells(n)])
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_it_does_not_matter_in_what_blocks_cells_come(tmp_path, tiny_bundle):
    whole = random_cells(30)
    halves = [
        ReferenceCells(whole.fingerprint_nd[rows], whole.names[rows], whole.table.iloc[rows])
        for rows in (slice(0, 11), slice(11, 11), slice(11, 30))
    ]
    create_index(tmp_path / "whole", tiny_bundle, [whole])
    create_index(tmp_path / "halves", tiny_bundle, halves)
    assert contents(tmp_path / "whole") == contents(tmp_path / "halves")


def test_fingerprints_of_another_bundle_are_never_added(index_folder, tiny_bundle, monkeypatch):
    before = contents(index_folder)
    monkeypatch.setitem(tiny_bundle.__dict__, "sha256", "f" * 64)
    with pytest.raises(SearchError, match=r"of the bundle tiny \(\w{8}\), not of tiny \(ffffffff\)"):
        append(index_folder, tiny_bundle, [random_cells(10)])
    assert contents(index_folder) == before


def test_the_same_cells_are_not_added_twice(index_folder, tiny_bundle):
    before = contents(index_folder)
    with pytest.raises(SearchError, match=r"60 cells are in .* already"):
        append(index_folder, tiny_bundle, [random_cells(40), random_cells(20, seed=1)])
    assert contents(index_folder) == before


def test_an_index_of_no_cells_is_not_made(tmp_path, tiny_bundle):
    with pytest.raises(SearchError, match="no cells"):
        create_index(tmp_path / "index", tiny_bundle, [])
    assert not (tmp_path / "index").exists()


def test_what_is_there_is_not_replaced(tmp_path, index_folder, tiny_bundle):
    before = contents(index_folder)
    with pytest.raises(SearchError, match="is an index already"):
        create_index(index_folder, tiny_bundle, [random_cells(10)])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    with pytest.raises(SearchError, match="holds something else"):
        create_index(tmp_path / "mine", tiny_bundle, [random_cells(10)])
    assert contents(index_folder) == before
    assert contents(tmp_path / "mine") == {"notes.txt": b"precious"}


def test_a_folder_that_can_not_be_made_is_explained(tmp_path, tiny_bundle):
    with pytest.raises(OutputError, match="its folder does not exist"):
        create_index(tmp_path / "nowhere" / "index", tiny_bundle, [random_cells(10)])


def failing(seed):
    yield random_cells(10, seed=seed)
    raise RuntimeError("the source broke")


def test_cells_that_break_off_leave_the_index_as_it_was(tmp_path, index_folder, tiny_bundle):
    before = contents(index_folder)
    with pytest.raises(RuntimeError, match="the source broke"):
        append(index_folder, tiny_bundle, failing(5))
    assert contents(index_folder) == before
    with pytest.raises(RuntimeError, match="the source broke"):
        create_index(tmp_path / "new", tiny_bundle, failing(5))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("step", ["write_lists", "binary_code", "np.save"])
def test_a_full_disk_leaves_the_index_as_it_was(index_folder, tiny_bundle, monkeypatch, step):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = contents(index_folder)
    monkeypatch.setattr(f"spoticell.index.folder.spool.{step}", full)
    with pytest.raises(OutputError, match="the disk is full"):
        append(index_folder, tiny_bundle, [random_cells(10, seed=8)])
    monkeypatch.undo()
    assert contents(index_folder) == before


def test_two_can_not_write_at_once_and_readers_go_on(index_folder, tiny_bundle):
    with locked(index_folder):
        with pytest.raises(SearchError, match="being written to by another process"):
            append(index_folder, tiny_bundle, [random_cells(10, seed=8)])
        assert Index(index_folder).search(QUERY, k=1).row_nk.shape == (7, 1)
    append(index_folder, tiny_bundle, [random_cells(10, seed=8)])


@pytest.mark.parametrize(
    ("number", "words"), [(errno.EROFS, "the disk is read-only"), (errno.ENOLCK, "the disk can't lock files")]
)
def test_an_index_on_a_disk_that_can_not_be_locked_says_why(index_folder, tiny_bundle, monkeypatch, number, words):
    def refuse(*args, **kwargs):
        raise OSError(number, "refused")

    before = contents(index_folder)
    monkeypatch.setattr("spoticell.io.sealed.lock_descriptor", refuse)
    with pytest.raises(OutputError, match=f"can't be written: {words}"):
        append(index_folder, tiny_bundle, [random_cells(10, seed=8)])
    assert contents(index_folder) == before


def test_an_open_index_stays_what_it_was_while_others_add(index_folder, tiny_bundle):
    index = Index(index_folder)
    before = index.search(QUERY, k=60).row_nk
    append(index_folder, tiny_bundle, [random_cells(10, seed=8)])
    assert index.n_cells == 60
    assert index.search(QUERY, k=60).row_nk.tolist() == before.tolist()
    assert Index(index_folder).n_cells == 70


def test_a_background_is_forgotten_when_cells_are_added(index_folder, tiny_bundle):
    assert Index(index_folder).background is None
    set_background(index_folder, {"nearest": [0.5]})
    assert Index(index_folder).background == {"nearest": [0.5]}
    measured_on = read_manifest(index_folder).segments
    append(index_folder, tiny_bundle, [random_cells(10, seed=8)])
    assert Index(index_folder).background is None
    set_background(index_folder, {"nearest": [0.5]}, segments=measured_on)
    assert Index(index_folder).background is None


class TestMerging:
    @pytest.fixture
    def other_folder(self, tmp_path, tiny_bundle):
        create_index(tmp_path / "other", tiny_bundle, [random_cells(30, seed=4, study="b")])
        append(tmp_path / "other", tiny_bundle, [random_cells(20, seed=5, study="c")])
        return tmp_path / "other"

    @pytest.mark.parametrize("lists", [False, True])
    def test_a_merged_index_is_the_one_that_all_cells_at_once_would_give(self, request, tmp_path, other_folder, lists):
        index_folder, tiny_bundle = (request.getfixturevalue(name) for name in ("index_folder", "tiny_bundle"))
        if lists:
            request.getfixturevalue("small_lists")
        merge_into(tmp_path / "merged", [Index(index_folder), Index(other_folder)])
        cells = [(40, 0, "a"), (20, 1, "a"), (30, 4, "b"), (20, 5, "c")]
        create_index(tmp_path / "once", tiny_bundle, [random_cells(n, seed=s, study=study) for n, s, study in cells])
        merged = Index(tmp_path / "merged")
        assert (merged.n_cells, len(merged.segments)) == (110, 1)
        assert (merged.n_lists > 1) == lists
        assert {
            name: data for name, data in contents(tmp_path / "merged").items() if "starts" in name or "lists" in name
        } == {name: data for name, data in contents(tmp_path / "once").items() if "starts" in name or "lists" in name}
        assert hit_names(tmp_path / "merged") == hit_names(tmp_path / "once")

    def test_progress_is_told(self, tmp_path, index_folder, other_folder):
        seen = []
        merge_into(tmp_path / "m", [Index(index_folder), Index(other_folder)], on_progress=lambda *s: seen.append(s))
        assert seen[-1] == (110, 137)

    def test_indexes_of_different_bundles_are_never_merged(self, tmp_path, index_folder, other_folder):
        path = other_folder / "index.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"bundle_sha256": "e" * 64}))
        with pytest.raises(SearchError, match="different bundles"):
            merge_into(tmp_path / "merged", [Index(index_folder), Index(other_folder)])
        assert not (tmp_path / "merged").exists()

    def test_the_same_cells_are_not_merged_twice(self, tmp_path, index_folder):
        with pytest.raises(SearchError, match="in more than one of these"):
            merge_into(tmp_path / "merged", [Index(index_folder), Index(index_folder)])

    def test_files_that_were_changed_are_not_merged(self, tmp_path, index_folder, other_folder):
        path = next(other_folder.glob("segments/*/lists.bin"))
        path.write_bytes(bytes(path.stat().st_size))
        with pytest.raises(SearchError, match="sha256 differs"):
            merge_into(tmp_path / "merged", [Index(index_folder), Index(other_folder)])
        assert not (tmp_path / "merged").exists()


DRIVER = """
import os, random, signal, sys, time
from pathlib import Path
from spoticell.model.bundle import load_bundle
from spoticell.index import Index, append
import spoticell.index.folder.spool, spoticell.index.folder.writer, spoticell.io.write
from tests.index.made import random_cells

folder, bundle = Path(sys.argv[1]), load_bundle(sys.argv[2])
chance = random.Random(int(sys.argv[3]))

def die_at(step):
    # Kill this process before its step-th passing file is put in place, synced or begun.
    left = [step]
    def guarded(call):
        def run(*args, **kwargs):
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1
            return call(*args, **kwargs)
        return run
    Path.rename, Path.replace, Path.mkdir = (guarded(getattr(Path, name)) for name in ("rename", "replace", "mkdir"))
    os.fsync = guarded(os.fsync)
    spoticell.index.folder.spool.write_lists = guarded(spoticell.index.folder.spool.write_lists)

def attempt(seed, step=None, delay=None):
    child = os.fork()
    if child == 0:
        if step is not None:
            die_at(step)
        append(folder, bundle, [random_cells(20, seed=seed)])
        os._exit(0)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1] == 0

def is_whole(before):
    index = Index(folder)
    index.check()
    assert index.n_cells in (before, before + 20), (before, index.n_cells)
    return index.n_cells

cells = is_whole(Index(folder).n_cells)
assert attempt(1000)
cells = is_whole(cells)
step = 0
while not attempt(2000 + step, step=step):
    cells = is_whole(cells)
    step += 1
cells = is_whole(cells)
for number in range(12):
    attempt(3000 + number, delay=chance.uniform(0, 0.2))
    cells = is_whole(cells)
print(step, cells)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_whenever_adding_is_killed_the_index_is_the_old_or_the_new_one(index_folder, tiny_bundle, seed):
    root = SOURCE.parent
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", DRIVER, str(index_folder), str(tiny_bundle.path), str(seed)],
        env=os.environ | {"PYTHONPATH": f"{SOURCE}{os.pathsep}{root}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    steps, cells = map(int, done.stdout.split())
    assert steps >= 14
    append(index_folder, tiny_bundle, [random_cells(15, seed=77)])
    index = Index(index_folder)
    assert index.n_cells == cells + 15
    index.check()
    assert index.search(QUERY, k=cells + 15).row_nk.min() == 0
    left = {path.name for path in (index_folder / "segments").iterdir()}
    assert left == {segment.name for segment in index.manifest.segments}
    assert {path.name for path in index_folder.iterdir()} == {"index.json", "lock", "planes.npy", "segments"}


def test_a_build_that_was_killed_can_be_begun_again(tmp_path, tiny_bundle):
    folder = tmp_path / "index"
    (folder / "segments" / ".0a.tmp").mkdir(parents=True)
    (folder / "segments" / ".0a.spool").write_bytes(b"half")
    (folder / "planes.npy").write_bytes(b"half")
    for ending in ("lock", "tmp.json"):
        (folder / f".spoticell-0123abcd.{ending}").write_bytes(b"")
    create_index(folder, tiny_bundle, [random_cells(10)])
    Index(folder).check()
    assert {path.name for path in folder.iterdir()} == {"index.json", "lock", "planes.npy", "segments"}
    assert len(list((folder / "segments").iterdir())) == 1


def test_an_index_that_another_process_made_meanwhile_is_neither_replaced_nor_removed(
    tmp_path, tiny_bundle, monkeypatch
):
    create_index(tmp_path / "index", tiny_bundle, [random_cells(10)])
    look, looks = writer._check_vacant, []

    def look_late(folder):
        if looks:
            look(folder)
        looks.append(folder)

    monkeypatch.setattr(writer, "_check_vacant", look_late)
    with pytest.raises(SearchError, match="is an index already"):
        create_index(tmp_path / "index", tiny_bundle, [random_cells(20)])
    assert Index(tmp_path / "index").n_cells == 10
