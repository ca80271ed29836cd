from __future__ import annotations

from pathlib import Path

import pytest

from spoticell.corpus.original import original_datasets
from spoticell.corpus.recipe.parts import CensusSource, UrlSource
from spoticell.corpus.recipe.recipe import Recipe, load_recipe, named_recipes
from spoticell.errors import ConfigError

SOURCE = "name: mine\nsources:\n  - file: cells.h5ad\n"


@pytest.fixture
def write(tmp_path: Path):
    def written(text: str) -> Path:
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_a_recipe_says_where_cells_are_and_what_is_wanted_of_them(write) -> None:
    recipe = load_recipe(
        write(
            SOURCE + "    donor: sample\n    tissue: {value: blood}\n    label: {column: type}\n"
            "    labels: {T: T cell, junk: unknown}\n    where: {disease: normal, age: [1, 02]}\n"
            "    types: [T cell, 'CL:0000236']\nkeep: {cells_per_type: 5}\n"
            "splits:\n  - {name: d, by: donor, shares: {train: 0.5, test: 0.5}, seed: 3}\n"
        )
    )
    (source,) = recipe.sources
    assert (source.donor.column, source.tissue.value, source.label.column) == ("sample", "blood", "type")
    assert source.labels == {"T": "CL:0000084", "junk": "unknown"}
    assert source.where == {"disease": ("normal",), "age": ("1", "02")}
    assert source.types == ("CL:0000084", "CL:0000236")
    assert (recipe.keep.cells_per_type, recipe.splits[0].seed) == (5, 3)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (SOURCE + "    labl: type\n", 4, "sources.0.labl: there is no such setting here"),
        ("name: mine\n\nsources:\n  - fil: a\n", 4, "a source needs one of file, url, soma, census"),
        ("name: mine\nsources: []\n", 1, "there is no source"),
        ("name: mine\n", 1, "sources: Field required"),
        ("name: my corpus\nsources: [{file: a}]\n", 1, "name: "),
        (SOURCE + "    types:\n      - T cell\n      - TT cell\n", 6, "'TT cell' is neither a term nor a name"),
        (SOURCE + "    labels:\n      a: T cell\n      b: TT cell\n", 6, "'TT cell' is neither"),
        (SOURCE + "    donor: {}\n", 4, "sources.0.donor: the name of a column is needed"),
        (SOURCE + "    donor: {column: a, value: b}\n", 4, "sources.0.donor: the name of a column is needed"),
        (SOURCE + "    where: {disease: [normal, {not: x}]}\n", 4, "sources.0.where.disease.1"),
        (SOURCE + "    url: https://example.org/a.h5ad\n", 4, "sources.0.url: there is no such setting here"),
        ("name: m\nsources:\n  - url: http://example.org/a.h5ad\n", 3, "sources.0.url"),
        ("name: m\nsources:\n  - url: https://example.org/a.h5ad\n    sha256: 12ab\n", 4, "sources.0.sha256"),
        (SOURCE + "keep:\n  cells_per_type: many\n", 5, "keep.cells_per_type: "),
        (
            SOURCE + "splits:\n  - name: d\n    by: donor\n    shares: {train: 1, test: 1}\n",
            5,
            "splits.0: shares sum to 2",
        ),
        (SOURCE + "    labels_file: nowhere.tsv\n", 4, "there is no table of labels nowhere.tsv"),
        (SOURCE + "name: again\n", 4, "'name' stands here a second time"),
        ("- a\n- b\n", 1, "it has no 'name' and no 'sources'"),
        ("", 1, "it has no 'name' and no 'sources'"),
    ],
)
def test_whatever_is_wrong_is_told_with_its_line(write, text: str, line: int, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_recipe(write(text))
    assert str(refused.value).startswith(f"The recipe recipe.yaml can't be used, line {line}: ")
    assert problem in str(refused.value)


def test_of_several_faults_the_first_in_the_file_is_told_and_the_others_are_counted(write) -> None:
    with pytest.raises(ConfigError, match=r"line 4: .*frobnicate.* \(2 more to mend\)"):
        load_recipe(write(SOURCE + "    frobnicate: 1\n    types: [nonsense]\nkeep: {cells_per_type: -1}\n"))


def test_splits_of_one_name_are_refused(write) -> None:
    split = "  - {name: d, by: dataset, test: [a]}\n"
    with pytest.raises(ConfigError, match="two splits are called 'd'"):
        load_recipe(write(SOURCE + "splits:\n" + split + split))


def test_a_name_that_is_no_recipe_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="neither a text file nor one of census-human, mini, spoticell68"):
        load_recipe(tmp_path / "nowhere.yaml")


def test_paths_start_at_the_recipe_and_may_name_environment_variables(write, tmp_path: Path, monkeypatch) -> None:
    recipe = load_recipe(write(SOURCE))
    assert recipe.path("cells.h5ad") == tmp_path / "cells.h5ad"
    monkeypatch.setenv("SOME_FOLDER", "/cells")
    assert recipe.path("${SOME_FOLDER}/a.h5ad") == Path("/cells/a.h5ad")
    monkeypatch.delenv("SOME_FOLDER")
    with pytest.raises(ConfigError, match="needs the environment variable SOME_FOLDER"):
        recipe.path("${SOME_FOLDER}/a.h5ad")


def test_the_record_holds_paths_as_written_and_what_tables_of_labels_say(write, tmp_path: Path) -> None:
    (tmp_path / "map.tsv").write_text("label\tcell_type_ontology_term_id\nT\tT cell\nB\tB cell\n")
    recipe = load_recipe(write(SOURCE + "    labels_file: map.tsv\n    labels: {B: plasma cell}\n"))
    record = recipe.record()["sources"][0]
    assert record["file"] == "cells.h5ad"
    assert record["labels"] == {"T": "CL:0000084", "B": "CL:0000786"}
    assert str(tmp_path) not in str(recipe.record())


def test_every_shipped_recipe_can_be_read_and_has_figures_and_a_line_about_it() -> None:
    for name in named_recipes():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.description
        assert recipe.figures is not None


def test_the_recipe_of_the_68_types_is_that_of_the_original_data_sets() -> None:
    recipe, originals = load_recipe("spoticell68"), original_datasets()
    sources = [source for source in recipe.sources if isinstance(source, UrlSource)]
    assert [(one.name, one.url, one.cells) for one in sources] == [(one.name, one.url, one.cells) for one in originals]
    assert [set(one.types) for one in sources] == [one.terms for one in originals]
    assert all(one.where == {"disease": ("normal",)} for one in sources)
    assert (recipe.figures.types, recipe.figures.cells) == (68, sum(one.cells for one in originals))


def test_the_recipe_of_the_census_follows_the_published_rules() -> None:
    recipe: Recipe = load_recipe("census-human")
    (source,) = recipe.sources
    assert isinstance(source, CensusSource)
    assert "is_primary_data == True" in source.value_filter
    assert source.value_filter.count("10x") == 7
    assert (recipe.keep.cells_per_type, recipe.keep.donors_per_type, recipe.keep.terms_above) == (5000, 30, 1)
    assert recipe.splits[0].shares == {"train": 0.7, "validation": 0.15, "test": 0.15}


def test_the_recipe_in_the_documentation_can_be_used(write) -> None:
    page = (Path(__file__).parents[3] / "docs" / "corpora.md").read_text(encoding="utf-8")
    recipe = load_recipe(write(page.partition("```yaml\n")[2].partition("```")[0]))
    assert [source.title for source in recipe.sources] == ["*", "Lung", "census-2025-11-08"]
