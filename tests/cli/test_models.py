"""What ``spoticell models`` prints, and that names of pulled models are taken everywhere."""

from __future__ import annotations

import json
import socket

import pytest
from tests.cli.test_app import assert_refused, run

from spoticell.model.push import push_model


@pytest.fixture
def models(tmp_path, monkeypatch):
    monkeypatch.setenv("SPOTICELL_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def shelf(models, tmp_path, tiny_bundle_folder):
    push_model(tiny_bundle_folder, tmp_path / "shelf")
    return tmp_path / "shelf"


def test_a_model_is_pushed_pulled_listed_shown_and_used(models, tmp_path, tiny_bundle, tiny_bundle_folder, tiny_h5ad):
    revision, shelf = tiny_bundle.sha256[:12], tmp_path / "shelf"
    pushed = run("models", "push", tiny_bundle_folder, shelf)
    assert f"tiny (6 types, 200 genes, revision {revision}) is offered now in {shelf}" in pushed.stderr
    assert "was offered already" in run("models", "push", tiny_bundle_folder, shelf).stderr
    offered = run("models", "list", "--from", shelf).stdout
    assert f"offered by {shelf}" in offered
    assert "human-v1" in offered
    pulled = run("models", "pull", "tiny", "--from", shelf)
    assert (pulled.exit_code, pulled.stdout) == (0, "")
    assert f"Use it with --model tiny@{revision}" in pulled.stderr
    assert ["tiny", revision, "2026-01-01"] in [line.split()[:3] for line in run("models").stdout.splitlines()]
    shown = run("models", "info", f"tiny@{revision}").stdout
    for text in ("6 labels", f"revision     {revision}", f"pulled from  {shelf}", "format 1.4", tiny_bundle.sha256):
        assert text in shown
    named = run("annotate", tiny_h5ad, "-o", tmp_path / "named.csv", "--model", "tiny", "--json", "-q")
    assert json.loads(named.stdout)["bundle"]["sha256"] == tiny_bundle.sha256


def test_programs_get_the_same_as_json(models, shelf, tiny_bundle, tiny_bundle_folder):
    revision = tiny_bundle.sha256[:12]
    pushed = json.loads(run("models", "push", tiny_bundle_folder, shelf, "--json").stdout)
    assert (pushed["new"], pushed["revision"], pushed["place"]) == (False, revision, str(shelf))
    pulled = run("models", "pull", "tiny", "--from", shelf, "--revision", revision[:8], "--json")
    assert pulled.stderr == ""
    assert json.loads(pulled.stdout)["path"] == str(models / "tiny" / revision)
    listed = json.loads(run("models", "list", "--from", shelf, "--json").stdout)
    assert [(row["called"], row["where"]) for row in listed] == [
        ("human-v1", "shipped"),
        ("human-v1-dual", "shipped"),
        ("tiny", f"pulled from {shelf}"),
        ("tiny", f"offered by {shelf}"),
    ]
    assert {"sha256", "types", "genes", "bytes", "licence"} <= set(listed[0])
    shown = json.loads(run("models", "info", "tiny", "--json").stdout)
    assert (shown["revision"], shown["from"]) == (revision, str(shelf))
    assert json.loads(run("models", "info", "human-v1", "--json").stdout)["from"] == ""


def test_a_model_is_pushed_under_another_name(shelf, tiny_bundle_folder):
    assert "blood (6 types" in run("models", "push", tiny_bundle_folder, shelf, "--name", "blood").stderr
    assert run("models", "pull", "blood", "--from", shelf).exit_code == 0


def test_quiet_is_silent(shelf, tiny_bundle_folder):
    for words in (("push", tiny_bundle_folder, shelf), ("pull", "tiny", "--from", shelf)):
        result = run("models", *words, "-q")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_earlier_revisions_are_listed_by_name_and_revision(models, shelf, tmp_path, tiny_bundle, tiny_bundle_folder):
    newer = tmp_path / "newer"
    newer.mkdir()
    for path in tiny_bundle_folder.iterdir():
        (newer / path.name).write_bytes(path.read_bytes().replace(b"2026-01-01", b"2026-02-02"))
    push_model(newer, shelf)
    listed = json.loads(run("models", "list", "--from", shelf, "--json").stdout)
    assert [row["called"] for row in listed] == [
        "human-v1",
        "human-v1-dual",
        f"tiny@{tiny_bundle.sha256[:12]}",
        "tiny",
    ]


def test_what_is_not_offered_is_one_line(shelf):
    assert_refused(run("models", "pull", "tyni", "--from", shelf), "the nearest that it offers is 'tiny'")


def test_a_pull_needs_a_catalogue():
    assert run("models", "pull", "tiny").exit_code == 2


@pytest.mark.parametrize("command", ["list", "info", "pull", "push"])
def test_the_help_of_every_command_has_an_example(command):
    assert f"Example: spoticell models {command}" in run("models", command, "--help").stdout


def test_the_older_name_of_the_command_is_understood_and_not_shown():
    assert "human-v1" in run("bundles").stdout
    assert "bundles" not in run("--help").stdout


@pytest.mark.parametrize(("words", "told"), [((), 3), (("--json",), 0), (("-q",), 0)])
def test_how_often_a_server_was_asked_is_for_people_only(models, monkeypatch, caplog, words, told):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"http://127.0.0.1:{free.getsockname()[1]}"  # nobody listens there
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("spoticell.io.download.time.sleep", lambda seconds: None)
    refused = run("models", "pull", "tiny", "--from", place, *words)
    assert_refused(refused, "the server can't be reached")
    assert sum("trying again" in record.getMessage() for record in caplog.records) == told
