import h5py
import numpy as np
import pytest
from scipy import sparse
from tests.io import written as formats

from spoticell.errors import FileFormatError
from spoticell.io import open_cells


def stacked(source):
    return sparse.vstack([block.values_nv for block in source.blocks("matrix")], format="csr").toarray()


KINDS = ["Gene Expression"] * 50 + ["Antibody Capture"] * 8 + ["CRISPR Guide Capture"] * 2


@pytest.mark.parametrize("write", [formats.tenx_3, formats.tenx_folder], ids=["h5", "folder"])
@pytest.mark.rows(12)
def test_features_that_are_no_genes_are_left_out_and_counted(tmp_path, some, write):
    with open_cells(write(tmp_path, some, kinds=KINDS)) as source:
        np.testing.assert_array_equal(stacked(source), some.counts_nv[:, :50])
        assert source.gene_columns("matrix")["index"].tolist() == some.symbols[:50]
        (warning,) = source.warnings
        assert "10 features that are no genes were left out (8 Antibody Capture, 2 CRISPR Guide Capture)" in warning


@pytest.mark.rows(12, 40)
def test_only_the_human_genes_of_a_mixture_are_used(tmp_path, some):
    genomes = ["GRCh38", "mm10"] * 30
    with open_cells(formats.tenx_3(tmp_path, some, genomes=genomes)) as source:
        np.testing.assert_array_equal(stacked(source), some.counts_nv[:, ::2])
        assert source.gene_columns("matrix")["gene_ids"].tolist() == some.ids[::2]
        assert "only the genes of GRCh38 are used; left out: 30 mm10." in source.warnings[0]


def test_only_the_human_group_of_an_old_mixture_is_used(tmp_path, some):
    with open_cells(formats.tenx_2(tmp_path, some, genomes=("mm10", "hg19"))) as source:
        np.testing.assert_array_equal(stacked(source), some.counts_nv)
        assert "only the genes of hg19 are used; left out: mm10." in source.warnings[0]


def test_a_single_genome_of_any_name_is_used(tmp_path, some):
    with open_cells(formats.tenx_2(tmp_path, some, genomes=("my_genome",))) as source:
        np.testing.assert_array_equal(stacked(source), some.counts_nv)
        assert source.warnings == ()


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("genes", np.array([b"ENSG00000000003"]), "its lists of features differ in length"),
        ("barcodes", h5py.Empty("S3"), "lacks 'GRCh38/barcodes'"),
        ("shape", np.array([60, 11, 1]), r"'GRCh38/shape' can't be read.*\(3,\) where two whole numbers belong"),
        ("shape", np.array([60.0, 11.0]), r"'GRCh38/shape' can't be read.*float64 \(2,\) where two whole numbers"),
    ],
)
def test_an_old_file_whose_lists_do_not_fit_is_refused(tmp_path, some, part, values, message):
    path = formats.tenx_2(tmp_path, some)
    with h5py.File(path, "r+") as file:
        del file[f"GRCh38/{part}"]
        file[f"GRCh38/{part}"] = values
    with pytest.raises(FileFormatError, match=message):
        open_cells(path)


def test_a_file_in_a_folder_of_10x_may_be_named_itself(tmp_path, some):
    path = formats.tenx_folder(tmp_path, some) / "matrix.mtx.gz"
    with open_cells(path) as source:
        np.testing.assert_array_equal(stacked(source), some.counts_nv)


def test_formats_are_called_by_their_names(tmp_path, some):
    for name, word in (("10x h5 version 3", "10x h5"), ("10x folder version 2", "10x folder"), ("loom", "loom")):
        folder = tmp_path / name
        folder.mkdir()
        with open_cells(formats.FORMATS[name](folder, some)) as source:
            assert source.format == word
