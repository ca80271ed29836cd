from __future__ import annotations

from pathlib import Path

from spoticell.biology.ontology import load_ontology
from spoticell.corpus.original import original_dataset, original_datasets


def test_there_are_seven_data_sets_of_two_and_a_half_million_cells_and_68_types() -> None:
    datasets = original_datasets()
    assert len({dataset.version_id for dataset in datasets}) == 7
    assert sum(dataset.cells for dataset in datasets) == 2_500_225
    assert len(frozenset().union(*(dataset.terms for dataset in datasets))) == 68


def test_every_kept_type_is_in_the_ontology() -> None:
    assert all(term in load_ontology() for dataset in original_datasets() for term in dataset.terms)


def test_addresses_are_safe_and_name_the_version() -> None:
    assert all(
        dataset.url == f"https://datasets.cellxgene.cziscience.com/{dataset.file_name}"
        for dataset in original_datasets()
    )


def test_other_files_are_none_of_them() -> None:
    assert original_dataset(Path("Liver.h5ad")) is None
