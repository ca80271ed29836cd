import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.io.written import cells

from spoticell.errors import FileFormatError
from spoticell.io import open_cells
from spoticell.io.formats import texttable
from spoticell.io.storage import lines as lines_module
from spoticell.io.storage.lines import lines

GENES = ["CD3E", "CD8A", "MS4A1"]


def read(path, content):
    path.write_text(content)
    with open_cells(path) as source:
        (block,) = source.blocks("table")
        names = source.gene_columns("table")["index"].tolist()
        return source.cell_names.tolist(), names, block.values_nv.toarray().tolist(), source


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cells.csv"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", " "], ids=["comma", "tab", "semicolon", "space"])
@pytest.mark.parametrize("quote", ["", '"'], ids=["bare", "quoted"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_any_delimiter_is_found(path, delimiter, quote, end):
    rows = [["cell", *GENES], ["a", "1", "0", "2"], ["b", "0", "3", "0"]]
    content = end.join(delimiter.join(f"{quote}{field}{quote}" for field in row) for row in rows)
    assert read(path, content)[:3] == (["a", "b"], GENES, [[1, 0, 2], [0, 3, 0]])


@pytest.mark.rows(15)
def test_genes_on_the_rows_are_turned_round_with_a_warning(path):
    got = read(path, "gene,a,b\nCD3E,1,0\nCD8A,0,3\nMS4A1,2,0\n")
    assert got[:3] == (["a", "b"], GENES, [[1, 0, 2], [0, 3, 0]])
    assert "genes lie on its rows, so the table was turned round" in got[3].warnings[0]


def test_mouse_genes_tell_the_side_too(path):
    names, genes, *_ = read(path, "gene,a,b\nCd3e,1,0\nCd8a,0,3\nENSMUSG00000032093,1,1\n")
    assert (names, genes) == (["a", "b"], ["Cd3e", "Cd8a", "ENSMUSG00000032093"])


@pytest.mark.rows(16)
def test_a_byte_order_mark_is_no_part_of_a_name(path):
    assert read(path, "\ufeffCD3E,CD8A\n1,2\n3,4\n")[:3] == (["0", "1"], ["CD3E", "CD8A"], [[1, 2], [3, 4]])


def test_a_heading_shifted_by_one_is_understood(path):
    assert read(path, "CD3E,CD8A\na,1,2\nb,3,4\n")[:3] == (["a", "b"], ["CD3E", "CD8A"], [[1, 2], [3, 4]])


@pytest.mark.rows(16)
def test_decimal_commas_are_understood(path):
    assert read(path, "cell;CD3E;CD8A\na,x;1,5;2\nb,y;0,25;0\n")[:3] == (
        ["a,x", "b,y"], ["CD3E", "CD8A"], [[1.5, 2], [0.25, 0]])  # fmt: skip


def test_commas_and_quotes_in_names_are_kept(path):
    content = '"","CD3E","CD8A"\n"a, ""the first""",1,2\n"b",3,4\n'
    assert read(path, content)[0] == ['a, "the first"', "b"]


def test_words_beside_counts_become_columns_about_cells(path):
    *_, source = read(path, "cell,kind,CD3E,nCount_RNA,CD8A,note\na,T,1,99,2,x y\nb,B,3,98,4,\n")
    assert source.obs().to_dict("list") == {"kind": ["T", "B"], "note": ["x y", ""]}
    assert source.gene_columns("table")["index"].tolist() == ["CD3E", "CD8A"]


def test_words_beside_genes_become_columns_about_genes(path):
    *_, source = read(path, "# from featureCounts\nGeneid,Symbol,Length,a,b\nENSG00000198851,CD3E,9,1,2\n"
                            "ENSG00000153563,CD8A,8,0,3\n")  # fmt: skip
    columns = source.gene_columns("table")
    assert columns["index"].tolist() == ["ENSG00000198851", "ENSG00000153563"]
    assert columns["Symbol"].tolist() == ["CD3E", "CD8A"]
    assert source.cell_names.tolist() == ["a", "b"]


@pytest.mark.parametrize("first", ["", "idx", "locus"])
@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_numbers_or_places_before_the_genes_are_no_counts(path, first, delimiter):
    some = cells(5, 30)
    before = [f"chr1:{row}-{row + 9}" if first == "locus" else str(row) for row in range(30)]
    lines = [[first, "gene", *some.names]]
    lines += [[*pair, *map(str, row)] for *pair, row in zip(before, some.symbols, some.counts_nv.T, strict=True)]
    names, genes, counts, source = read(path, "".join(delimiter.join(line) + "\n" for line in lines))
    assert (names, genes, counts) == (some.names, before, some.counts_nv.tolist())
    assert source.gene_columns("table")["gene"].tolist() == some.symbols


@pytest.mark.parametrize("form", ["GRCh38_{}", "{}-1", "{}|9", "b'{}'", "hsa:{}|x", "{} (human)"])
@pytest.mark.parametrize("on_rows", [False, True])
def test_the_side_of_the_genes_is_told_whatever_is_around_their_names(path, form, on_rows):
    some = cells(5, 30)
    genes = [form.format(symbol) for symbol in some.symbols]
    rows, columns, values = (genes, some.names, some.counts_nv.T) if on_rows else (some.names, genes, some.counts_nv)
    lines = [
        "\t".join(["", *columns]),
        *("\t".join([name, *map(str, row)]) for name, row in zip(rows, values, strict=True)),
    ]
    assert read(path, "\n".join(lines))[:3] == (some.names, genes, some.counts_nv.tolist())


def test_numbers_before_the_names_of_genes_are_no_cell_whatever_they_are_called(path):
    some = cells(5, 30)
    columns = zip(range(30, 0, -1), some.symbols, some.counts_nv.T, strict=True)
    lines = [["place", "gene", *some.names], *([str(place), gene, *map(str, row)] for place, gene, row in columns)]
    names, _, counts, source = read(path, "".join("\t".join(line) + "\n" for line in lines))
    assert (names, counts) == (some.names, some.counts_nv.tolist())
    assert "numbers before the names of genes are no cell's and were left out (place)" in source.warnings[1]


def test_genes_named_in_the_last_column_have_their_cells_before_them(path):
    some = cells(5, 30)
    lines = [
        [*some.names, "gene"],
        *([*map(str, row), gene] for gene, row in zip(some.symbols, some.counts_nv.T, strict=True)),
    ]
    assert read(path, "".join("\t".join(line) + "\n" for line in lines))[0] == some.names


def test_entrez_ids_beside_symbols_are_no_cell(path):
    assert read(path, "gene,EntrezID,a,b\nCD3E,916,1,0\nCD8A,925,0,3\n")[:2] == (["a", "b"], ["CD3E", "CD8A"])


def test_cells_named_by_numbers_are_no_missing_heading(path):
    assert read(path, ",1,2\nCD3E,1,0\nCD8A,0,3\n")[:3] == (["1", "2"], ["CD3E", "CD8A"], [[1, 0], [0, 3]])


def test_names_are_kept_as_they_are_even_twice_or_long(path):
    long = "x" * 10_000
    assert read(path, f"cell,CD3E,CD8A\n=1+1,1,2\n=1+1,3,4\n{long},5,6\n")[0] == ["=1+1", "=1+1", long]


def test_an_infinite_number_is_passed_on(path):
    assert read(path, "cell,CD3E,CD8A\na,inf,1e400\nb,3,4\n")[2] == [[np.inf, np.inf], [3, 4]]


def test_underscores_in_numbers_are_refused(path):
    with pytest.raises(FileFormatError, match="line 3, column 'CD8A' holds '1_000'"):
        read(path, "cell,CD3E,CD8A\na,1,2\nb,3,1_000\nc,1,2\nd,1,2\n")


@given(seed=st.integers(0, 99), size=st.integers(1, 400))
@settings(max_examples=20, deadline=None)
def test_batches_of_any_size_give_the_same_table(tmp_path_factory, seed, size):
    some = cells(7, 9, seed)
    path = tmp_path_factory.mktemp("table") / "cells.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(texttable, "_CHARACTERS_AT_ONCE", size)
        patch.setattr(lines_module, "_AT_ONCE", size)
        rows = (f"{name},{','.join(map(str, row))}\n" for name, row in zip(some.names, some.counts_nv, strict=True))
        assert read(path, f"cell,{','.join(some.symbols)}\n{''.join(rows)}")[2] == some.counts_nv.tolist()


def test_lines_are_the_same_packed_or_not_and_in_any_encoding(tmp_path):
    words = ["a", "", "é,名", "x" * 300]
    plain = "\n".join(words)
    for name, content in {
        "plain": plain.encode(),
        "packed": gzip.compress(plain.encode()),
        "marked": plain.encode("utf-8-sig"),
        "wide": plain.encode("utf-16"),
        "packed wide": gzip.compress(plain.encode("utf-16")),
    }.items():
        (tmp_path / name).write_bytes(content)
        assert list(lines(tmp_path / name)) == words, name


def test_a_line_without_an_end_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(lines_module, "LONGEST_LINE", 100)
    monkeypatch.setattr(lines_module, "_AT_ONCE", 10)
    (tmp_path / "cells.csv").write_text("a\n" + "b" * 200)
    with pytest.raises(FileFormatError, match="line 2 is too long"):
        list(lines(tmp_path / "cells.csv"))


@pytest.mark.parametrize("turned", [False, True], ids=["cells on rows", "genes on rows"])
def test_sums_and_means_among_the_cells_are_left_out(tmp_path, turned):
    some = cells(n_cells=20)
    counts = pd.DataFrame(some.counts_nv, index=some.names, columns=some.symbols)
    table = pd.concat(
        [counts[:9], counts[:9].mean().to_frame("B cell_avg").T, counts[9:], counts.sum().to_frame("x").T]
    )
    table.insert(0, "label", [*"abcdefghi", "?", *"jklmnopqrst", "?"])
    path = tmp_path / "cells.csv"
    (table.drop(columns="label").T if turned else table).to_csv(path)
    with open_cells(path) as source:
        assert source.cell_names.tolist() == some.names
        assert "2 are no cells but sums or means of cells and were left out (B cell_avg, x)." in source.warnings[-1]
        np.testing.assert_array_equal(
            np.vstack([block.values_nv.toarray() for block in source.blocks("table", size=7)]), some.counts_nv
        )
        assert turned or source.obs()["label"].str.cat() == "abcdefghijklmnopqrst"


def test_a_column_of_totals_among_the_genes_is_left_out(path):
    names, genes, counts, source = read(path, "cell,CD3E,total,CD8A,MS4A1\na,1,3,0,2\nb,0,3,3,0\n")
    assert (names, genes, counts) == (["a", "b"], GENES, [[1, 0, 2], [0, 3, 0]])
    assert "1 feature that is no gene was left out (1 Total)" in source.warnings[0]


def test_a_delimiter_at_the_end_of_every_line_changes_nothing(path):
    content = "gene,a,b,\nCD3E,1,0,\nCD8A,0,3,\nMS4A1,2,0,\n"
    assert read(path, content)[:3] == (["a", "b"], GENES, [[1, 0, 2], [0, 3, 0]])


def test_the_size_before_the_heading_of_a_gct_file_is_no_heading(tmp_path):
    content = "#1.2\n3\t2\nName\tDescription\ta\tb\nCD3E\tx\t1\t0\nCD8A\ty\t0\t3\nMS4A1\tz\t2\t0\n"
    assert read(tmp_path / "cells.gct", content)[:3] == (["a", "b"], GENES, [[1, 0, 2], [0, 3, 0]])


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)], ids=["gene first", "cell first"])
def test_a_line_for_each_gene_of_each_cell_is_refused_with_the_way_out(path, order):
    lines = [("gene", "cell", "count"), *((gene, cell, "2") for cell in "abcde" for gene in GENES)]
    with pytest.raises(FileFormatError, match=r"a line for each gene of each cell.*pivot_table"):
        read(path, "\n".join(",".join(line[place] for place in order) for line in lines))


def test_a_quote_in_the_middle_of_a_name_stays_there(path):
    cells, genes, counts_nv, _ = read(path, 'gene,one,two\n"CD"3E",1,2\nCD8A,3,4\nMS4A1,5,6\nNKG7,7,8\n')
    assert cells == ["one", "two"]
    assert genes == ['"CD"3E"', "CD8A", "MS4A1", "NKG7"]
    assert counts_nv == [[1, 3, 5, 7], [2, 4, 6, 8]]


def test_delimiters_within_quotes_are_no_fields(path):
    with pytest.raises(FileFormatError, match=r"line 3 has 2 fields, 3 were expected"):
        read(path, 'gene,one,two\nCD8A,3,4\nCD3E,"1,2"\nMS4A1,5,6\n')


def test_a_row_of_words_may_be_short(path):
    _, genes, _, source = read(path, "gene,one,two\nlabel,T cell\nCD3E,1,2\nCD8A,3,4\nMS4A1,5,6\n")
    assert genes == GENES
    assert source.obs()["label"].tolist() == ["T cell", ""]


def test_a_gap_in_a_table_of_one_cell_does_not_shift_the_genes_below(path):
    with pytest.raises(FileFormatError, match=r"line 3, column 'one' is empty where a number is needed"):
        read(path, "gene,one\nCD3E,5\nCD8A,\nMS4A1,3\n")


@pytest.mark.parametrize("content", [b"", b"cell,CD3E,CD8A\na,x,y\nb,1\n"], ids=["nothing", "words"])
def test_a_table_without_a_line_of_numbers_is_refused(tmp_path, content):
    (tmp_path / "cells.csv.gz").write_bytes(gzip.compress(content))
    with pytest.raises(FileFormatError, match="at least one line of numbers"):
        open_cells(tmp_path / "cells.csv.gz")
