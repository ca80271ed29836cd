"""The command that starts the server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from spoticell.cli.app import app
from spoticell.web import serve
from spoticell.web.settings import GIB, default_data_dir

OPTIONS = {
    "host": "127.0.0.1",
    "data_dir": None,
    "workers": 1,
    "keep": 24,
    "token": None,
    "no_token": False,
    "allow_host": (),
    "bundles": (),
    "index": None,
    "markers": None,
    "max_file": 2,
    "max_cells": 1000,
    "memory": 8,
    "disk": 50,
}


def settings(**changes):
    return serve.settings_of(**OPTIONS | changes)


def test_strangers_are_let_in_on_purpose_only():
    with pytest.raises(serve.ConfigError, match="--no-token"):
        settings(host="0.0.0.0")
    assert settings(host="0.0.0.0", no_token=True).token is None
    assert settings(host="0.0.0.0", token="long enough").token == "long enough"
    assert settings(host="::1").token is None


def test_small_answers_go_at_once():
    with serve._listen("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        taken, _ = listening.accept()
        with taken:
            # asyncio goes by it
            assert taken.proto == socket.IPPROTO_TCP


def test_a_short_token_is_refused():
    with pytest.raises(serve.ConfigError, match="8 characters"):
        settings(token="short")


def test_the_server_answers_to_the_names_it_is_given():
    assert settings(host="0.0.0.0", no_token=True, allow_host=["Lab.example.org"]).hosts[3:] == ("lab.example.org",)
    assert "0.0.0.0" not in settings(host="0.0.0.0", no_token=True).hosts
    assert "10.0.0.7" in settings(host="10.0.0.7", no_token=True).hosts


def test_sizes_are_in_gib():
    assert settings(max_file=0.5).limits.file_bytes == GIB // 2


def test_results_are_kept_in_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "spoticell" / "web"
    assert settings().data_dir == default_data_dir()


def test_a_port_in_use_is_said_in_one_line(tmp_path, tiny_bundle_folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = [
            "--port",
            str(port),
            "--no-browser",
            "--data-dir",
            str(tmp_path),
            "--bundle",
            str(tiny_bundle_folder),
        ]
        outcome = CliRunner().invoke(app, ["serve", *options])
    assert outcome.exit_code == 1
    assert f"can't listen at 127.0.0.1, port {port}" in outcome.stderr


def test_without_the_extra_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    outcome = CliRunner().invoke(app, ["serve"])
    assert (outcome.exit_code, "pip install '.[web]'" in outcome.stderr) == (1, True)


def test_the_command_serves_until_it_is_ended(tmp_path, tiny_bundle_folder, tiny_file):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "spoticell", "serve", "--no-browser", "--port", str(port), "--data-dir"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "state"), "--bundle", str(tiny_bundle_folder), "--token", "long enough"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr.readline() == f"spoticell: serving at http://127.0.0.1:{port}/; Ctrl-C ends it\n"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            assert client.get("/api/info").status_code == 401
        example = Path(__file__).parents[2] / "examples" / "web_client.py"
        (tmp_path / "cells.h5ad").write_bytes(tiny_file)
        ran = subprocess.run(
            [sys.executable, str(example), f"http://127.0.0.1:{port}", "cells.h5ad", "long enough"],
            cwd=tmp_path,
            env=os.environ | {"NO_PROXY": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "B cell" in ran.stdout
        assert (tmp_path / "types.csv").read_text().count("\n") == 32
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert process.returncode == 130
    assert "cells.h5ad" not in said
    assert "Warning" not in said
    assert "Traceback" not in said


def test_a_closed_terminal_ends_the_server_in_order(tmp_path, tiny_bundle_folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "spoticell", "serve", "--no-browser", "--port", str(port), "--data-dir"]
    process = subprocess.Popen(
        [*command, str(tmp_path / "state"), "--bundle", str(tiny_bundle_folder)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr.readline().startswith("spoticell: serving")
        process.send_signal(signal.SIGHUP)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert (process.returncode, said) == (129, "")
