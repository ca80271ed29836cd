"""Chunks of a zarr store as they are fetched: tried again, bounded, and under safe names."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from zarr.core.buffer import default_buffer_prototype

from spoticell.errors import DownloadError, FileFormatError
from spoticell.io.address import Address
from spoticell.io.remote import chunks
from spoticell.io.remote.chunks import Chunks
from spoticell.io.remote.stores import may_pass


class BrokenError(Exception):
    """Named by its code, as libraries do it."""

    def __init__(self, status: int) -> None:
        super().__init__("https://host/?signature=s3cr3t")
        self.status = status


def chunks_of(folder: Path, *answers: Any, infos: dict[str, dict[str, int]] | None = None) -> Chunks:
    """Chunks from a library that gives these answers, one after the other."""
    left = list(answers)

    async def get_file(full: str, path: str) -> None:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        Path(path).write_bytes(answer)

    fs = SimpleNamespace(_get_file=get_file, loop=None)
    return Chunks(fs, Address("https://host/cells.zarr"), infos, folder)


@pytest.fixture(autouse=True)
def same_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks.asyncio, "run_coroutine_threadsafe", lambda work, loop: work)
    monkeypatch.setattr(chunks.asyncio, "wrap_future", lambda work: work)
    monkeypatch.setattr(chunks, "PAUSE", 0)


def bring(some: Chunks, key: str = "X/c/0") -> bool:
    return asyncio.run(some.bring(key))


def test_what_may_go_better_is_tried_again(tmp_path: Path) -> None:
    some = chunks_of(tmp_path, BrokenError(503), TimeoutError(), b"counts")
    assert bring(some)
    assert bring(some)
    assert (tmp_path / "X" / "c" / "0").read_bytes() == b"counts"
    assert some.n_fetched == 1


def test_what_stays_broken_is_told_without_secrets_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as error:
        bring(chunks_of(tmp_path, *[BrokenError(503)] * chunks.TRIES))
    assert str(error.value) == "https://host/cells.zarr/X/c/0 can't be read: its host answered 503."
    with pytest.raises(DownloadError, match="you lack the permission"):
        bring(chunks_of(tmp_path, BrokenError(403)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert not may_pass(BrokenError(403))


def test_what_isnt_there_is_asked_for_once(tmp_path: Path) -> None:
    some = chunks_of(tmp_path, FileNotFoundError())
    assert not bring(some)
    assert not bring(some)
    assert asyncio.run(some.get("X/c/0", default_buffer_prototype())) is None
    assert not asyncio.run(some.exists("X/c/0"))


@pytest.mark.parametrize("key", ["../evil", "a/../../evil", "/evil", "a//evil", "."])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    assert not bring(chunks_of(tmp_path / "in", b"evil"), key)
    assert not (tmp_path / "evil").exists()


def test_a_description_longer_than_any_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "MOST_METADATA", 3)
    with pytest.raises(FileFormatError, match="has 4 bytes, and 3 is the most"):
        bring(chunks_of(tmp_path, b"long"), "X/zarr.json")
    assert bring(chunks_of(tmp_path, b"long"))


def test_a_listed_store_says_what_it_holds(tmp_path: Path) -> None:
    some = chunks_of(tmp_path, b"{}", infos={"zarr.json": {"size": 2}, "X/c/0": {"size": 4}, "X/c/1": {"size": 4}})

    async def all_of(found: Any) -> list[Any]:
        return [name async for name in found]

    assert some.supports_listing
    assert not bring(some, "X/c/2")
    assert asyncio.run(all_of(some.list())) == ["zarr.json", "X/c/0", "X/c/1"]
    assert asyncio.run(all_of(some.list_prefix("X/"))) == ["X/c/0", "X/c/1"]
    assert asyncio.run(all_of(some.list_dir(""))) == ["zarr.json", "X"]
    assert asyncio.run(all_of(some.list_dir("X/c"))) == ["0", "1"]
    given = asyncio.run(some.get_partial_values(default_buffer_prototype(), [("zarr.json", None)]))
    assert given[0].to_bytes() == b"{}"
    many = asyncio.run(all_of(some._get_many([("zarr.json", default_buffer_prototype(), None)])))
    assert [(key, value.to_bytes()) for key, value in many] == [("zarr.json", b"{}")]


def test_an_object_that_was_listed_and_is_gone_or_another_is_refused(tmp_path: Path) -> None:
    infos = {"X/c/0": {"size": 4}}
    for answer in (FileNotFoundError(), b"longer"):
        with pytest.raises(DownloadError, match="changed while it was read"):
            bring(chunks_of(tmp_path, answer, infos=infos))
