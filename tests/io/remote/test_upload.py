"""Results put at an address: whole or not at all, and never over what is there unless that is allowed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.io.remote.conftest import Store

from spoticell.errors import OutputError
from spoticell.io.address import Address
from spoticell.io.remote import upload
from spoticell.io.remote.stores import file_system
from spoticell.io.write import atomic, check_output, write_csv

HERE = Address("s3://cells/out/table.csv")


def test_a_table_is_put_there_when_it_is_whole(store: Store) -> None:
    check_output(HERE)
    assert store.names() == store.unfinished() == []
    write_csv(HERE, [pd.DataFrame({"cell": ["a"]})], overwrite=False)
    assert store.get("out/table.csv") == b"cell\na\n"


def test_what_is_there_is_replaced_only_if_that_is_allowed(store: Store) -> None:
    store.client.put_object(Bucket="cells", Key="out/table.csv", Body=b"precious")
    with pytest.raises(OutputError, match=r"s3://cells/out/table.csv is there already\. .*--overwrite"):
        check_output(HERE)
    with pytest.raises(OutputError, match="came into being while this run was at work, and stays as it is"):
        write_csv(HERE, [pd.DataFrame({"cell": ["a"]})], overwrite=False)
    assert store.get("out/table.csv") == b"precious"
    check_output(HERE, overwrite=True)
    write_csv(HERE, [pd.DataFrame({"cell": ["a"]})], overwrite=True)
    assert store.get("out/table.csv") == b"cell\na\n"


def test_a_run_that_fails_puts_nothing_there(store: Store) -> None:
    passing: list[Path] = []

    def work() -> None:
        with atomic(HERE) as path:
            path.write_text("half an answ")
            passing.append(path)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert store.names() == []
    assert not passing[0].exists()


def test_an_upload_in_parts_that_fails_is_given_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs.core  # noqa: PLC0415 - of an extra

    monkeypatch.setattr(s3fs.core, "calculate_chunksize", lambda size, chunksize: 5 << 20)
    large = np.random.default_rng(0).bytes(11 << 20)
    with atomic(HERE, overwrite=False) as passing:
        passing.write_bytes(large)
    assert store.get("out/table.csv") == large

    async def fail(*_: Any, **__: Any) -> None:
        raise PermissionError("https://host/?signature=s3cr3t")

    monkeypatch.setattr(s3fs.core.S3FileSystem, "_upload_file_part_concurrent", fail)
    with pytest.raises(OutputError) as error, atomic(HERE) as passing:
        passing.write_bytes(large)
    assert str(error.value) == f"{HERE} can't be written: you lack the permission."
    assert store.get("out/table.csv") == large
    assert store.unfinished() == []


def test_what_cant_be_written_is_refused_before_any_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutputError, match=r"s3://nowhere/x.csv can't be written: there is no such bucket\."):
        check_output(Address("s3://nowhere/x.csv"))
    with pytest.raises(OutputError, match="web servers are only read"):
        check_output(Address("https://example.org/x.csv"))
    kind = type(file_system(HERE))
    asking = kind.call_s3

    def deny(self: object, method: str, **asked: Any) -> Any:
        if method == "create_multipart_upload":
            raise PermissionError(method)
        return asking(self, method, **asked)

    monkeypatch.setattr(kind, "call_s3", deny)
    with pytest.raises(OutputError, match="you lack the permission"):
        check_output(HERE)


def test_who_may_not_look_may_still_write(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(self: object, path: str, **_: Any) -> None:
        raise PermissionError(path)

    monkeypatch.setattr(type(file_system(HERE)), "info", deny)
    check_output(HERE)


def test_an_object_that_isnt_what_was_put_there_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fs = SimpleNamespace(put_file=lambda *_, **__: None, info=lambda _: {"size": 3})
    monkeypatch.setattr(upload, "file_system", lambda _: fs)
    with (
        pytest.raises(OutputError, match="was written by another process too: it has 3 bytes"),
        atomic(HERE) as passing,
    ):
        passing.write_text("four")


def test_a_google_store_is_asked_whether_there_is_an_object(monkeypatch: pytest.MonkeyPatch) -> None:
    there = Address("gs://cells/x.csv")
    monkeypatch.setattr(upload, "file_system", lambda _: SimpleNamespace(info=lambda _: {"type": "file"}))
    with pytest.raises(OutputError, match=r"gs://cells/x\.csv is there already"):
        check_output(there)
    check_output(there, overwrite=True)
