import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spoticell.errors import SearchError, StoreError
from spoticell.io.sealed import FileRecord, Seal, alone, check_plain, format_of, record_of

SOURCE = Path(__file__).parents[2] / "src"
SEAL = Seal(
    SearchError,
    missing="{folder} lacks {name}.",
    resized="{path} has {found:,} bytes, not {stated:,}.",
    changed="{name} was changed.",
)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "cells.bin").write_bytes(b"x" * 2000)
    return tmp_path / "cells.bin"


def test_a_file_that_is_what_its_record_states_is_read(path):
    record = record_of(path)
    assert record.bytes == 2000
    SEAL.check_size(path, record)
    SEAL.check(path, record)
    assert SEAL.read(path, record) == path.read_bytes()


@pytest.mark.parametrize("use", [SEAL.check, SEAL.read])
def test_a_file_of_the_same_size_with_other_contents_is_refused(path, use):
    record = record_of(path)
    path.write_bytes(b"x" * 1999 + b"y")
    SEAL.check_size(path, record)
    with pytest.raises(SearchError, match=r"^cells.bin was changed\.$"):
        use(path, record)


@pytest.mark.parametrize("use", [SEAL.check_size, SEAL.check, SEAL.read])
def test_a_file_that_is_missing_or_of_another_size_is_refused_before_it_is_read(path, use, monkeypatch):
    record = record_of(path)
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", None)
    monkeypatch.setattr("hashlib.file_digest", None)
    with pytest.raises(SearchError) as caught:
        use(path, record)
    assert str(caught.value) == f"{path} has 1 bytes, not 2,000."
    path.unlink()
    with pytest.raises(SearchError) as caught:
        use(path, record)
    assert str(caught.value) == f"{path.parent} lacks cells.bin."


def test_braces_in_the_name_of_a_folder_are_left_as_they_are(tmp_path):
    with pytest.raises(SearchError, match=r"\{found\} lacks x"):
        SEAL.check(tmp_path / "{found}" / "x", FileRecord(sha256="0" * 64, bytes=1))


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/x", "a/x", "a\\x", "C:x", "a\0", 'a"', "list.json"])
def test_a_name_that_is_not_plain_is_refused(name):
    with pytest.raises(ValueError, match="not a plain file name"):
        check_plain(["genes.tsv", name], manifest="list.json")


@pytest.mark.parametrize("stated", ["1", "1.", ".1", "1.2.3", "new", 1.2j, None, "12345.0", "9" * 5000 + ".0"])
def test_what_is_no_format_is_none(stated):
    assert format_of({"format_version": stated}) is None


def test_who_comes_second_is_told_so_and_the_file_stays_as_it_is(path):
    with alone(path, StoreError("taken")) as file:
        with pytest.raises(StoreError, match=r"^taken$"):
            alone(path, StoreError("taken"))
        file.write(b"more")
    assert path.read_bytes() == b"x" * 2000 + b"more"
    alone(path, StoreError("taken")).close()
    assert path.read_bytes() == b"x" * 2000 + b"more"


def test_a_file_that_is_not_there_is_made_and_stays(tmp_path):
    alone(tmp_path / "lock", StoreError("taken")).close()
    assert [name.name for name in tmp_path.iterdir()] == ["lock"]


HOLDER = """
import sys, time
from pathlib import Path
from spoticell.errors import StoreError
from spoticell.io.sealed import alone
file = alone(Path(sys.argv[1]), StoreError("taken"))
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_lock_of_a_process_that_was_killed_ends_with_it(path):
    command = [sys.executable, "-c", HOLDER, str(path)]
    environment = os.environ | {"PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(StoreError, match="taken"):
                alone(path, StoreError("taken"))
        finally:
            holder.send_signal(signal.SIGKILL)
        holder.wait()
    alone(path, StoreError("taken")).close()
