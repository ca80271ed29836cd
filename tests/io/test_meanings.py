from __future__ import annotations

from pathlib import Path

import pytest

from spoticell.corpus.mapping import write_unresolved
from spoticell.errors import ConfigError
from spoticell.io.meanings import read_meanings

HEAD = "label\tcell_type_ontology_term_id\n"


def table(folder: Path, text: str, name: str = "map.tsv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_labels_lead_to_terms_by_id_name_or_synonym_or_to_unknown(tmp_path: Path) -> None:
    path = table(tmp_path, HEAD + "T\tT cells\nB\tCL:0000236\nlympho\tT lymphocyte\njunk\tUnknown\n")
    assert read_meanings(path) == {"T": "CL:0000084", "B": "CL:0000236", "lympho": "CL:0000084", "junk": "unknown"}


def test_a_csv_file_serves_too_with_further_columns_in_any_order(tmp_path: Path) -> None:
    text = '\ufeffnote,cell_type_ontology_term_id,label\n"a, b",T cell,"T, resting"\n'
    assert read_meanings(table(tmp_path, text, "map.csv")) == {"T, resting": "CL:0000084"}


@pytest.mark.parametrize("head", ["label;cell_type\n", "cluster;name\n", ""])
def test_a_table_of_two_columns_needs_no_names_for_them(tmp_path: Path, head: str) -> None:
    assert read_meanings(table(tmp_path, head + "3;NK\n4;B cells\n", "map.csv")) == {
        "3": "CL:0000623",
        "4": "CL:0000236",
    }


def test_a_mapping_is_read_as_a_table_is() -> None:
    assert read_meanings({"mine": "Tregs"}) == {"mine": "CL:0000815"}
    assert read_meanings(None) == {}
    with pytest.raises(ConfigError, match="meanings, 'mine': 'PC' is neither a term nor a name of a type"):
        read_meanings({"mine": "PC"})


def test_the_list_of_unresolved_labels_becomes_a_table_by_filling_in_terms(tmp_path: Path) -> None:
    path = tmp_path / "unresolved_labels.tsv"
    write_unresolved(path, [("one", "big\tT", 30), ("one", "clump", 2)])
    assert read_meanings(path) == {}
    path.write_text(path.read_text().replace("30\t", "30\tT cell"))
    assert read_meanings(path) == {"big T": "CL:0000084"}


def test_a_label_that_a_spreadsheet_would_run_is_marked_and_understood_so(tmp_path: Path) -> None:
    path = tmp_path / "unresolved_labels.tsv"
    write_unresolved(path, [("one", "=cmd()", 30), ("+two", "clump", 2)])
    assert "one\t'=cmd()\t30\t" in path.read_text()
    assert "'+two\tclump" in path.read_text()
    path.write_text(path.read_text().replace("30\t", "30\tT cell"))
    assert read_meanings(path) == {"=cmd()": "CL:0000084"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("label\tnote\tkind\nT\tx\tT cell\n", "has no column 'cell_type_ontology_term_id'"),
        ("", "has no column 'label'"),
        (HEAD + "T\tT cell\nB\tBB cell\n", r"map.tsv, line 3: 'BB cell' is neither a term nor a name"),
        (HEAD + "T\tT cell\nT\tB cell\n", r"map.tsv, line 3: 'T' is CL:0000084 further up and CL:0000236 here"),
    ],
)
def test_a_table_that_can_not_be_used_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        read_meanings(table(tmp_path, text))


def test_a_file_that_is_no_text_is_refused_and_so_is_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "map.tsv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="can't be read as a table of labels"):
        read_meanings(path)
    with pytest.raises(ConfigError, match=r"there is no table of labels none\.csv"):
        read_meanings(tmp_path / "none.csv")


def test_a_line_that_stops_short_says_nothing(tmp_path: Path) -> None:
    assert read_meanings(table(tmp_path, HEAD + "T\nB\tB cell\n")) == {"B": "CL:0000236"}
