"""What goes for every plot, whatever it draws."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from spoticell import pl
from spoticell.errors import ConfigError
from spoticell.report.plots.drawn import drawn

ODD = (r"$a_{1$", r"$\frac{1}{0}$", "x^2 $5", "plain")
"""Names of samples that would be formulas, sound ones or not."""


@pytest.fixture
def odd(cells):
    cells.obs["odd"] = np.array(ODD)[np.arange(cells.n_obs) % len(ODD)]
    return cells


def words_on(figure):
    figure.draw_without_rendering()
    return {text.get_text() for text in figure.findobj(plt.Text) if text.get_visible()}


@pytest.mark.parametrize(
    ("plot", "asked"),
    [
        (pl.sample_composition, {"by": "odd"}),
        (pl.fingerprint_map, {"color": "odd"}),
        (pl.umap, {"color": ["odd"], "basis": "X_spoticell"}),
    ],
    ids=["composition", "map", "panels"],
)
def test_names_with_dollars_are_shown_as_they_are(odd, plot, asked):
    plot(odd, **asked)
    assert set(ODD) <= words_on(plt.gcf())


def test_formulas_of_one_s_own_stay_formulas(odd):
    figure, (left, right) = plt.subplots(1, 2)
    left.set_title(r"$\alpha$")
    pl.sample_composition(odd, by="odd", ax=right)
    right.set_title(r"$\beta$")
    figure.draw_without_rendering()
    assert left.title.get_parse_math()
    assert right.title.get_parse_math()


def test_a_plot_that_fails_leaves_the_axes_as_they_were():
    ax = plt.subplots()[1]

    @drawn
    def fails(*, ax):
        raise ConfigError("no.")

    with pytest.raises(ConfigError, match=r"no\."):
        fails(ax=ax)
    assert ax.title.get_parse_math()
    assert plt.rcParams["text.parse_math"]


@pytest.mark.parametrize("kind", ["polar", "3d"])
def test_axes_of_other_kinds_are_refused(cells, kind):
    with pytest.raises(ConfigError, match=f"axes of the kind '{kind}'; give plain axes"):
        pl.composition(cells, ax=plt.figure().add_subplot(projection=kind))


@pytest.mark.parametrize("plot", [getattr(pl, name) for name in pl.__all__ if name not in {"style", "reasons"}])
def test_every_plot_refuses_what_are_no_axes(plot, cells):
    with pytest.raises((ConfigError, TypeError), match=r"ax is of the kind str|unexpected keyword"):
        plot(cells, ax="axes")


@pytest.mark.parametrize("n_named", [-3, 10**6, "8"])
def test_a_number_of_names_that_can_not_be_is_refused(cells, n_named):
    with pytest.raises(ConfigError, match="from 0 to 50"):
        pl.cell_picture(cells, n_named=n_named)


def test_a_level_that_is_none_is_refused(cells):
    with pytest.raises(ConfigError, match="no level 'x'; there are 'fine' and 'broad'"):
        pl.composition(cells, level="x")


@pytest.mark.parametrize(
    ("plot", "asked", "why"),
    [
        (pl.composition, ("B cell",), "of the kind str; give annotated cells, or a list of types"),
        (pl.composition, (None,), "of the kind NoneType; give annotated cells"),
        (pl.marker_dots, (5,), "of the kind int; give annotated cells"),
        (pl.confusion, (5,), "of the kind int; give annotated cells"),
        (pl.sankey, ([1], "a", "b"), "of the kind list; give annotated cells"),
        (pl.panel_curve, ({},), "of the kind dict; give a DataFrame"),
        (pl.score_histogram, ("x",), "scores from 0 to 1"),
        (pl.score_histogram, ([2.0, -1.0],), "scores from 0 to 1"),
    ],
)
def test_what_are_no_cells_is_refused(plot, asked, why):
    with pytest.raises(ConfigError, match=why):
        plot(*asked)


def test_settings_of_other_kinds_are_refused(cells):
    for plot, asked, why in (
        (pl.type_share, {"cell_type": 3, "by": "batch"}, "a type is given as text, and 3 is none"),
        (pl.umap, {"color": None}, "name what to colour by"),
        (pl.umap, {"color": "type", "columns": "2"}, "columns from 1 on"),
    ):
        with pytest.raises(ConfigError, match=why):
            plot(cells, **asked)
    cells.obsm["X_1"] = cells.obsm["X_spoticell"][:, :1]
    with pytest.raises(ConfigError, match="has one dimension"):
        pl.umap(cells, "type", basis="X_1")
