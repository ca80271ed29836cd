"""The folder of the page in the browser alone: all files in it, relative addresses, and what is refused."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from spoticell.cli.app import app
from spoticell.errors import ConfigError, OutputError
from spoticell.model.windows import Windows
from spoticell.version import __version__
from spoticell.web import static_page
from spoticell.web.inlined import static_text
from spoticell.web.static_page import write_page

MOST_BYTES = 7_000_000


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static") / "page"
    write_page(folder, "human-v1")
    return folder


def listed(page: Path) -> dict[str, dict[str, str | int]]:
    return json.loads((page / "manifest.json").read_text())["files"]


def test_the_manifest_states_every_file(page: Path):
    there = {path.relative_to(page).as_posix() for path in page.rglob("*") if path.is_file()}
    assert there - set(listed(page)) == {"manifest.json", "sw.js", "README.txt"}
    for name, stated in listed(page).items():
        content = (page / name).read_bytes()
        unpacked = gzip.decompress(content) if name.endswith(".gz") else content
        assert stated == {
            "sha256": hashlib.sha256(content).hexdigest(),
            "unpacked": hashlib.sha256(unpacked).hexdigest(),
            "size": len(content),
        }


def test_what_is_loaded_before_the_first_name_is_at_most_seven_megabytes(page: Path):
    sizes = [int(stated["size"]) for name, stated in listed(page).items() if not name.startswith("demo/")]
    assert sum(sizes) < MOST_BYTES


def test_tables_are_those_of_the_package(page: Path):
    told = json.loads((page / "manifest.json").read_text())
    assert {"aliases.tsv", "genes.tsv", "model/model.onnx", "hdf5.wasm", "map.html"} <= set(told["tables"])
    data = Path(str(static_page.files("spoticell"))) / "data"
    for name in ("tissues.tsv", "cell_states.tsv"):
        assert gzip.decompress((page / told["tables"][name]).read_bytes()) == (data / name).read_bytes()
    assert told["info"]["version"] == __version__
    assert told["info"]["models"][0]["name"] == "human-v1"


def test_the_page_asks_for_nothing_outside_of_its_folder(page: Path):
    text = (page / "index.html").read_text()
    addresses = re.findall(r'(?:href|src)="([^"#]*)', text)
    assert addresses
    assert [address for address in addresses if address.startswith("/") or "://" in address] == []
    own = [address for address in addresses if address and not address.startswith(("data:", "./"))]
    assert all((page / address).is_file() for address in own)
    assert "default-src 'none'" in text.replace("&#x27;", "'")


def test_modules_import_only_what_the_folder_has(page: Path):
    scripts = {path.name: path.read_text() for path in (page / "js").iterdir()}
    needed = {other for text in scripts.values() for other in re.findall(r'(?:from |import\()"\./([^"]+)"', text)}
    assert needed <= set(scripts)
    assert not {"shared.js", "shared_data.js"} & set(scripts)


def test_both_ways_to_what_answers_have_the_same_exports():
    exports = [set(re.findall(r"^export (?:(?:async )?(?:function|const) |{ )(\w+)", static_text(name), re.MULTILINE))
               for name in ("js/reach.js", "alone/reach.js")]  # fmt: skip
    assert exports[0] == exports[1]


def test_the_same_package_writes_the_same_bytes(page: Path, tmp_path: Path):
    write_page(tmp_path / "again", "human-v1")
    assert {path.relative_to(page): path.read_bytes() for path in page.rglob("*") if path.is_file()} == {
        path.relative_to(tmp_path / "again"): path.read_bytes()
        for path in (tmp_path / "again").rglob("*")
        if path.is_file()
    }


def test_an_earlier_page_is_replaced_and_other_files_never(page: Path, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("words")
    with pytest.raises(OutputError, match="holds other files"):
        write_page(mine, "human-v1")
    assert (mine / "thesis.txt").read_text() == "words"
    with pytest.raises(OutputError, match="is a file"):
        write_page(mine / "thesis.txt", "human-v1")
    with pytest.raises(OutputError, match="does not exist"):
        write_page(tmp_path / "no" / "page", "human-v1")
    (tmp_path / "empty").mkdir()
    write_page(tmp_path / "empty", "human-v1")
    (tmp_path / "empty" / "old.txt").touch()
    write_page(tmp_path / "empty", "human-v1")
    assert not (tmp_path / "empty" / "old.txt").exists()


def test_a_model_that_the_browser_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    parted = static_page.part_graph

    def pictured(*given: Any, **more: Any) -> Any:
        return replace(parted(*given, **more), windows=Windows(np.zeros(1, np.intp), np.zeros(1, np.intp), (1, 1)))

    for stand_in, why in ((lambda *_, **__: None, "scales counts"), (pictured, "looks at the picture of each cell")):
        monkeypatch.setattr(static_page, "part_graph", stand_in)
        with pytest.raises(ConfigError, match=f"{why}.* the page alone can't compute. Give human-v1, or use spoticell"):
            write_page(tmp_path / "page", "human-v1")
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_what_it_wrote(tmp_path: Path):
    done = CliRunner().invoke(app, ["page", "-o", str(tmp_path / "page"), "--json", "--quiet"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["model"] == "human-v1"
    assert told["bytes_to_name"] < told["bytes"]
    assert CliRunner().invoke(app, ["page", "-o", str(tmp_path / "page")]).exit_code == 0
