import numpy as np
import pandas as pd
import pytest
from benchmarks.accuracy.named_groups import FEWEST, judged, rows_of, table, wrong_ones

from spoticell.annotation.groups import Group, Grouping, Groups

T, CD4, B = "CL:0000084", "CL:0000624", "CL:0000236"


@pytest.mark.parametrize(
    ("name", "verdict"), [(T, "right"), (CD4, "right"), ("CL:0000542", "coarser"), (B, "wrong"), ("unknown", "unknown")]
)
def test_a_name_is_judged_by_the_label(name, verdict):
    assert judged(T, name) == verdict


def group(name, term):
    return Group(name, 9, term, "a type", 0.9, 0.8, "unknown", "unknown", 0.0, None, (), ())


def test_a_group_counts_with_enough_labelled_cells_and_has_the_commonest_label():
    code_n = np.repeat([0, 1], [FEWEST + 2, FEWEST + 2])
    label_n = np.array([T] * 9 + [B] * 3 + ["unknown"] * 9 + [B] * 3, dtype=object)
    groups = Groups(Grouping("x", code_n, ("a", "b")), (group("a", B), group("b", B)))
    rows = rows_of("a set", "labels", groups, label_n)
    assert [(row["group"], row["purity"], row["verdict"]) for row in rows] == [("a", 0.75, "wrong")]
    assert "| labels | a set | 1 | 0.750 | 0.000 | 0.000 | 1.000 | 0.000 | 0.000 |" in table(pd.DataFrame(rows))
    assert len(wrong_ones(pd.DataFrame(rows))) == 3
