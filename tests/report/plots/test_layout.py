"""Where the genes are on the grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spoticell.biology.gene_families import family_of
from spoticell.errors import ConfigError
from spoticell.report import plots as pl


def test_each_gene_of_a_family_has_a_point_where_its_pixel_is(tiny_bundle):
    ax = pl.layout_map(tiny_bundle)
    symbols = tiny_bundle.vocabulary.symbols
    own = [g for g, symbol in enumerate(symbols) if family_of(symbol) == "collagen"]
    points = next(points for points in ax.collections if points.get_label() == f"collagen · {len(own)}")
    rows, columns = np.divmod(tiny_bundle.pixel_g[own], tiny_bundle.manifest.grid)
    assert points.get_offsets().tolist() == np.stack([columns, rows], axis=1).tolist()


def test_chromosomes_are_in_order(tiny_bundle):
    ax = pl.layout_map(tiny_bundle, color="chromosome")
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [name.split(" · ")[0] for name in names][:3] == ["1", "2", "3"]
    assert sum(int(name.split(" · ")[1]) for name in names) <= len(tiny_bundle.vocabulary)


def test_what_can_not_be_coloured_is_refused(tiny_bundle):
    with pytest.raises(ConfigError, match="'family' and 'chromosome'"):
        pl.layout_map(tiny_bundle, color="nonsense")
    bare = replace(tiny_bundle.vocabulary, chromosomes=("",) * len(tiny_bundle.vocabulary))
    with pytest.raises(ConfigError, match="no gene of the model tiny has a chromosome"):
        pl.layout_map(replace(tiny_bundle, vocabulary=bare), color="chromosome")
