"""Pictures of the genes that speak for answers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pytest
from matplotlib.colors import to_hex

import spoticell
from spoticell.report.reasons import AGAINST, FOR

pytestmark = pytest.mark.filterwarnings("ignore::spoticell.errors.SpoticellWarning")


@pytest.fixture
def draw(tiny_bundle, tiny_cells):
    def drawn(most=8, **asked):
        found = spoticell.explain(tiny_cells, model=tiny_bundle, on_progress=False, **asked)
        return found, spoticell.pl.reasons(found, most=most)

    yield drawn
    plt.close("all")


def test_each_answer_has_bars_and_a_grid(draw):
    found, figure = draw(most=3)
    assert len(figure.axes) == 6
    assert [ax.get_title(loc="left") for ax in figure.axes[::2]] == [
        f"{name} · 5 cells"
        for name in (spoticell.biology.short_names.short_name(one.term) for one in found.explained[:3])
    ]


def test_bars_have_the_colours_of_for_and_against(draw):
    found, figure = draw(cell_names=["cell-0"], cell_type="NK cell")
    bars = figure.axes[0].patches
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [FOR if bar.get_width() > 0 else AGAINST for bar in bars]
    assert {FOR, AGAINST} == {to_hex(bar.get_facecolor()) for bar in bars}
    assert figure.axes[0].get_title(loc="left").startswith("cell-0: ")
    assert found.explained[0].genes(1)[0][0] >= 0


def test_the_loudest_genes_are_named_on_the_grid(draw):
    found, figure = draw(cell_type="B cell")
    loudest = [found.bundle.vocabulary.symbols[g] for g in found.explained[0].genes(2)[0]]
    assert set(loudest) <= {text.get_text() for text in figure.axes[1].texts}
