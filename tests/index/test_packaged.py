import numpy as np
import pytest

pytest.importorskip("faiss", reason="searching needs FAISS: pip install '.[search]'")

from spoticell.biology.ontology import load_ontology
from spoticell.index import Index
from spoticell.index.manifest import PACKAGED, find_index, packaged_indexes
from spoticell.model.bundle import load_bundle


@pytest.fixture(scope="module", params=packaged_indexes())
def references(request) -> Index:
    return Index(request.param)


def test_a_packaged_index_is_found_by_name_and_any_other_is_a_folder(tmp_path):
    assert packaged_indexes() == ["human-v1", "human-v1-dual"]
    assert find_index("human-v1") == PACKAGED / "human-v1"
    assert find_index(tmp_path) == tmp_path


def test_the_references_are_of_the_bundle_that_travels_with_them(references):
    assert references.bundle_sha256 == load_bundle(references.folder.name).sha256
    references.check()


def test_the_references_are_small_and_say_what_their_cells_are(references):
    assert sum(path.stat().st_size for path in references.folder.rglob("*") if path.is_file()) < 6_000_000
    assert references.n_cells > 28_000
    assert references.groups["study"].nunique() == 27
    assert all(term in load_ontology() for term in references.groups["term"])
    assert (references.groups[["tissue", "assay", "url"]] != "").all(axis=None)


def test_references_are_called_by_data_set_and_position_alone(references):
    names = references.names_of(np.arange(references.n_cells))
    datasets = set(references.groups["dataset"])
    assert all(name.rpartition("-")[0] in datasets and name.rpartition("-")[2].isdigit() for name in names)
    assert set(references.groups["donor"]) == {""}


def test_a_reference_finds_itself_first_and_its_own_kind_in_other_studies(references):
    rows = np.arange(0, references.n_cells, 97)
    fingerprint_nd = references.fingerprints_of(rows)
    hits = references.search(fingerprint_nd, k=1)
    assert (hits.similarity_nk[:, 0] > 0.999).all()
    groups = references.groups
    b_cells = groups.index[(groups["term"] == "CL:0000236") & (groups["study"] == "Zheng 2017")]
    mine = rows[np.isin(references.group_of(rows), b_cells)]
    found = references.search(references.fingerprints_of(mine), k=5, where=["study!=Zheng 2017"])
    terms = groups["term"].to_numpy()[references.group_of(found.row_nk)]
    is_b = np.vectorize(lambda term: "CL:0000236" in load_ontology().ancestors(term))(terms)
    assert is_b.mean() > 0.9
