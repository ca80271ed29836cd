"""The page's scripts as one text, for a file that has no server."""

from __future__ import annotations

import base64
import hashlib

import pytest

from spoticell.web import inlined
from spoticell.web.inlined import hash_of, module, needed, parts_of_page, scripts, static_text, styles
from spoticell.web.shared_template import MAP_SCRIPTS, SHEETS

TEXTS = {
    "js/a.js": (
        '// A\nimport * as b from "./b.js";\nimport { one, two as other } from "./c.js";\n'
        "export const a = b.x + one + other;\n"
    ),
    "js/b.js": ('import { one } from "./c.js";\nexport async function x() {\n  return one;\n}\nexport class Y {}\n'),
    "js/c.js": "export const one = 1;\nexport const two = 2;\n",
    "js/d.js": "export const one = 5;\nexport const notHeld = 0;\n",
    "js/egg.js": (
        'import { lay } from "./hen.js";\nexport const hatch = (x) => lay(x);\nexport const shell = "white";\n'
    ),
    "js/hen.js": 'import { hatch } from "./egg.js";\nexport function lay(x) {\n  return hatch(x);\n}\n',
    "js/alone.js": "document.title = 'x';\n",
}


@pytest.fixture
def made_up(monkeypatch):
    monkeypatch.setattr(inlined, "static_text", TEXTS.__getitem__)


@pytest.mark.usefixtures("made_up")
def test_modules_become_one_script_each_once_and_after_what_it_needs():
    text = module("a")
    places = [text.index(f"const {name}$ = (() => {{") for name in "cba"]
    assert places == sorted(places)
    assert text.count("const one = 1;") == 1
    assert "const b = b$;\nconst { one, two: other } = c$;\n" in text
    assert "return { x, Y };" in text
    assert "import" not in text
    assert "export" not in text


@pytest.mark.usefixtures("made_up")
def test_what_modules_need_is_named_once():
    assert needed("a", "c") == ["a", "c", "b"]
    assert needed("egg") == ["egg", "hen"]


@pytest.mark.usefixtures("made_up")
def test_one_module_stands_in_for_another():
    text = module("b", instead={"c": "d"})
    assert "const { one } = d$;" in text
    assert "c$" not in text
    assert "return { one, notHeld, two: notHeld };" in text, "what it lacks is refused"


@pytest.mark.usefixtures("made_up")
def test_a_module_that_gives_nothing_is_run_all_the_same():
    assert module("alone") == "\"use strict\";\nconst alone$ = (() => {\ndocument.title = 'x';\n})();\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('import "./c.js";', "can't be put into one script"),
        ("export default 1;", "can't be put into one script"),
        ("export let x = 1;", "can't be put into one script"),
        ('const late = () => import("./c.js");', "can't be put into one script"),
        ('import { shell } from "./odd.js";\nexport const shell = "white";', "more than functions: shell"),
        ('import * as all from "./odd.js";', "more than functions: all"),
    ],
)
def test_what_can_not_be_one_script_is_told(monkeypatch, line, words):
    monkeypatch.setattr(inlined, "static_text", (TEXTS | {"js/odd.js": f"{line}\n"}).__getitem__)
    with pytest.raises(ValueError, match=words):
        module("odd")


@pytest.mark.usefixtures("made_up")
def test_of_two_that_need_each_other_one_calls_the_other_late():
    text = module("egg")
    assert text.index("const hen$") < text.index("const egg$")
    assert "const hatch = (...all) => egg$.hatch(...all);" in text
    assert "const { lay } = hen$;" in text


def test_the_pages_own_files_are_read_whole():
    assert styles(["base", "map"]) == static_text("css/base.css") + static_text("css/map.css")
    assert scripts(["painter", "frame"]) == static_text("js/painter.js") + static_text("js/frame.js")


def test_no_script_or_style_of_a_shared_file_can_end_its_own_element():
    text = (
        module("shared", instead={"api": "shared_data", "reach": "shared_data"})
        + scripts(MAP_SCRIPTS)
        + styles([*SHEETS, "map"])
    )
    assert [end for end in ("</script", "</style", "<!--") if end in text.lower()] == []


def test_a_hash_is_that_of_the_bytes():
    assert hash_of("é") == f"'sha256-{base64.b64encode(hashlib.sha256('é'.encode()).digest()).decode()}'"


def test_what_the_page_and_a_shared_file_have_alike_is_written_once():
    page, shared = static_text("index.html"), static_text("shared.html")
    parts = parts_of_page()
    assert len(parts) == page.count("<!--/")
    for name, text in parts.items():
        assert f"[[{name}]]" in shared
        assert page.count(text) == 1
        assert text not in shared
