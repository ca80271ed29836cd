import json
from pathlib import Path

import pytest
from benchmarks.lib import saving
from benchmarks.speed import throughput
from benchmarks.speed.throughput import Cost, Kept, measured, table

NAMES = {"Spoticell": "small", throughput.COPIED: "small", "large": "large"}


@pytest.fixture
def peers(monkeypatch):
    """Two methods that cost nothing, one of which takes a MB for each cell; gives what is run."""
    ran = []

    def run(command):
        ran.append(command)
        name, size = command
        return Cost(wall=size / 100, processor=1.0, memory=size * 1.0 if name == "large" else 300.0)

    def command_of(name):
        return lambda cells, _: [name, int(cells.name.split(".")[0])]

    monkeypatch.setattr(throughput, "run", run)
    monkeypatch.setattr(throughput, "methods", lambda _: {name: command_of(run) for name, run in NAMES.items()})
    monkeypatch.setattr(throughput, "write_apart", lambda path, size, _: path.write_bytes(b"x" * size))
    return ran


def test_what_was_measured_is_not_measured_again(tmp_path, peers):
    first = measured([10, 20], None, tmp_path, runs=2)
    assert len(peers) == 2 * 2 * 2 + 2 * 2  # methods, sizes, runs; and what is done with the larger file alone
    assert measured([10, 20], None, tmp_path, runs=2) == first
    assert len(peers) == 12


def test_a_run_that_was_stopped_goes_on_with_the_next_turn(tmp_path, peers):
    Kept(tmp_path / "measured.json").add("large", 10, Cost(1, 1, 10))
    measured([10], None, tmp_path, runs=1)
    assert peers == [["small", 10]] * 3


def test_large_files_are_read_once(tmp_path, peers, monkeypatch):
    monkeypatch.setattr(throughput, "OFTEN", 10)
    measured([10, 20], None, tmp_path, runs=3)
    assert [size for _, size in peers].count(20) == 2


def test_what_would_not_fit_is_told_and_not_run(tmp_path, peers, monkeypatch):
    monkeypatch.setattr(throughput, "MEMORY", 25 * 2**20)
    found = measured([10, 20, 30], None, tmp_path, runs=1)
    assert found["large"][30] == "it would want 0 GB"
    assert ["large", 30] not in peers
    assert "| large | 30 | not run: it would want 0 GB | | | |" in table(found)


def test_what_would_take_too_long_is_told_and_not_run(tmp_path, peers, monkeypatch):
    monkeypatch.setattr(throughput, "OFTEN", 6000)
    found = measured([6000, 12000, 24000], None, tmp_path, runs=1, longest=150)
    assert found["Spoticell"][24000] == "it would take 4 minutes"
    assert ["small", 24000] not in peers
    assert isinstance(found["Spoticell"][12000], Cost)


def test_costs_are_guessed_from_two_smaller_files_only(tmp_path):
    kept = Kept(tmp_path / "measured.json")
    kept.add("one", 1000, Cost(1, 1, 300))
    assert kept.guess("one", 4000) is None
    kept.add("one", 2000, Cost(2, 1, 400))
    assert kept.guess("one", 4000) == pytest.approx((4, 1, 600))
    assert kept.guess("other", 4000) is None
    assert len(json.loads((tmp_path / "measured.json").read_text())) == 2


def test_results_name_no_place_on_a_machine(monkeypatch, tmp_path):
    monkeypatch.setattr(saving, "RESULTS", tmp_path)
    monkeypatch.setattr(
        saving.sys, "argv", [str(saving.ROOT / "benchmarks" / "speed" / "x.py"), "/some/files", "--n", "3"]
    )
    saving.save_result("name", "Title", ["line"])
    assert "`python -m benchmarks.speed.x FILES --n 3`" in Path(tmp_path / "name.md").read_text()
