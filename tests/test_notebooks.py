"""The lessons: their code runs, and what they show is what it does."""

import base64
import json
import re
import runpy
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from scripts.notebooks import code_sha256

FOLDER = Path(__file__).parents[1] / "docs" / "notebooks"
LESSONS = sorted(FOLDER.glob("*.ipynb"))
LARGEST = 700_000
SMALL = {'"epochs": 4': '"epochs": 1', '"cells_per_epoch": 1024': '"cells_per_epoch": 256'}
"""What is made less, so that a training takes seconds."""


def cells_of(lesson, kind):
    return [cell for cell in json.loads(lesson.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def outputs_of(lesson):
    return [output for cell in cells_of(lesson, "code") for output in cell["outputs"]]


def n_pictures(lesson):
    return sum("image/png" in output.get("data", {}) for output in outputs_of(lesson))


def test_there_are_four_lessons():
    assert [lesson.name[0] for lesson in LESSONS] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    "lesson",
    # the first shows on every run that lessons can be run
    [LESSONS[0], *(pytest.param(lesson, marks=pytest.mark.slow) for lesson in LESSONS[1:])],
    ids=lambda lesson: lesson.stem,
)
def test_a_lesson_runs_from_top_to_bottom_on_the_cells_that_travel_with_the_package(lesson, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(plt, "show", lambda: (drawn.append(plt.gcf()), plt.close("all")))
    monkeypatch.delenv("SPOTICELL_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    code = "\n\n".join("".join(cell["source"]) for cell in cells_of(lesson, "code"))
    for setting, less in SMALL.items():
        assert setting in code or lesson.name[0] != "4"
        code = code.replace(setting, less)
    (tmp_path / "lesson.py").write_text(code, encoding="utf-8")
    with mpl.rc_context({"backend": "agg"}):
        runpy.run_path("lesson.py")
    assert len(drawn) == n_pictures(lesson)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_what_a_lesson_shows_is_what_its_code_does(lesson):
    book = json.loads(lesson.read_text(encoding="utf-8"))
    for cell in book["cells"]:
        cell["source"] = "".join(cell["source"])
    assert book["metadata"]["run"]["code_sha256"] == code_sha256(book), "run scripts/notebooks.py"
    assert [cell["execution_count"] for cell in cells_of(lesson, "code")] == list(
        range(1, 1 + len(cells_of(lesson, "code")))
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_has_pictures_and_shows_no_warning_no_bar_and_nothing_of_a_machine(lesson):
    kinds = {output["output_type"] for output in outputs_of(lesson)}
    assert kinds <= {"execute_result", "display_data", "stream"}
    assert {output["name"] for output in outputs_of(lesson) if output["output_type"] == "stream"} <= {"stdout"}
    assert n_pictures(lesson) >= 3
    assert re.findall(r"/tmp/|/work/|/home/|/Users/|widget", lesson.read_text(encoding="utf-8")) == []
    assert lesson.stat().st_size < LARGEST


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_the_pictures_of_a_lesson_are_pngs(lesson):
    pictures = [output["data"]["image/png"] for output in outputs_of(lesson) if "image/png" in output.get("data", {})]
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_a_lesson_begins_with_its_title_and_ends_with_what_to_try_next(lesson):
    texts = ["".join(cell["source"]) for cell in cells_of(lesson, "markdown")]
    assert texts[0].startswith(f"# {lesson.name[0]}. ")
    assert "## What to try next" in texts[-1]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_links_of_a_lesson_lead_somewhere(lesson):
    links = re.findall(r"\]\(([^)#\s]+)", "\n".join("".join(cell["source"]) for cell in cells_of(lesson, "markdown")))
    assert [link for link in links if "://" not in link and not (FOLDER / link).exists()] == []
