"""However a command is told to end, it removes what is half done and says so in its exit code."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from spoticell.cli.ending import Ending

SOURCE = str(Path(__file__).parents[2] / "src")
WORKS = """
import signal, sys
from pathlib import Path
from spoticell.cli.console import prepare
# a shell that runs the tests in the background has interrupts ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
from spoticell.io.write import atomic
prepare()
try:
    with atomic(Path(sys.argv[1])) as passing:
        print("writing", flush=True)
        sys.stdin.read()
except KeyboardInterrupt:
    sys.exit(130)
"""


def works(path, *before):
    process = subprocess.Popen(
        [*before, sys.executable, "-c", WORKS, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": SOURCE},
    )
    assert process.stdout.readline() == b"writing\n"
    return process


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGQUIT", 131), ("SIGINT", 130)])
def test_a_signal_ends_a_command_cleanly(tmp_path, name, code):
    process = works(tmp_path / "out.csv")
    process.send_signal(getattr(signal, name))
    process.communicate(timeout=60)
    assert process.returncode == code
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_was_started_with_nohup_outlives_its_terminal(tmp_path):
    process = works(tmp_path / "out.csv", "nohup")
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.csv"]


def test_a_second_signal_does_not_disturb_the_tidying_up():
    now = [100.0]
    # not time.monotonic itself replaced: a server of other tests, in a thread of this process, would sleep for hours
    ending = Ending(clock=lambda: now[0])
    with pytest.raises(SystemExit) as ended:
        ending(signal.SIGTERM, None)
    assert ended.value.code == 143
    ending(signal.SIGINT, None)
    now[0] += 60
    with pytest.raises(KeyboardInterrupt):
        ending(signal.SIGINT, None)
