from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from spoticell.biology.genes import load_vocabulary
from spoticell.corpus.recipe.parts import FileSource
from spoticell.corpus.sources.cellfile import FileCells
from spoticell.errors import FileFormatError
from spoticell.io import BLOCK


def source(path: Path, **asked: object) -> FileCells:
    return FileCells(path, FileSource(file=path.name, **asked), name=path.stem)


def together(cells: FileCells, start: int = 0) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
    blocks = list(cells.blocks(cells.table(), start=start))
    counts = sparse.vstack([block.counts_kg for block in blocks]).toarray()
    return counts, pd.concat([block.cells for block in blocks]), np.concatenate([block.row_k for block in blocks])


def tall(cells: anndata.AnnData, times: int, path: Path) -> Path:
    """The same cells many times over, more than a block of them."""
    many = anndata.concat([cells] * times, index_unique="-")
    many.var = cells.var
    many.write_h5ad(path)
    return path


def test_cells_come_with_counts_in_the_order_of_the_vocabulary(tiny_h5ad: Path, tiny_cells: anndata.AnnData) -> None:
    counts, cells, row_k = together(source(tiny_h5ad))
    position = [load_vocabulary().by_id[gene] for gene in tiny_cells.var["gene_id"]]
    np.testing.assert_array_equal(counts[:, position], tiny_cells.X.toarray()[:-1])
    assert counts.sum() == tiny_cells.X.sum()
    assert cells.index.tolist() == tiny_cells.obs_names[:-1].tolist()
    assert set(cells["dataset_id"]) == {"cells"}
    assert row_k.tolist() == list(range(30))


def test_each_block_says_which_genes_its_data_sets_measure(tiny_h5ad: Path) -> None:
    cells = source(tiny_h5ad)
    (block,) = cells.blocks(cells.table())
    assert list(block.measured) == ["cells"]
    assert block.measured["cells"].sum() == 200


@pytest.mark.parametrize("start", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1000, 3099, 3100])
def test_going_on_at_any_row_gives_the_rest(tiny_cells: anndata.AnnData, tmp_path: Path, start: int) -> None:
    cells = source(tall(tiny_cells, 100, tmp_path / "tall.h5ad"))
    table = cells.table()
    blocks = list(cells.blocks(table, start=start))
    rows = [row for block in blocks for row in block.row_k.tolist()]
    assert rows == [row for row in np.flatnonzero(table.keep_n) if row >= start]
    assert all(block.row_k.max(initial=0) < block.stop for block in blocks)


def test_cells_without_counts_are_left_out(tiny_cells: anndata.AnnData, tmp_path: Path) -> None:
    tiny_cells.obs["cell_type_ontology_term_id"] = "CL:0000084"
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    cells = source(tmp_path / "cells.h5ad")
    assert cells.table().keep_n.all()
    assert len(together(cells)[0]) == 30


def test_nearly_counts_are_rounded_and_it_is_said(tiny_cells: anndata.AnnData, tmp_path: Path) -> None:
    counts = tiny_cells.X.toarray()
    tiny_cells.X = sparse.csr_matrix(np.where(counts > 1, counts + 0.2, counts).astype(np.float32))
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    cells = source(tmp_path / "cells.h5ad")
    got = together(cells)[0]
    assert got.sum() == counts.sum()
    assert "its numbers are no whole counts and were rounded." in cells.facts()["notes"]


def test_of_proportions_whole_counts_are_made_in_which_no_gene_is_lost(
    tiny_cells: anndata.AnnData, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    values = rng.gamma(0.3, size=tiny_cells.shape) * (rng.random(tiny_cells.shape) < 0.3)
    values = np.log1p(values / values.sum(axis=1, keepdims=True) * 1e4)
    tiny_cells.X = sparse.csr_matrix(values.astype(np.float32))
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    got = together(source(tmp_path / "cells.h5ad"))[0]
    np.testing.assert_array_equal(got, np.rint(got))
    assert ((got > 0).sum(axis=1) == (values[:-1] > 0).sum(axis=1)).all()


def test_facts_say_which_file_it_was_and_what_it_held_but_not_where_it_lay(tiny_h5ad: Path) -> None:
    cells = source(tiny_h5ad)
    list(cells.blocks(cells.table()))
    facts = cells.facts()
    assert (facts["file"], facts["counts"], facts["genes"]) == ("cells.h5ad", "X: counts", 200)
    assert facts["bytes"] == tiny_h5ad.stat().st_size
    assert len(facts["sha256"]) == 64
    assert str(tiny_h5ad.parent) not in str(facts)


def test_a_file_of_which_no_cell_is_wanted_is_not_read(tiny_cells: anndata.AnnData, tmp_path: Path) -> None:
    tiny_cells.X = -tiny_cells.X
    tiny_cells.write_h5ad(tmp_path / "scaled.h5ad")
    cells = source(tmp_path / "scaled.h5ad", types=["plasma cell"])
    assert list(cells.blocks(cells.table())) == []


def test_a_sample_looks_at_one_block(tiny_cells: anndata.AnnData, tmp_path: Path) -> None:
    cells = source(tall(tiny_cells, 100, tmp_path / "tall.h5ad"))
    sample = cells.sample(cells.table())
    assert sample.cells == BLOCK
    assert sample.nonzeros == pytest.approx(tiny_cells.X.nnz / 31 * BLOCK, rel=0.01)
    assert sample.seconds > 0


def test_what_is_wrong_with_a_file_is_told_with_the_source_it_is(tmp_path: Path) -> None:
    (tmp_path / "cells.h5ad").write_bytes(b"nonsense")
    with pytest.raises(FileFormatError) as refused:
        source(tmp_path / "cells.h5ad").table()
    assert refused.value.__notes__ == ["while reading the source 'cells' of the recipe"]
