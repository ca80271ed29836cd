import gzip

import pytest

from spoticell.biology.vocabulary import load_vocabulary
from spoticell.errors import ConfigError, SpoticellWarning
from spoticell.io.marker_table import read_markers

GENES = load_vocabulary()
T = "CL:0000084"


def read(tmp_path, text, name="markers.tsv"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return read_markers(path, GENES)


@pytest.mark.parametrize("name", ["markers.tsv", "markers.csv", "markers.tsv.gz"])
@pytest.mark.parametrize("sign", ["\t", ",", ";"])
def test_a_table_is_read_however_it_is_separated_or_packed(tmp_path, name, sign):
    text = f"tissue{sign}cell_type_ontology_term_id{sign}gene\nblood{sign}{T}{sign}CD3E\n"
    assert read(tmp_path, text, name).known(T, [GENES.by_symbol["CD3E"]]) == [True]


def test_a_type_without_an_id_is_read_by_its_name(tmp_path):
    text = f"cell_type\tcell_type_ontology_term_id\tgene\nT cells\t\tCD3E\nodd\t{T}\tCD3D\n"
    assert len(read(tmp_path, text).genes_of[T]) == 2


def test_a_note_names_what_is_not_understood(tmp_path):
    with pytest.warns(SpoticellWarning, match="1 names of types or genes aren't understood, such as 'blob'"):
        read(tmp_path, "cell_type,gene\nblob,CD3E\nT cell,CD3E\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cell_type,symbol\nT cell,CD3E\n", "no column 'gene'"),
        ("type,gene\nT cell,CD3E\n", "no column 'cell_type_ontology_term_id'"),
        ("cell_type,gene\nblob,CD3E\n", "no marker that is understood"),
        ("cell_type,gene\n", "no marker that is understood"),
        ("", "can't be read as a table of markers"),
        ('cell_type,gene\n"T cell,CD3E\n', "can't be read as a table of markers"),
        ("cell_type,gene\nT cell,CD3E,a,b\nT cell,CD3E\nT,1,2,3,4,5,6\n", "can't be read as a table of markers"),
    ],
)
def test_a_table_that_is_none_is_refused_in_a_sentence(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize("name", ["markers.tsv", "markers.tsv.gz"])
def test_what_is_no_text_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x89PNG\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="can't be read"):
        read_markers(tmp_path / name, GENES)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="there is no table of markers"):
        read_markers(tmp_path / "none.csv", GENES)


def test_rows_may_be_short_and_lines_empty(tmp_path):
    markers = read(tmp_path, "cell_type,gene,note\nT cell,CD3E\n\nT cell,CD3D,good\n", "markers.csv")
    assert len(markers.genes_of[T]) == 2
