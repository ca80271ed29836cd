"""The column that the CELLxGENE schema asks for: what is in it, and that it is never taken for the user's labels."""

from __future__ import annotations

from dataclasses import replace

import anndata
import pytest

import spoticell
from spoticell.annotation.cellxgene import FORBIDDEN, RELEASE, schema_terms
from spoticell.biology.ontology import load_ontology
from spoticell.errors import ConfigError, FileFormatError

COLUMN = "cell_type_ontology_term_id"


@pytest.fixture
def unlabelled(tiny_cells):
    tiny_cells.obs["labels"] = tiny_cells.obs.pop(COLUMN).astype(str)
    return tiny_cells


def named(cells, bundle, **options):
    return spoticell.annotate(cells, model=bundle, on_progress=False, **options)


def test_the_schema_goes_by_the_packaged_release_of_the_ontology():
    # whoever packages a later one looks up which release of the schema goes by it, and what that forbids
    assert load_ontology().version == RELEASE


def test_every_term_is_one_that_the_schema_takes():
    ontology = load_ontology()
    given = schema_terms(list(ontology))
    for term, taken in zip(ontology, given, strict=True):
        assert taken == term or (term in FORBIDDEN and taken in ontology.ancestors(term) - FORBIDDEN)


def test_terms_that_the_ontology_lacks_are_unknown():
    assert schema_terms(["CL:9999999", "unknown"]).tolist() == ["unknown", "unknown"]


def test_the_column_holds_the_terms_of_the_answers(unlabelled, tiny_bundle):
    adata = named(unlabelled, tiny_bundle, cellxgene=True).adata
    assert adata.obs[COLUMN].dtype == "category"
    assert adata.obs[COLUMN].tolist() == adata.obs["spoticell_cell_type_ontology_term_id"].tolist()
    assert adata.obs[COLUMN].iloc[-1] == "unknown"
    assert "cell_type" not in adata.obs
    assert adata.uns["spoticell"]["cellxgene"] == {"schema_version": "7.1.0", "ontology_version": RELEASE}


def test_it_is_written_only_where_it_is_asked_for(unlabelled, tiny_bundle):
    unlabelled.uns["spoticell"] = "something else"
    adata = named(unlabelled, tiny_bundle).adata
    assert COLUMN not in adata.obs
    assert "cellxgene" not in adata.uns["spoticell"]


def test_a_column_of_that_name_is_never_replaced(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.write_h5ad(tmp_path / "cells.h5ad")
    for cells, output in ((tiny_cells, None), (tmp_path / "cells.h5ad", tmp_path / "out.h5ad")):
        with pytest.raises(ConfigError, match=f"has a column '{COLUMN}' already, and no label is ever replaced"):
            named(cells, tiny_bundle, output=output, cellxgene=True)
    assert "spoticell" not in tiny_cells.uns
    assert not (tmp_path / "out.h5ad").exists()


def test_a_csv_file_is_refused_and_one_written_later_lacks_the_column(unlabelled, tiny_bundle, tmp_path):
    unlabelled.write_h5ad(tmp_path / "cells.h5ad")
    with pytest.raises(ConfigError, match=r"give an output that ends in \.h5ad"):
        named(tmp_path / "cells.h5ad", tiny_bundle, output=tmp_path / "out.csv", cellxgene=True)
    result = named(tmp_path / "cells.h5ad", tiny_bundle, output=tmp_path / "out.h5ad", cellxgene=True)
    assert COLUMN in result.obs
    result.write(tmp_path / "out.csv")
    assert COLUMN not in (tmp_path / "out.csv").read_text().splitlines()[0].split(",")


def test_answers_are_not_compared_with_themselves(unlabelled, tiny_bundle, tmp_path):
    unlabelled.obs = unlabelled.obs.drop(columns="labels")
    unlabelled.write_h5ad(tmp_path / "cells.h5ad")
    result = named(tmp_path / "cells.h5ad", tiny_bundle, output=tmp_path / "out.h5ad", cellxgene=True)
    adata = anndata.read_h5ad(tmp_path / "out.h5ad")
    for annotated in (tmp_path / "out.h5ad", adata):
        with pytest.raises(ConfigError, match="holds the answers themselves"):
            spoticell.evaluate(annotated, label_column=COLUMN)
        with pytest.raises(FileFormatError, match="has no labels"):
            spoticell.evaluate(annotated)
    # where the input is not known any more, the answers alone are left
    with pytest.raises(ConfigError, match="holds the answers themselves"):
        spoticell.evaluate(replace(result, path=None), label_column=COLUMN)


@pytest.mark.parametrize("in_a_file", [True, False])
@pytest.mark.parametrize("asked", [True, False])
def test_a_later_run_keeps_the_column_true(unlabelled, tiny_bundle, tmp_path, in_a_file, asked):
    first = named(unlabelled, tiny_bundle, cellxgene=True).adata
    cells, output = first, None
    if in_a_file:
        cells, output = tmp_path / "first.h5ad", tmp_path / "second.h5ad"
        first.write_h5ad(cells)
    denied = named(cells, tiny_bundle, output=output, cellxgene=asked, deny=["B cell"])
    obs = anndata.read_h5ad(output).obs if in_a_file else denied.adata.obs
    assert "CL:0000236" not in set(obs[COLUMN])
    assert obs[COLUMN].tolist() == obs["spoticell_cell_type_ontology_term_id"].tolist()


def test_labels_that_somebody_has_corrected_are_his(unlabelled, tiny_bundle):
    adata = named(unlabelled, tiny_bundle, cellxgene=True).adata
    corrected = adata.obs[COLUMN].astype(str)
    corrected.iloc[0] = "CL:0000084"
    adata.obs[COLUMN] = corrected
    assert spoticell.evaluate(adata).accuracy < 1
    with pytest.raises(ConfigError, match="no label is ever replaced"):
        named(adata, tiny_bundle, cellxgene=True)
    assert named(adata, tiny_bundle).adata.obs[COLUMN].tolist() == corrected.tolist()
    del adata.obs["spoticell_cell_type_ontology_term_id"]
    adata.uns["spoticell"]["cellxgene"] = {"schema_version": "7.1.0"}
    assert named(adata, tiny_bundle).adata.obs[COLUMN].tolist() == corrected.tolist()


def test_a_column_that_was_removed_is_not_written_again(unlabelled, tiny_bundle):
    adata = named(unlabelled, tiny_bundle, cellxgene=True).adata
    del adata.obs[COLUMN]
    assert COLUMN not in named(adata, tiny_bundle).adata.obs


def test_labels_elsewhere_are_found_beside_the_column(tiny_cells, tiny_bundle, tmp_path):
    tiny_cells.write_h5ad(tmp_path / "truth.h5ad")
    tiny_cells.obs[[COLUMN]].to_csv(tmp_path / "truth.csv")
    plain = anndata.AnnData(tiny_cells.X, obs=tiny_cells.obs[["batch"]], var=tiny_cells.var)
    result = named(plain, tiny_bundle, cellxgene=True)
    for truth in (tmp_path / "truth.h5ad", tmp_path / "truth.csv", tiny_cells):
        assert spoticell.evaluate(result, truth=truth, label_column=COLUMN).accuracy == 1


def test_the_command_that_repeats_a_run_says_so(unlabelled, tiny_bundle):
    result = named(unlabelled, tiny_bundle, cellxgene=True)
    assert result.options.settled().command("a.h5ad", "b.h5ad").endswith("--cellxgene")
    assert "cellxgene=True" in result.options.settled().python(None)
