"""Types of all cells, and of each sample."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest

from spoticell.api import annotate
from spoticell.errors import ConfigError, SpoticellWarning
from spoticell.report import plots as pl


def legend(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.fixture
def sampled(make_tiny_cells, tiny_bundle):
    """Six samples of two conditions, of which the second has more B cells."""
    cells = make_tiny_cells(per_type=30)
    annotate(cells, model=tiny_bundle, threads=1)
    is_b = (cells.obs["spoticell_cell_type"] == "B cell").to_numpy()
    place = np.arange(cells.n_obs)
    ill = np.where(is_b, place % 10 < 8, place % 2 == 0)
    cells.obs["condition"] = np.where(ill, "ill", "well")
    cells.obs["donor"] = [f"{kind}{n % 3}" for n, kind in enumerate(cells.obs["condition"])]
    return cells


@pytest.mark.parametrize(("level", "bars"), [("fine", 7), ("broad", 6)])
def test_the_composition_has_a_bar_for_each_type(cells, level, bars):
    ax = pl.composition(cells, level=level)
    assert len(ax.patches) == bars
    assert sum(bar.get_width() for bar in ax.patches) == 31
    assert ax.get_yticklabels()[-1].get_text() == "unknown"


def test_another_key_is_read(tiny_cells, tiny_bundle):
    annotate(tiny_cells, model=tiny_bundle, key_added="mine", threads=1)
    assert len(pl.composition(tiny_cells, key_added="mine").patches) == 7


def test_plots_have_the_colours_of_the_annotated_cells_and_short_names(cells):
    column = cells.obs["spoticell_cell_type_short"]
    color_of = dict(zip(column.cat.categories, cells.uns["spoticell_cell_type_short_colors"], strict=True))
    ax = pl.composition(cells)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert set(labels) == set(column)
    assert [mpl.colors.to_hex(bar.get_facecolor()) for bar in ax.patches] == [color_of[label] for label in labels]
    broad = dict(
        zip(cells.obs["spoticell_level_broad"].cat.categories, cells.uns["spoticell_level_broad_colors"], strict=True)
    )
    bars = pl.composition(cells, level="broad").patches
    assert {mpl.colors.to_hex(bar.get_facecolor()) for bar in bars} == set(broad.values())


def test_cells_that_lost_their_colours_are_given_some(cells):
    del cells.uns["spoticell_cell_type_colors"], cells.uns["spoticell_level_broad_colors"]
    bars = pl.composition(cells).patches
    assert len({mpl.colors.to_hex(bar.get_facecolor()) for bar in bars}) == len(bars)


def test_the_bars_of_a_sample_make_up_the_whole(sampled):
    ax = pl.sample_composition(sampled, by="donor")
    widths = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
    np.testing.assert_allclose(widths.sum(axis=0), 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == sorted(set(sampled.obs["donor"]))
    assert legend(ax)[-1] == "unknown"


def test_samples_of_a_condition_stand_together_below_its_name(sampled):
    ax = pl.sample_composition(sampled, by="donor", condition="condition", level="broad", most=2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ill0", "ill1", "ill2", "well0", "well1", "well2"]
    assert [text.get_text() for text in ax.texts if text.get_weight() == "bold"] == ["ill", "well"]
    assert legend(ax)[-2:] == ["other types", "unknown"]
    assert legend(ax)[0] == "T cell"


def test_samples_without_a_condition_are_not_put_under_one(sampled):
    sampled.obs["condition"] = sampled.obs["condition"].where(sampled.obs["donor"] != "well2")
    ax = pl.sample_composition(sampled, by="donor", condition="condition")
    assert [text.get_text() for text in ax.texts if text.get_weight() == "bold"] == ["ill", "well", "no condition"]
    shares = pl.type_share(sampled, "B cell", by="donor", condition="condition")
    assert len(shares.containers[0].lines[0].get_ydata()) == 5


def test_the_cells_of_each_sample_stand_beside_it(sampled):
    ax = pl.sample_composition(sampled, by="donor")
    told = [int(text.get_text().replace(",", "")) for text in ax.texts]
    assert told == sampled.obs["donor"].value_counts().sort_index().tolist()


def test_samples_that_annotate_was_told_of_need_not_be_told_again(sampled, tiny_bundle):
    result = annotate(sampled, model=tiny_bundle, threads=1, by="donor", condition="condition")
    for told in (result, sampled):
        ax = pl.sample_composition(told)
        assert ax.get_yticklabels()[0].get_text() == "ill0"
    again = pl.sample_composition(result, by="condition")
    assert [label.get_text() for label in again.get_yticklabels()] == ["ill", "well"]


def test_samples_of_a_file_are_read_from_it(tiny_h5ad, tiny_bundle):
    result = annotate(tiny_h5ad, model=tiny_bundle, threads=1)
    ax = pl.sample_composition(result, by="batch")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]


def test_without_a_column_of_samples_there_is_no_bar(cells):
    with pytest.raises(ConfigError, match="from which sample"):
        pl.sample_composition(cells)


def test_the_share_of_a_type_has_its_interval_and_the_q_of_the_comparison(sampled, tiny_bundle):
    result = annotate(sampled, model=tiny_bundle, threads=1, by="donor", condition="condition")
    ax = pl.type_share(result, "B cell")
    table = result.composition()
    table = table[table["cell_type"] == "B cell"]
    [line] = ax.containers[0].get_children()[:1]
    np.testing.assert_allclose(line.get_ydata(), table["share"])
    bounds = ax.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([segment[:, 1] for segment in bounds], table[["low", "high"]])
    q = result.differences.table.set_index("cell_type").loc["B cell", "q"]
    assert [text.get_text() for text in ax.texts] == [f"q = {q:.2g}"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["ill\n3 samples", "well\n3 samples"]


def test_a_type_above_the_answers_is_compared_too(sampled):
    ax = pl.type_share(sampled, "lymphocyte", by="donor", condition="condition")
    assert ax.texts[0].get_text().startswith("q = ")
    assert ax.get_ylabel() == "Lymphocyte, share of cells"


def test_few_samples_are_not_tested(sampled):
    few = sampled[sampled.obs["donor"].isin(["ill0", "well0"])].copy()
    ax = pl.type_share(few, "B cell", by="donor", condition="condition")
    assert ax.texts[0].get_text() == "not tested"
    assert len(ax.lines) == 1  # the points: there is no mean of one sample
    assert ax.get_xticklabels()[0].get_text() == "ill\n1 sample"


def test_without_conditions_each_sample_has_its_name(sampled):
    ax = pl.type_share(sampled, "NK", by="donor")
    assert [label.get_text() for label in ax.get_xticklabels()] == sorted(set(sampled.obs["donor"]))
    assert not ax.texts


def test_a_type_that_no_sample_has_is_drawn_as_none_with_a_word_about_its_kin(cells):
    with pytest.warns(SpoticellWarning, match="no cell is called 'Hepatocyte'.*nearest types that are there: '"):
        ax = pl.type_share(cells, "hepatocyte", by="batch")
    assert ax.get_xticklabels()[0].get_text() == "a"
    assert (ax.containers[0].lines[0].get_ydata() == 0).all()


def test_types_of_a_lineage_stand_together(sampled):
    found = legend(pl.sample_composition(sampled, by="donor"))
    assert {found.index("CD4 T"), found.index("CD8 T")} in ({0, 1}, {1, 2}, {2, 3})
    assert abs(found.index("CD4 T") - found.index("CD8 T")) == 1


def test_samples_that_are_called_like_their_conditions_have_no_heads(sampled):
    ax = pl.sample_composition(sampled, by="condition", condition="condition")
    assert not [text for text in ax.texts if text.get_weight() == "bold"]


def test_a_broad_type_with_the_cells_of_one_answer_has_its_q(sampled):
    ax = pl.type_share(sampled, "Lymphocyte of B lineage", by="donor", condition="condition")
    own = pl.type_share(sampled, "B cell", by="donor", condition="condition")
    assert ax.texts[0].get_text() == own.texts[0].get_text()
