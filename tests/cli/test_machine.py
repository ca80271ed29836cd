"""What is told of a machine is true, and doesn't say whose it is."""

from importlib.metadata import PackageNotFoundError
from pathlib import Path

from spoticell.cli import machine


def test_a_folder_that_can_be_written_to_is_told_from_one_that_can_not(tmp_path, monkeypatch):
    found = machine.folder(tmp_path / "not" / "there" / "yet")
    assert found["writable"]
    assert found["free"] > 0
    assert list(tmp_path.iterdir()) == []

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    assert not machine.folder(tmp_path)["writable"]


def test_the_home_of_the_user_is_a_tilde():
    assert machine.without_home(Path.home() / "models" / "mine") == "~/models/mine"
    assert machine.without_home(Path("/data/cells")) == "/data/cells"


def test_memory_is_read_from_what_the_system_says(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal:  1024 kB\nMemAvailable:  512 kB\n")
    (tmp_path / "limit").write_text("4096\n")
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_LIMITS", (tmp_path / "limit", tmp_path / "none"))
    assert machine.memory() == {"total": 1 << 20, "free": 1 << 19, "allowed": 4096}
    monkeypatch.setattr(machine, "_MEMORY", tmp_path / "none")
    (tmp_path / "limit").write_text("max\n")
    assert [*machine.memory()] == ["total"]


def test_onnxruntime_of_a_graphics_card_stands_in_for_that_of_a_processor(monkeypatch):
    def version(name):
        if name != "onnxruntime-gpu":
            raise PackageNotFoundError(name)
        return "1.30"

    monkeypatch.setattr(machine, "version", version)
    assert machine.versions(("onnxruntime", "numpy")) == {"onnxruntime": "1.30", "numpy": None}


def test_the_processor_has_a_name():
    assert machine.processor()
