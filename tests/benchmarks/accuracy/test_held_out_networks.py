"""How the figures of networks are put side by side."""

import pandas as pd
import pytest

pytest.importorskip("torch", reason="the benchmark asks networks")

from benchmarks.accuracy.held_out_networks import table


def test_each_network_has_a_row_with_the_mean_of_each_view_and_of_all():
    rows = pd.DataFrame(
        [
            ("one", "whole", 0.5, 0.8),
            ("one", "whole", 0.7, 1.0),
            ("one", "shallow", 0.3, 0.6),
            ("two", "whole", 0.9, 0.9),
            ("two", "shallow", 0.1, 0.5),
        ],
        columns=["network", "view", "macro_f1", "hierarchical_f1"],
    )
    head, _, *body = table(rows)
    assert head == "| | whole | shallow | mean of all |"
    assert body == [
        "| one | 0.600 / 0.900 | 0.300 / 0.600 | 0.500 / 0.800 |",
        "| two | 0.900 / 0.900 | 0.100 / 0.500 | 0.500 / 0.700 |",
    ]
