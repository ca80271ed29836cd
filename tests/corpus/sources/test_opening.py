from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import anndata
import pytest

from spoticell.corpus.recipe.recipe import load_recipe
from spoticell.corpus.sources.census import CensusCells
from spoticell.corpus.sources.opening import open_sources
from spoticell.corpus.sources.soma import ExperimentCells
from spoticell.errors import ConfigError, DownloadError

SHA256 = "0" * 64


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def opened(folder: Path, sources: str, **options: object) -> list:
    path = folder / "recipe.yaml"
    path.write_text(f"name: mine\nsources:\n{sources}", encoding="utf-8")
    return open_sources(load_recipe(path), downloads=folder / "downloads", **options)


@pytest.fixture
def cells(tmp_path: Path, tiny_cells: anndata.AnnData) -> Path:
    folder = tmp_path / "cells"
    folder.mkdir()
    for name in ("b", "a", ".hidden"):
        tiny_cells.write_h5ad(folder / f"{name}.h5ad")
    return tmp_path


def test_a_pattern_gives_a_source_a_file_in_order_of_names(cells: Path) -> None:
    assert [one.name for one in opened(cells, "  - file: cells/*.h5ad\n")] == ["a", "b"]
    assert [one.name for one in opened(cells, "  - {file: cells/*.h5ad, name: x}\n")] == ["x-a", "x-b"]


def test_a_single_file_is_called_as_the_recipe_says(cells: Path) -> None:
    assert [one.name for one in opened(cells, "  - {file: cells/a.h5ad, name: x}\n")] == ["x"]


def test_a_file_that_is_not_there_is_refused(cells: Path) -> None:
    with pytest.raises(ConfigError, match=r"names 'cells/\*.loom', but there is no such file"):
        opened(cells, "  - file: cells/*.loom\n")


def test_two_sources_of_one_name_are_refused(cells: Path) -> None:
    with pytest.raises(ConfigError, match="Two sources of the recipe mine are called 'a'"):
        opened(cells, "  - file: cells/*.h5ad\n  - file: cells/a.h5ad\n")


def test_experiments_and_the_census_are_opened_when_they_are_read(tmp_path: Path) -> None:
    soma, census = opened(tmp_path, "  - soma: folder/pbmc\n  - census: 2025-11-08\n")
    assert isinstance(soma, ExperimentCells)
    assert isinstance(census, CensusCells)
    assert (soma.name, census.name) == ("pbmc", "census-2025-11-08")


def test_an_address_is_fetched_beside_the_store_and_knows_how_many_cells_it_has(tmp_path: Path) -> None:
    (one,) = opened(tmp_path, "  - {url: 'https://example.org/x/liver.h5ad', cells: 70}\n")
    assert (one.name, one.is_here, one.cells_stated) == ("liver", False, 70)
    assert one.path == tmp_path / "downloads" / "liver.h5ad"


def test_a_folder_stands_in_for_a_host(cells: Path) -> None:
    (one,) = opened(cells, "  - url: https://example.org/x/a.h5ad\n", stand_in=str(cells / "cells"))
    assert one.is_here
    assert len(one.table()) == 31
    with pytest.raises(ConfigError, match=r"has no file c\.h5ad, which stands in for https://example\.org"):
        opened(cells, "  - url: https://example.org/x/c.h5ad\n", stand_in=str(cells / "cells"))


def test_a_file_that_is_not_the_one_of_the_recipe_is_refused_before_its_counts_are_read(cells: Path) -> None:
    source = f"  - {{url: 'https://example.org/x/a.h5ad', sha256: '{SHA256}'}}\n"
    (one,) = opened(cells, source, stand_in=str(cells / "cells"))
    with pytest.raises(DownloadError, match=f"isn't the file that is needed: its sha256 is .*, not {SHA256}"):
        next(one.blocks(one.table()))


def test_a_file_that_changed_since_it_was_fetched_is_refused(cells: Path) -> None:
    (cells / "cells" / "a.h5ad.json").write_text(f'{{"sha256": "{SHA256}"}}')
    (one,) = opened(cells, "  - url: https://example.org/x/a.h5ad\n", stand_in=str(cells / "cells"))
    with pytest.raises(DownloadError, match="isn't the file that is needed"):
        next(one.blocks(one.table()))


def test_the_hash_of_the_recipe_goes_before_that_of_the_transfer(cells: Path) -> None:
    (plain,) = opened(cells, "  - url: https://example.org/x/a.h5ad\n", stand_in=str(cells / "cells"))
    digest = plain.identity["sha256"]
    (cells / "cells" / "a.h5ad.json").write_text(f'{{"sha256": "{SHA256}"}}')
    source = f"  - {{url: 'https://example.org/x/a.h5ad', sha256: {digest}}}\n"
    (one,) = opened(cells, source, stand_in=str(cells / "cells"))
    assert len(next(one.blocks(one.table()))) == 30
    assert one.facts()["url"] == "https://example.org/x/a.h5ad"


def test_an_address_stands_in_for_a_host_and_the_file_stays_for_the_next_run(cells: Path) -> None:
    handler = partial(QuietHandler, directory=str(cells / "cells"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/"
        (one,) = opened(cells, "  - url: https://example.org/x/a.h5ad\n", stand_in=address)
        one.fetch()
        server.shutdown()
    assert one.is_here
    one.fetch()
    assert len(next(one.blocks(one.table()))) == 30
    assert one.facts()["url"] == "https://example.org/x/a.h5ad"
