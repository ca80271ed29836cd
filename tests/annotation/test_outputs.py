import re
from pathlib import Path

import pytest
from typer.main import get_command

from spoticell import keys
from spoticell.annotation.allowed import allowed_types
from spoticell.annotation.outputs import obs_columns, run_record, summary_record, type_colors
from spoticell.annotation.reasons import REASONS
from spoticell.api import annotate
from spoticell.biology.palette import GREY
from spoticell.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def annotation(tiny_h5ad, tiny_bundle, tmp_path):
    from spoticell.api import annotate  # noqa: PLC0415

    return annotate(tiny_h5ad, tmp_path / "out.csv", model=tiny_bundle)


def test_columns_carry_the_key_that_was_asked_for(tiny_h5ad, tiny_bundle):
    table = obs_columns(annotate(tiny_h5ad, model=tiny_bundle, key_added="mine"))
    assert len(table) == 31
    assert all(name.startswith("mine_") for name in table)


def test_colours_follow_the_categories_and_unknown_is_grey(annotation):
    columns = obs_columns(annotation)
    types = columns["spoticell_cell_type"].cat.categories
    colors = type_colors(annotation, columns)["spoticell_cell_type_colors"]
    assert len(colors) == len(types)
    assert colors[list(types).index("unknown")] == GREY
    assert all(re.fullmatch(r"#[0-9a-f]{6}", color) for color in colors)


def test_a_type_has_the_same_colour_in_every_column(annotation):
    columns = obs_columns(annotation)
    colors = type_colors(annotation, columns)
    names = ("cell_type", "cell_type_short", "second_cell_type", "single_cell_type", "level_broad")
    assert set(colors) == {f"spoticell_{name}_colors" for name in names}
    shown = {
        name: dict(zip(columns[f"spoticell_{name}"].cat.categories, colors[f"spoticell_{name}_colors"], strict=True))
        for name in names
    }
    for name, short in zip(annotation.names_n, annotation.short_n, strict=True):
        assert shown["cell_type"][name] == shown["cell_type_short"][short]
    for other in ("second_cell_type", "single_cell_type", "level_broad"):
        for name in set(shown[other]) & set(shown["cell_type"]):
            assert shown[other][name] == shown["cell_type"][name]


def test_a_short_name_stands_beside_each_answer(annotation):
    columns = obs_columns(annotation)
    pairs = set(zip(columns["spoticell_cell_type"], columns["spoticell_cell_type_short"], strict=True))
    assert ("natural killer cell", "NK") in pairs or ("B cell", "B cell") in pairs
    assert ("unknown", "unknown") in pairs


def test_the_record_and_the_summary_say_what_answers_were_kept_to(annotation, tiny_h5ad, tiny_bundle, tmp_path):
    from spoticell.api import annotate  # noqa: PLC0415

    kept = annotate(tiny_h5ad, tmp_path / "kept.csv", model=tiny_bundle, deny=["T cell"], tissue="PBMC")
    expected = {"allow": [], "deny": ["CL:0000084"], "tissue": "blood", "labels": 3}
    assert run_record(kept)["allowed"] == summary_record(kept)["allowed"] == expected
    assert run_record(annotation)["allowed"] is summary_record(annotation)["allowed"] is None


def test_the_record_of_a_run_holds_no_time_and_no_slash_in_a_key(annotation):
    record = run_record(annotation)
    assert record["bundle_sha256"] == annotation.bundle.sha256
    assert not [key for key in record if "/" in key or "time" in key]


def test_everything_that_is_written_is_in_the_documentation(annotation):
    text = (DOCS / "outputs.md").read_text()
    written = [
        keys.CELL_TYPE,
        keys.TERM,
        keys.SCORE,
        keys.BROAD,
        keys.REASON,
        keys.N_COUNTS,
        keys.N_GENES,
        keys.FINGERPRINT,
    ]
    written += [keys.SECOND_TYPE, keys.SECOND_TERM, keys.SECOND_PROBABILITY, *keys.TOGETHER]
    written += [keys.SHORT_TYPE, keys.PROBABILITIES, keys.RUN, keys.COLORS.format(column=keys.CELL_TYPE)]
    written += [*keys.GROUPED, keys.STATE]
    words = [key.format(key="spoticell") for key in written] + [*REASONS]
    words += allowed_types(annotation.bundle, tissue="lung").record()
    words += [*run_record(annotation), *annotation.findings.to_dict(), *summary_record(annotation)]
    assert [word for word in words if f"`{word}`" not in text] == []


def test_every_command_and_option_is_in_the_documentation():
    text = (DOCS / "cli.md").read_text()
    commands = {name: command for name, command in get_command(app).commands.items() if not command.hidden}
    assert [name for name in commands if f"## {name}" not in text] == []
    options = {option for command in commands.values() for parameter in command.params for option in parameter.opts}
    assert [
        option
        for option in sorted(options)
        if option.startswith("--") and f"`{option}" not in text and "_" not in option
    ] == []
