import json
import shutil
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.index.made import TISSUES, random_cells, restated, stored, unit

from spoticell.errors import SearchError
from spoticell.index import Index, append, create_index
from spoticell.index.folder.lists import LISTS, STARTS
from spoticell.index.folder.segment import CODE, GROUP, GROUPS, NAMES

QUERY = unit(np.random.default_rng(3).normal(size=(7, 8)))


def exact_rows(query_nd, stored_rd, k):
    return np.argsort(-query_nd @ stored_rd.T, axis=1, kind="stable")[:, :k]


def test_an_index_gives_the_nearest_cells_and_says_what_they_are(index_folder):
    index = Index(index_folder)
    first, second = random_cells(40), random_cells(20, seed=1)
    stored_rd = np.concatenate([stored(first), stored(second)])
    hits = index.search(QUERY, k=5)
    expected = exact_rows(QUERY, stored_rd, 5)
    np.testing.assert_array_equal(hits.row_nk, expected)
    np.testing.assert_allclose(hits.similarity_nk, np.take_along_axis(QUERY @ stored_rd.T, expected, 1), atol=1e-6)
    assert (np.diff(hits.similarity_nk, axis=1) <= 0).all()
    names = np.array([*first.names, *second.names])
    assert index.names_of(hits.row_nk).tolist() == names[expected].tolist()
    types = np.concatenate([first.table["cell_type"], second.table["cell_type"]])
    assert index.groups["cell_type"].to_numpy()[index.group_of(hits.row_nk)].tolist() == types[expected].tolist()


def test_cells_that_share_all_that_is_known_of_them_are_one_group_whatever_their_segment(index_folder, tiny_bundle):
    before = len(Index(index_folder).groups)
    append(index_folder, tiny_bundle, [random_cells(30, seed=7)])
    index = Index(index_folder)
    assert len(index.segments) == 2
    assert len(index.groups) == before == 6
    assert not index.groups.duplicated().any()
    assert index.groups.loc[index.group_n, "tissue"].tolist() == [
        *random_cells(40).table["tissue"],
        *random_cells(20).table["tissue"],
        *random_cells(30).table["tissue"],
    ]


def test_where_there_are_fewer_cells_than_asked_for_the_rest_is_marked(index_folder):
    hits = Index(index_folder).search(QUERY, k=100)
    assert (hits.row_nk[:, :60] >= 0).all()
    assert (hits.row_nk[:, 60:] == -1).all()
    assert np.isneginf(hits.similarity_nk[:, 60:]).all()
    assert (Index(index_folder).group_of(hits.row_nk)[:, 60:] == -1).all()
    assert (Index(index_folder).names_of(hits.row_nk)[:, 60:] == "").all()


def test_a_cell_without_a_fingerprint_has_no_hits(index_folder):
    query_nd = QUERY.copy()
    query_nd[2] = 0
    hits = Index(index_folder).search(query_nd, k=3)
    assert (hits.row_nk[2] == -1).all()
    assert (np.delete(hits.row_nk, 2, axis=0) >= 0).all()
    assert Index(index_folder).search(query_nd[:0], k=3).row_nk.shape == (0, 3)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 1000), k=st.integers(1, 30), condition=st.tuples(st.sampled_from(TISSUES), st.booleans()))
def test_a_filtered_search_equals_an_exact_search_over_the_filtered_cells(
    tmp_path_factory, tiny_bundle, seed, k, condition
):
    tissue, equal = condition
    folder = tmp_path_factory.mktemp("filtered") / "index"
    parts = [random_cells(30, seed=seed), random_cells(20, seed=seed + 1, study="b")]
    create_index(folder, tiny_bundle, parts[:1])
    append(folder, tiny_bundle, parts[1:])
    condition = f"tissue{'=' if equal else '!='}{tissue}"
    hits = Index(folder).search(QUERY, k=k, where=[condition, "study!=a"])
    keep = np.flatnonzero((parts[1].table["tissue"] == tissue).to_numpy() == equal)
    expected = 30 + keep[exact_rows(QUERY, stored(parts[1])[keep], k)]
    assert hits.row_nk[:, : expected.shape[1]].tolist() == expected.tolist()
    assert (hits.row_nk[:, expected.shape[1] :] == -1).all()


def test_a_filter_may_be_a_boolean_for_each_group(index_folder):
    index = Index(index_folder)
    mask = (index.groups["tissue"] == "lung").to_numpy()
    by_words = index.search(QUERY, k=4, where=["tissue=lung"])
    np.testing.assert_array_equal(index.search(QUERY, k=4, where=mask).row_nk, by_words.row_nk)
    assert (index.search(QUERY, k=4, where=np.zeros_like(mask)).row_nk == -1).all()
    with pytest.raises(ValueError, match="6 booleans"):
        index.search(QUERY, where=mask[1:])


@pytest.mark.parametrize(
    ("query_nd", "k", "message"),
    [
        (QUERY[:, :5], 1, "needs 8 numbers"),
        (QUERY[0], 1, "needs 8 numbers"),
        (np.full((2, 8), np.nan), 1, "2 fingerprints hold NaN"),
        (QUERY * 3, 1, "length 1"),
        (QUERY, 0, "from 1 to 10,000"),
        (QUERY, 10_001, "from 1 to 10,000"),
    ],
)
def test_what_can_not_be_sought_is_refused(index_folder, query_nd, k, message):
    with pytest.raises(SearchError, match=message):
        Index(index_folder).search(query_nd, k=k)


@pytest.mark.parametrize("rows", [[60], [-2]])
def test_positions_outside_the_index_are_an_error(index_folder, rows):
    with pytest.raises(ValueError, match="outside the index"):
        Index(index_folder).group_of(np.array(rows))


def test_opening_an_index_reads_no_file_of_cells(index_folder, monkeypatch):
    monkeypatch.setattr("spoticell.index.folder.segment.needed", None)
    monkeypatch.setattr(np, "load", None)
    assert Index(index_folder).n_cells == 60


def segment_file(folder, name):
    return next(folder.glob(f"segments/*/{name}"))


@pytest.mark.parametrize(
    "name", ["lists.bin", "starts.npy", "code.npy", "group.npy", "groups.parquet", "names.parquet"]
)
def test_files_that_are_missing_or_cut_short_are_found_when_opening(index_folder, name):
    path = segment_file(index_folder, name)
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    with pytest.raises(SearchError, match=rf"{name} is .* bytes long, not"):
        Index(index_folder)
    path.unlink()
    with pytest.raises(SearchError, match="lacks its file"):
        Index(index_folder)


@pytest.mark.parametrize(
    "name", ["lists.bin", "starts.npy", "code.npy", "group.npy", "groups.parquet", "names.parquet"]
)
def test_files_that_were_changed_are_found_by_a_check(index_folder, name):
    Index(index_folder).check()
    path = segment_file(index_folder, name)
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(contents)
    with pytest.raises(SearchError, match=rf"{name} is not the file that was written"):
        Index(index_folder).check()


def damage_starts(path):
    starts = np.load(path)
    starts[-1] += 1
    np.save(path, starts)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("starts.npy", lambda path: path.write_bytes(bytes(path.stat().st_size)), "damaged"),
        ("starts.npy", damage_starts, "doesn't fit"),
        ("group.npy", lambda path: path.write_bytes(bytes(path.stat().st_size)), "damaged"),
        ("group.npy", lambda path: np.save(path, np.zeros(120, np.int16)), "doesn't hold"),
        ("groups.parquet", lambda path: path.write_bytes(bytes(path.stat().st_size)), "damaged"),
        ("names.parquet", lambda path: path.write_bytes(bytes(path.stat().st_size)), "damaged"),
    ],
)
def test_files_of_the_right_length_with_other_contents_are_no_crash(index_folder, name, damage, message):
    damage(segment_file(index_folder, name))
    restated(index_folder)
    with pytest.raises(SearchError, match=message):
        names_of_hits(index_folder)


@pytest.mark.parametrize("name", [LISTS, STARTS, CODE, GROUP, GROUPS, NAMES])
def test_an_index_with_a_file_that_was_changed_is_not_opened(index_folder, name):
    path = segment_file(index_folder, name)
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(SearchError, match=rf"{name} is not the file that was written"):
        Index(index_folder)


def test_of_an_index_too_large_to_be_compared_whole_the_small_files_are(tmp_path, tiny_bundle, monkeypatch):
    create_index(tmp_path / "index", tiny_bundle, [random_cells(2000)])
    index_folder = tmp_path / "index"
    size = segment_file(index_folder, "lists.bin").stat().st_size
    monkeypatch.setattr("spoticell.index.folder.reader.SEALED", size - 1)
    for name, refused in (("lists.bin", False), ("group.npy", True)):
        path = segment_file(index_folder, name)
        path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
        with pytest.raises(SearchError) if refused else nullcontext():
            Index(index_folder)


def test_fingerprints_that_are_none_are_found_when_they_are_searched(index_folder):
    path = segment_file(index_folder, "lists.bin")
    path.write_bytes(b"\x7f" * path.stat().st_size)
    restated(index_folder)
    with pytest.raises(SearchError, match=r"lists.bin is damaged \(fingerprints that aren't of length 1\)"):
        Index(index_folder).search(QUERY, k=2)


@pytest.mark.parametrize("groups", [np.full(60, 1000), np.full(60, -7), np.arange(60) - 1])
def test_cells_of_groups_that_are_not_there_are_refused(index_folder, groups):
    np.save(segment_file(index_folder, "group.npy"), groups.astype(np.int32))
    restated(index_folder)
    with pytest.raises(SearchError, match=r"group.npy is damaged \(cells of a group that isn't among"):
        names_of_hits(index_folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest: manifest["segments"][0].update(n_cells=10**15), "should hold 1,000,000,000,000,000"),
        (lambda manifest: manifest["segments"][0].update(n_cells=59), "should hold 59 fingerprints of 8 numbers"),
        (lambda manifest: manifest["segments"].append(manifest["segments"][0]), "the same cells are named twice"),
        (lambda manifest: manifest.update(segments=[]), "it names no cells"),
        (lambda manifest: manifest["segments"][0].update(files={}), "has no code.npy in its manifest"),
        (lambda manifest: manifest.update(fingerprint_size=7), "should hold 60 fingerprints of 7 numbers"),
    ],
)
def test_a_manifest_that_does_not_fit_its_files_is_refused(index_folder, change, message):
    restated(index_folder, change)
    with pytest.raises(SearchError, match=message):
        Index(index_folder)


def test_planes_of_another_shape_are_refused(index_folder):
    restated(index_folder, lambda manifest: manifest.update(code_bits=8))
    with pytest.raises(SearchError, match=r"planes.npy isn't 8 x 8 finite numbers"):
        _ = Index(index_folder).planes_bd


def names_of_hits(folder):
    index = Index(folder)
    return index.names_of(index.search(QUERY, k=2, where=["tissue=lung"]).row_nk)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("{", "not JSON"),
        ("[]", "states no format_version"),
        ('{"format_version": "2.0"}', "use a later release"),
        ('{"format_version": "1.7"}', "use a later release"),
        ('{"format_version": "1.0"}', "damaged"),
    ],
)
def test_an_index_json_that_can_not_be_is_explained(index_folder, contents, message):
    (index_folder / "index.json").write_text(contents)
    with pytest.raises(SearchError, match=message):
        Index(index_folder)


def test_an_index_json_can_not_lead_out_of_its_folder(index_folder):
    fields = json.loads((index_folder / "index.json").read_text())
    for change in (
        {"files": {"../secret": {"sha256": "0" * 64, "bytes": 1}}},
        {"segments": [fields["segments"][0] | {"name": "../.."}]},
    ):
        (index_folder / "index.json").write_text(json.dumps(fields | change))
        with pytest.raises(SearchError, match="damaged"):
            Index(index_folder)


def test_what_is_no_index_is_said_so(tmp_path, index_folder):
    (tmp_path / "file").write_text("")
    (tmp_path / "empty").mkdir()
    for name, message in (("nowhere", "no such folder"), ("file", "it is a file"), ("empty", "holds no index.json")):
        with pytest.raises(SearchError, match=message):
            Index(tmp_path / name)


def test_an_index_can_be_moved_and_copied(index_folder, tmp_path):
    expected = Index(index_folder).search(QUERY, k=3)
    shutil.copytree(index_folder, tmp_path / "copy")
    np.testing.assert_array_equal(Index(tmp_path / "copy").search(QUERY, k=3).row_nk, expected.row_nk)


class TestLists:
    """An index of so many cells that it is cut into lists."""

    @pytest.fixture
    def folder(self, small_lists, tmp_path, tiny_bundle):
        create_index(
            tmp_path / "large", tiny_bundle, [random_cells(400, spread=0.3), random_cells(300, seed=1, study="b")]
        )
        return tmp_path / "large"

    def test_it_finds_what_an_exact_search_finds(self, folder):
        index = Index(folder)
        assert index.n_lists == 128
        query_nd = random_cells(200, seed=5, spread=0.3).fingerprint_nd
        stored_rd = np.concatenate(list(index.blocks()))
        expected = exact_rows(query_nd, stored_rd, 10)
        hits = index.search(query_nd, k=10)
        shared = [len(np.intersect1d(*rows)) for rows in zip(hits.row_nk, expected, strict=True)]
        assert np.mean(shared) > 9.5
        np.testing.assert_allclose(
            hits.similarity_nk, np.einsum("nkd,nd->nk", stored_rd[hits.row_nk], query_nd), atol=1e-3
        )

    def test_each_cell_keeps_its_name_type_and_code_when_cells_are_put_in_order(self, folder, tiny_bundle):
        cells = [random_cells(400, spread=0.3), random_cells(300, seed=1, study="b")]
        names = [name for part in cells for name in part.names]
        index = Index(folder)
        place = [names.index(name) for name in index.names_of(np.arange(700))]
        assert sorted(place) == list(range(700))
        stored_rd = np.concatenate([stored(part) for part in cells])[place]
        np.testing.assert_array_equal(index.fingerprints_of(np.arange(700)), stored_rd)
        terms = np.concatenate([part.table["term"] for part in cells])[place]
        assert index.groups.loc[index.group_n, "term"].tolist() == terms.tolist()
        bits_nb = np.unpackbits(index.segments[0].code_nb, axis=1)
        np.testing.assert_array_equal(bits_nb, stored_rd @ tiny_bundle.planes_bd.T > 0)

    @pytest.mark.parametrize("condition", ["study=b", "study!=b", "tissue=lung", "term=CL:0000236"])
    def test_filters_hold_there_too(self, folder, condition):
        index = Index(folder)
        query_nd = np.concatenate([QUERY, random_cells(100, seed=5, spread=0.3).fingerprint_nd])
        hits = index.search(query_nd, k=10, where=[condition])
        name, value = condition.replace("!", "").split("=")
        kept_n = (index.groups[name].to_numpy()[index.group_n] == value) != ("!" in condition)
        expected = np.flatnonzero(kept_n)[exact_rows(query_nd, np.concatenate(list(index.blocks()))[kept_n], 10)]
        assert kept_n[hits.row_nk].all()
        assert (hits.row_nk >= 0).all()
        assert np.mean([len(np.intersect1d(*rows)) for rows in zip(hits.row_nk, expected, strict=True)]) > 9

    def test_if_the_nearest_lists_hold_too_few_of_the_cells_to_keep_all_are_looked_at(self, folder, monkeypatch):
        monkeypatch.setattr("spoticell.index.folder.reader.PROBES", 1)
        index = Index(folder)
        hits = index.search(QUERY, k=150, where=["study=b", "tissue=lung"])
        kept_n = (index.groups[["study", "tissue"]] == ["b", "lung"]).all(axis=1).to_numpy()[index.group_n]
        assert kept_n.sum() == 150
        assert np.sort(hits.row_nk, axis=1).tolist() == [np.flatnonzero(kept_n).tolist()] * len(QUERY)

    def test_a_cell_alone_and_among_others_has_the_same_hits(self, folder):
        together = Index(folder).search(QUERY, k=10)
        for number in range(len(QUERY)):
            alone = Index(folder).search(QUERY[[number]], k=10)
            assert alone.row_nk[0].tolist() == together.row_nk[number].tolist()

    def test_cells_that_are_added_go_to_the_lists_that_are_there(self, folder, tiny_bundle):
        before = (folder / "coarse.faiss").read_bytes()
        more = random_cells(50, seed=9, study="c", spread=0.3)
        append(folder, tiny_bundle, [more])
        assert (folder / "coarse.faiss").read_bytes() == before
        index = Index(folder)
        hits = index.search(more.fingerprint_nd, k=1)
        assert index.names_of(hits.row_nk)[:, 0].tolist() == list(more.names)

    def test_damage_to_the_centroids_is_found_before_they_are_used(self, folder):
        path = folder / "coarse.faiss"
        contents = bytearray(path.read_bytes())
        contents[100] ^= 255
        path.write_bytes(contents)
        with pytest.raises(SearchError, match="sha256 differs"):
            Index(folder).search(QUERY)


def test_the_names_of_cells_are_read_a_part_at_a_time(index_folder, monkeypatch):
    index = Index(index_folder)
    everything = index.names_of(np.arange(60)).tolist()
    assert index.names_of(np.array([59, 3, -1, 3])).tolist() == [everything[59], everything[3], "", everything[3]]
