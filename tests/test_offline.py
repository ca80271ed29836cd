"""Nothing is sent anywhere and nothing is left behind, as seen from outside.

Libraries that aren't written in Python ask name servers too.  So processes are watched: everywhere for what lies in
their home and in their folder for temporary files when they have ended, and by strace, where it works, for calls to the
network.  Their environment is made here, because in many a service that runs tests ONNX Runtime reports nothing.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.conftest import tiny_adata

ROOT = Path(__file__).parents[1]

CALLS = "connect,sendto,sendmsg,sendmmsg"
ADDRESS = re.compile("sa_family=AF_INET|/systemd/resolve/")
"""What strace shows of a call to an address or for one; what goes over a connection that is there names nobody."""

OWN = re.compile(r"home/\.(?:cache|config)$|home/\.(?:cache|config)/matplotlib")
"""What training's libraries keep for themselves: an empty folder, a list of fonts.  None says whose machine it is."""

VERBS = """
import json, sys, time
from spoticell.cli.app import app
for words in json.loads(sys.argv[1]):
    try:
        app(words)
    except SystemExit as end:
        assert not end.code, words
assert "onnxruntime" in sys.modules
time.sleep(float(sys.argv[2]))
"""

CORE = """
check cells.h5ad -b tiny
annotate cells.h5ad -o named.csv -b tiny
annotate cells.h5ad -o named.h5ad -b tiny --report named.html
evaluate named.h5ad --truth-key cell_type_ontology_term_id
models
models info human-v1
prepare recipe.yaml -o store
annotate cells.h5ad -o matched.h5ad --index human-v1
index build cells.h5ad -o index -b tiny
index info index --check
search cells.h5ad -i index -b tiny -o hits.csv
"""
SHARED = """
models push tiny shelf
models list --from shelf
models pull tiny --from shelf
models info tiny
annotate cells.h5ad -o named.csv -m tiny
"""
LANCE = """
index build cells.h5ad -o index.lance -b tiny
index add index.lance more.h5ad -b tiny
index info index.lance --check
annotate cells.h5ad -o named.h5ad -b tiny --index index.lance
search cells.h5ad -i index.lance -b tiny -o hits.csv
"""
TRAIN = """
check cells.h5ad -b tiny
train --data-dir labelled --output-dir trained -c config.yaml
"""
CONFIG = """
network: {layout: random, stem_channels: 2, cell_token: 8, width: 16, heads: 2, fusion: [16, 16], fingerprint: 8}
batch_size: 8
cells_per_epoch: 16
epochs: 1
"""


def tracing() -> list[str]:
    """The words that put a command under strace, as far as it works here."""
    words = ["strace", "-f", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o"]
    if shutil.which("strace") is None:
        return []
    works = subprocess.run([*words, os.devnull, sys.executable, "-c", ""], capture_output=True, check=False)
    return words if works.returncode == 0 else []


class Watched:
    """A process with a home and a folder for temporary files of its own, both empty at first."""

    def __init__(self, folder: Path, tracer: list[str], *command: str, **environment: str) -> None:
        self.folder, self.trace = folder, folder / "trace"
        # a short path: processes that are split off meet at a socket in it, whose name has 108 bytes at most
        self.roots = {"home": folder / "home", "tmp": Path(tempfile.mkdtemp(prefix="quiet-"))}
        self.roots["home"].mkdir()
        self.process = subprocess.Popen(
            [*tracer, str(self.trace), sys.executable, *command] if tracer else [sys.executable, *command],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT / "src"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": str(self.roots["home"]),
                "TMPDIR": str(self.roots["tmp"]),
                "OMP_NUM_THREADS": "1",
                **environment,
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that Ctrl-C can be given to all of it
        )

    def end(self) -> str:
        """Wait until it ends, and give what it said."""
        said = self.process.communicate(timeout=200)[1]
        assert self.process.returncode in (0, 130), said
        return said

    def left(self) -> list[str]:
        """Paths of what lies in its two folders, but `OWN`."""
        paths = [f"{name}/{path.relative_to(root)}" for name, root in self.roots.items() for path in root.rglob("*")]
        return [name for name in sorted(paths) if not OWN.match(name)]

    def calls(self) -> list[str]:
        """Each call to an address of the internet, this machine's own too: name servers may have one."""
        lines = self.trace.read_text(errors="replace").splitlines() if self.trace.exists() else []
        return [line for line in lines if ADDRESS.search(line)]


@pytest.fixture(scope="session")
def traced() -> list[str]:
    """What `tracing` gives."""
    return tracing()


@pytest.fixture
def watch(tmp_path: Path, traced: list[str], tiny_bundle_folder: Path):
    """Starts a process beside the tiny bundle and files of cells."""
    tiny_adata().write_h5ad(tmp_path / "cells.h5ad")
    (tmp_path / "recipe.yaml").write_text("name: mine\nsources: [{file: cells.h5ad}]\n")
    (tmp_path / "tiny").symlink_to(tiny_bundle_folder)
    started = []

    def start(*command: str, **environment: str) -> Watched:
        started.append(Watched(tmp_path, traced, *command, **environment))
        return started[-1]

    yield start
    for watched in started:
        if watched.process.poll() is None:
            os.killpg(watched.process.pid, signal.SIGKILL)
            watched.process.communicate()
        shutil.rmtree(watched.roots["tmp"], ignore_errors=True)


def verbs(lines: str, *, wait: float = 0) -> tuple[str, ...]:
    """A process that goes through lines of commands, and stays for some seconds."""
    return "-c", VERBS, json.dumps([line.split() for line in lines.strip().splitlines()]), str(wait)


def assert_quiet(watched: Watched) -> None:
    assert {"left": watched.left(), "called": watched.calls()} == {"left": [], "called": []}


def test_calls_of_native_code_are_seen(watch, traced: list[str]) -> None:
    if not traced:
        pytest.skip("strace, which sees calls to the network, is not installed or may not look at processes")
    # nothing is sent when a datagram's way is laid
    program = "import socket; socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 53))"
    watched = watch("-c", program)
    watched.end()
    assert len(watched.calls()) == 1


def test_what_a_library_leaves_is_seen(watch) -> None:
    watched = watch("-c", "import onnxruntime")
    watched.end()
    if not watched.left():
        pytest.skip("this build of ONNX Runtime leaves nothing by itself")
    assert any("deviceid" in path for path in watched.left())


@pytest.mark.skipif(find_spec("faiss") is None, reason="searching needs faiss: pip install '.[search]'")
def test_the_commands_are_quiet(watch) -> None:
    watched = watch(*verbs(CORE))
    watched.end()
    assert_quiet(watched)
    assert (watched.folder / "hits.csv").is_file()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("lancedb") is None, reason="needs LanceDB: pip install '.[lance]'")
def test_the_commands_are_quiet_with_a_lance_database(watch, tmp_path: Path) -> None:
    tiny_adata(seed=1).write_h5ad(tmp_path / "more.h5ad")
    watched = watch(*verbs(LANCE))
    watched.end()
    assert_quiet(watched)


def test_a_folder_is_pulled_from_and_a_pulled_model_used_without_a_call(watch, tmp_path: Path) -> None:
    watched = watch(*verbs(SHARED), SPOTICELL_MODELS=str(tmp_path / "models"))
    watched.end()
    assert_quiet(watched)
    assert list(tmp_path.glob("models/tiny/*/model.onnx"))


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="training needs torch: pip install '.[train]'")
def test_training_is_quiet_and_stays_so(watch, tmp_path: Path) -> None:
    (tmp_path / "labelled").mkdir()
    for seed in range(2):
        tiny_adata(seed=seed).write_h5ad(tmp_path / "labelled" / f"{seed}.h5ad")
    (tmp_path / "config.yaml").write_text(CONFIG)
    # ONNX Runtime asks for its host nine seconds after it was loaded, which no other of these processes reaches
    watched = watch(*verbs(TRAIN, wait=5))
    watched.end()
    assert_quiet(watched)


NOTEBOOK = """
import spoticell
import onnxruntime
spoticell.annotate("cells.h5ad", "named.h5ad", model="tiny")
"""


def test_a_notebook_is_quiet_whatever_its_environment_says_and_whoever_loads_the_library_later(watch) -> None:
    watched = watch("-c", NOTEBOOK, ORT_DISABLE_TELEMETRY="0")
    watched.end()
    assert_quiet(watched)


def test_a_library_that_was_loaded_before_is_asked_to_report_no_more() -> None:
    program = (
        "import onnxruntime; asked = []; onnxruntime.disable_telemetry_events = lambda: asked.append(1)\n"
        "import spoticell.model.runtime; assert asked\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "ORT_DISABLE_TELEMETRY": "1"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)


def test_the_page_and_its_workers_are_quiet(watch, tmp_path: Path) -> None:
    pytest.importorskip("fastapi", reason="the page needs FastAPI: pip install '.[web]'")
    httpx = pytest.importorskip("httpx")
    from tests.web.conftest import done  # noqa: PLC0415 - needs FastAPI

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ("--no-browser", "--port", str(port), "--data-dir", "state", "--bundle", "tiny")
    # an invitation to FastAPI to tell of each request
    environment = {"FASTAPI_OTEL_AUTO_CONFIGURE": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://192.0.2.1:4318"}
    watched = watch("-m", "spoticell", "serve", *options, **environment)
    assert "serving at" in (first := watched.process.stderr.readline()), first
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        done(client, (tmp_path / "cells.h5ad").read_bytes())
    os.killpg(watched.process.pid, signal.SIGINT)
    assert "telemetry" not in watched.end()
    assert_quiet(watched)
    assert list((tmp_path / "state").rglob(".*")) == []


def test_only_the_package_loads_onnx_runtime() -> None:
    folders = ("benchmarks", "examples", "scripts", ".ci")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    loading = [path.name for path in files if re.search(r"^\s*(?:import|from) onnxruntime", path.read_text(), re.M)]
    assert loading == [], "ONNX Runtime must be loaded after spoticell, by spoticell"
