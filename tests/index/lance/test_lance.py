import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lancedb", reason="needs LanceDB: pip install '.[lance]'")

from tests.index.made import random_cells, unit

from spoticell.errors import SearchError
from spoticell.index import Index, ReferenceCells, append, create_index, lance, merge_into, open_index, set_background
from spoticell.index.lance import writer
from spoticell.index.lance.tables import connect

QUERY = unit(np.random.default_rng(3).normal(size=(7, 8)))
PARTS = [random_cells(25, seed=seed, study=f"s{seed}") for seed in range(3)]


@pytest.fixture
def place(tmp_path, tiny_bundle):
    """An index of 60 cells of study a in a Lance database."""
    create_index(tmp_path / "index.lance", tiny_bundle, [random_cells(40), random_cells(20, seed=1)])
    return tmp_path / "index.lance"


def grown(place, bundle, parts=PARTS):
    create_index(place, bundle, parts[:1])
    for part in parts[1:]:
        append(place, bundle, [part])
    return open_index(place)


def answers(index, **options):
    hits = index.search(QUERY, k=12, **options)
    groups = index.groups.iloc[index.group_of(hits.row_nk).ravel()]
    return index.names_of(hits.row_nk).tolist(), groups.to_numpy().tolist(), hits.similarity_nk.tolist()


@pytest.mark.parametrize("where", [None, ["study!=s1", "tissue=blood"], ["study!=s0"]])
def test_a_database_gives_the_answers_of_a_folder(tmp_path, tiny_bundle, where):
    folder = grown(tmp_path / "index", tiny_bundle)
    database = grown(tmp_path / "index.lance", tiny_bundle)
    assert answers(database, where=where) == answers(folder, where=where)
    assert database.groups.equals(folder.groups)
    assert database.group_n.tolist() == folder.group_n.tolist()
    assert database.planes_bd.tolist() == folder.planes_bd.tolist()
    assert [segment.n_cells for segment in database.manifest.segments] == [25, 25, 25]
    rows = np.array([70, 3, 3])
    np.testing.assert_array_equal(database.fingerprints_of(rows), folder.fingerprints_of(rows))
    np.testing.assert_array_equal(np.concatenate(list(database.blocks())), np.concatenate(list(folder.blocks())))


def test_where_there_are_fewer_cells_than_asked_for_the_rest_is_marked(place):
    query_nd = np.vstack([QUERY, np.zeros(8)])
    hits = open_index(place).search(query_nd, k=100)
    assert (hits.row_nk[:7, :60] >= 0).all()
    assert (hits.row_nk[:7, 60:] == -1).all()
    assert (hits.row_nk[7] == -1).all()
    assert (open_index(place).names_of(hits.row_nk)[:, 60:] == "").all()
    assert (open_index(place).group_of(hits.row_nk)[:, 60:] == -1).all()


def test_positions_outside_the_index_are_an_error(place):
    with pytest.raises(ValueError, match="outside the index"):
        open_index(place).names_of(np.array([60]))


class TestLists:
    """A database of so many cells that it is cut into lists."""

    @pytest.fixture
    def large(self, small_lists, monkeypatch, tmp_path, tiny_bundle):
        monkeypatch.setattr("spoticell.index.lance.reader.EXACT", 100)
        monkeypatch.setattr("spoticell.index.lance.reader.FEW", 20)
        cells = [random_cells(400, spread=0.3), random_cells(300, seed=1, study="b", spread=0.3)]
        create_index(tmp_path / "large.lance", tiny_bundle, cells)
        return tmp_path / "large.lance"

    @pytest.mark.parametrize("condition", [None, "study=b", "study!=b", "tissue=lung", "term=CL:0000236"])
    def test_it_finds_what_an_exact_search_finds(self, large, condition):
        index = open_index(large)
        assert index.n_lists == 32
        query_nd = random_cells(200, seed=5, spread=0.3).fingerprint_nd
        hits = index.search(query_nd, k=10, where=None if condition is None else [condition])
        name, _, value = (condition or "").replace("!", "").partition("=")
        groups = index.groups.assign(**{"": ""})
        kept_n = (groups[name].to_numpy()[index.group_n] == value) != ("!" in (condition or ""))
        stored_rd = np.concatenate(list(index.blocks()))
        expected = np.flatnonzero(kept_n)[np.argsort(-query_nd @ stored_rd[kept_n].T, axis=1)[:, :10]]
        assert kept_n[hits.row_nk].all()
        assert (hits.row_nk >= 0).all()
        assert np.mean([len(np.intersect1d(*rows)) for rows in zip(hits.row_nk, expected, strict=True)]) > 9
        cosine = np.einsum("nkd,nd->nk", stored_rd[hits.row_nk], query_nd)
        np.testing.assert_allclose(hits.similarity_nk, cosine, atol=1e-3)
        assert (np.diff(hits.similarity_nk, axis=1) <= 0).all()

    def test_if_the_nearest_lists_hold_too_few_cells_more_are_looked_at(self, large, monkeypatch):
        monkeypatch.setattr("spoticell.index.lance.reader.PROBES", 1)
        hits = open_index(large).search(QUERY, k=150, where=["study=b", "tissue=lung"])
        assert (np.sort(hits.row_nk, axis=1) == np.sort(hits.row_nk[0])).all()
        assert hits.row_nk.min() >= 400

    def test_a_cell_alone_and_among_others_has_the_same_hits(self, large):
        together = open_index(large).search(QUERY, k=10)
        for number in range(len(QUERY)):
            alone = open_index(large).search(QUERY[[number]], k=10)
            assert alone.row_nk[0].tolist() == together.row_nk[number].tolist()

    def test_cells_that_are_added_are_found_and_keep_their_names(self, large, tiny_bundle):
        for seed in range(4):
            more = random_cells(50, seed=9 + seed, study=f"c{seed}", spread=0.3)
            append(large, tiny_bundle, [more])
            index = open_index(large)
            found = index.search(more.fingerprint_nd, k=1).row_nk
            assert index.names_of(found)[:, 0].tolist() == list(more.names)
        index.check()
        assert index.n_lists == 32

    def test_a_database_that_comes_to_be_large_is_cut_into_lists(self, small_lists, tmp_path, tiny_bundle):
        index = grown(tmp_path / "x.lance", tiny_bundle, [random_cells(90), random_cells(90, seed=1)])
        assert index.n_lists == 16
        assert index.search(QUERY, k=180).row_nk.min() == 0


def test_the_same_cells_are_not_added_twice(place, tiny_bundle):
    with pytest.raises(SearchError, match=r"60 cells are in .* already"):
        append(place, tiny_bundle, [random_cells(40), random_cells(20, seed=1)])
    assert open_index(place).n_cells == 60
    append(place, tiny_bundle, [random_cells(5, seed=6)])
    assert open_index(place).n_cells == 65
    open_index(place).check()


def test_fingerprints_of_another_bundle_are_never_added(place, tiny_bundle, monkeypatch):
    monkeypatch.setitem(tiny_bundle.__dict__, "sha256", "f" * 64)
    with pytest.raises(SearchError, match=r"of the bundle tiny \(\w{8}\), not of tiny \(ffffffff\)"):
        append(place, tiny_bundle, [random_cells(10)])


def test_what_is_there_is_not_replaced(tmp_path, place, tiny_bundle):
    with pytest.raises(SearchError, match="is an index already"):
        create_index(place, tiny_bundle, [random_cells(10)])
    assert open_index(place).n_cells == 60
    mine = tmp_path / "mine.lance"
    mine.mkdir()
    (mine / "notes.txt").write_text("precious")
    with pytest.raises(SearchError, match="holds something else"):
        create_index(mine, tiny_bundle, [random_cells(10)])
    assert [path.name for path in mine.iterdir()] == ["notes.txt"]


def test_a_database_of_no_cells_is_not_made(tmp_path, tiny_bundle):
    with pytest.raises(SearchError, match="no cells"):
        create_index(tmp_path / "x.lance", tiny_bundle, [])
    assert not (tmp_path / "x.lance").exists()


def test_what_is_no_index_is_said_so(tmp_path):
    (tmp_path / "empty.lance").mkdir()
    for name, message in (("nowhere", "no such folder"), ("empty", "holds no table 'about'")):
        with pytest.raises(SearchError, match=message):
            open_index(tmp_path / f"{name}.lance")
    assert not (tmp_path / "nowhere.lance").exists()


def failing(seed):
    yield random_cells(10, seed=seed)
    raise SearchError("the source broke")


def test_cells_that_break_off_leave_the_index_as_it_was(tmp_path, place, tiny_bundle):
    with pytest.raises(SearchError, match=r"^the source broke$"):
        append(place, tiny_bundle, failing(5))
    assert open_index(place).n_cells == 60
    with pytest.raises(SearchError, match=r"^the source broke$"):
        create_index(tmp_path / "new.lance", tiny_bundle, failing(5))
    assert not (tmp_path / "new.lance").exists()


@pytest.mark.parametrize("step", ["_add_groups", "_put_in_lists", "_is_alone", "replace_about"])
def test_whatever_step_a_writer_is_stopped_before_the_index_is_the_old_one(place, tiny_bundle, monkeypatch, step):
    def stop(*args):
        raise KeyboardInterrupt

    before = answers(open_index(place))
    monkeypatch.setattr(writer, step, stop)
    with pytest.raises(KeyboardInterrupt):
        append(place, tiny_bundle, [random_cells(30, seed=8, study="lost")])
    monkeypatch.undo()
    assert answers(open_index(place)) == before
    append(place, tiny_bundle, [random_cells(10, seed=9, study="kept")])
    index = open_index(place)
    index.check()
    assert index.n_cells == 70
    assert set(index.groups["study"]) == {"a", "kept"}


@pytest.mark.parametrize("cells", [10, 11])
def test_of_two_writers_at_once_one_is_told_to_try_again(place, tiny_bundle, monkeypatch, cells):
    put = writer._put_in_lists

    def slowly(*args):
        monkeypatch.setattr(writer, "_put_in_lists", put)
        append(place, tiny_bundle, [random_cells(cells, seed=21, study="first")])
        return put(*args)

    monkeypatch.setattr(writer, "_put_in_lists", slowly)
    with pytest.raises(SearchError, match="by another process meanwhile"):
        append(place, tiny_bundle, [random_cells(10, seed=22, study="second")])
    index = open_index(place)
    index.check()
    assert index.n_cells == 60 + cells
    assert set(index.groups["study"]) == {"a", "first"}


def test_an_open_index_stays_what_it_was_while_others_add(place, tiny_bundle):
    index = open_index(place)
    before = answers(index)
    append(place, tiny_bundle, [random_cells(10, seed=8)])
    assert index.n_cells == 60
    assert answers(index) == before
    assert open_index(place).n_cells == 70


def test_a_background_is_forgotten_when_cells_are_added(place, tiny_bundle):
    assert open_index(place).background is None
    set_background(place, {"nearest": [0.5], "odd": "it's 'quoted'"})
    assert open_index(place).background == {"nearest": [0.5], "odd": "it's 'quoted'"}
    measured_on = open_index(place).manifest.segments
    append(place, tiny_bundle, [random_cells(10, seed=8)])
    assert open_index(place).background is None
    set_background(place, {"nearest": [0.5]}, segments=measured_on)
    assert open_index(place).background is None


def test_cells_that_were_changed_are_found_by_a_check(place):
    open_index(place).check()
    index = open_index(place)
    connect(place).open_table("cells").update(where="row = 7", values={"group": 1})
    changed = connect(place).open_table("cells").version
    manifest = index.manifest.model_copy(update={"cells_version": changed})
    object.__setattr__(index, "manifest", manifest)
    with pytest.raises(SearchError, match=r"build the index again|sha256 differs"):
        index.check()


def test_it_does_not_matter_in_what_blocks_cells_come(tmp_path, tiny_bundle):
    whole = random_cells(30)
    halves = [
        ReferenceCells(whole.fingerprint_nd[rows], whole.names[rows], whole.table.iloc[rows])
        for rows in (slice(0, 11), slice(11, 11), slice(11, 30))
    ]
    for name, blocks in (("whole", [whole]), ("halves", halves)):
        create_index(tmp_path / f"{name}.lance", tiny_bundle, blocks)
    first, second = (open_index(tmp_path / f"{name}.lance").manifest.segments[0].name for name in ("whole", "halves"))
    assert first == second


@pytest.mark.parametrize("merged", ["merged", "merged.lance"])
def test_folders_and_databases_can_be_merged_into_either(tmp_path, place, tiny_bundle, merged):
    create_index(tmp_path / "other", tiny_bundle, [random_cells(30, seed=4, study="b")])
    merge_into(tmp_path / merged, [open_index(place), open_index(tmp_path / "other")])
    cells = [random_cells(40), random_cells(20, seed=1), random_cells(30, seed=4, study="b")]
    create_index(tmp_path / "once", tiny_bundle, cells)
    assert answers(open_index(tmp_path / merged)) == answers(Index(tmp_path / "once"))
    assert len(open_index(tmp_path / merged).manifest.segments) == 1
    with pytest.raises(SearchError, match="in more than one of these"):
        merge_into(tmp_path / "twice.lance", [open_index(place), open_index(place)])


def test_a_database_can_be_moved_and_a_build_that_was_killed_begun_again(tmp_path, place, tiny_bundle):
    before = answers(open_index(place))
    place.rename(tmp_path / "moved.lance")
    assert answers(open_index(tmp_path / "moved.lance")) == before
    connect(tmp_path / "moved.lance").drop_table("about")
    with pytest.raises(SearchError, match="is not an index"):
        open_index(tmp_path / "moved.lance")
    create_index(tmp_path / "moved.lance", tiny_bundle, [random_cells(10)])
    assert open_index(tmp_path / "moved.lance").n_cells == 10


def test_the_kind_is_told_by_the_name(tmp_path, place, index_folder):
    assert isinstance(open_index(place), lance.LanceIndex)
    assert isinstance(open_index(index_folder), Index)
    assert isinstance(open_index(f"file://{place}"), lance.LanceIndex)


DRIVER = """
import itertools, sys
from spoticell.model.bundle import load_bundle
from spoticell.index import append
from tests.index.made import random_cells

bundle = load_bundle(sys.argv[2])
for seed in itertools.count(int(sys.argv[3])):
    append(sys.argv[1], bundle, [random_cells(20, seed=seed, study=f"s{seed}")])
    print("added", flush=True)
"""


@pytest.mark.slow
def test_whenever_adding_is_killed_the_index_is_the_old_or_the_new_one(place, tiny_bundle):
    root, cells = Path(__file__).parents[3], 60
    for turn, delay in enumerate(np.random.default_rng(0).uniform(0, 0.6, size=3)):
        command = [sys.executable, "-W", "ignore", "-c", DRIVER, str(place), str(tiny_bundle.path), str(1000 * turn)]
        environment = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}", "OMP_NUM_THREADS": "1"}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as adding:
            assert adding.stdout.readline() == "added\n"
            time.sleep(delay)
            adding.kill()
            said = 1 + adding.stdout.read().count("added")
        index = open_index(place)
        index.check()
        assert index.n_cells - cells in (20 * said, 20 * (said + 1))
        assert set(index.groups["study"]) == set(index.groups["study"][index.group_n])
        cells = index.n_cells
