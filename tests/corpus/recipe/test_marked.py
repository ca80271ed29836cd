from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from spoticell.corpus.recipe.marked import MarkedError, MarkedYaml

WORDS = st.text(alphabet="abc:#- 0", max_size=6)
VALUES = st.recursive(WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))


@pytest.mark.parametrize("text", ["007", "no", "2025-11-08", "1e3", "~", "0x10", "on"])
def test_a_value_is_the_text_that_was_written(text: str) -> None:
    assert MarkedYaml(f"value: {text}").value == {"value": text}


@given(VALUES)
def test_what_was_written_by_any_program_is_read(value: object) -> None:
    assert MarkedYaml(yaml.safe_dump(value, sort_keys=False)).value == value


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), WORDS, min_size=1), min_size=1))
def test_every_key_is_found_in_its_line(rows: list[dict[str, str]]) -> None:
    text = "rows:\n" + "".join(
        f"{'- ' if position == 0 else '  '}{key}: {value!r}\n"
        for row in rows
        for position, (key, value) in enumerate(row.items())
    )
    document = MarkedYaml(text)
    assert document.value == {"rows": rows}
    line = 2
    for number, row in enumerate(rows):
        for key in row:
            assert document.line(["rows", number, key]) == line
            line += 1


def test_what_is_missing_is_looked_for_in_the_line_of_what_should_hold_it() -> None:
    document = MarkedYaml("a:\n  b:\n    c: 1\n")
    assert document.line(["a", "b", "d"]) == 2
    assert document.line(["x"]) == 1
    assert document.line([]) == 1


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: [1, 2", 1, "expected"),
        ("a: 1\nb:\n\t- 2", 3, "cannot start"),
        ("a: 1\nb: 2\na: 3", 3, "'a' stands here a second time"),
        ("a: &x [1]\nb: *x", 2, "alias"),
        ("a: &x\n  b: *x", 2, "alias"),
        ("? [a, b]\n: 1", 1, "a key must be a word"),
        ("a: 1\n---\nb: 2", 2, "document"),
        ("a: \x07", 1, "not allowed"),
        ("[" * 10_000, 1, "lie too deep in one another"),
    ],
)
def test_what_is_no_recipe_is_refused_with_its_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(MarkedError, match=problem) as refused:
        MarkedYaml(text)
    assert refused.value.line == line
