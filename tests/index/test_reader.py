import numpy as np
import pandas as pd

from spoticell.index import COLUMNS, Index, ReferenceCells, append, create_index


def unit(values_nd):
    return (values_nd / np.linalg.norm(values_nd, axis=1, keepdims=True)).astype(np.float32)


def cells(n, *, seed=0, study="a", tissues=("blood", "lung")):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(n)).astype(object)
    table["term"], table["cell_type"], table["study"] = "CL:0000236", "B cell", study
    table["tissue"] = [tissues[i % len(tissues)] for i in range(n)]
    return ReferenceCells(unit(rng.normal(size=(n, 8))), [f"{study}-{i}" for i in range(n)], table)


def test_an_index_finds_the_nearest_cells_and_says_what_they_are(tmp_path, tiny_bundle):
    first, second = cells(50, seed=1), cells(30, seed=2, study="b")
    create_index(tmp_path / "index", tiny_bundle, [first])
    append(tmp_path / "index", tiny_bundle, [second])
    index = Index(tmp_path / "index")
    assert index.n_cells == 80
    query_nd = unit(np.random.default_rng(3).normal(size=(7, 8)))
    hits = index.search(query_nd, k=5)
    all_nd = np.concatenate([first.fingerprint_nd, second.fingerprint_nd]).astype(np.float16).astype(np.float32)
    expected = np.argsort(-query_nd @ all_nd.T, axis=1)[:, :5]
    np.testing.assert_array_equal(hits.row_nk, expected)
    assert index.groups.loc[index.group_of(hits.row_nk)[0, 0], "study"] in {"a", "b"}
    names = [*first.names, *second.names]
    assert index.names_of(hits.row_nk).tolist() == [[names[row] for row in rows] for rows in expected]
    only = index.search(query_nd, k=40, where=["study!=a", "tissue=lung"])
    assert set(index.names_of(only.row_nk).ravel()) == {"", *second.names[1::2]}
