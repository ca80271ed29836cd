"""What ``make demo`` ends with can be run as it stands."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CELLS = ROOT / "src" / "spoticell" / "web" / "demo_cells" / "pbmc68k_reduced.h5ad"


@pytest.mark.slow
def test_each_of_the_next_commands_runs_as_printed(tmp_path):
    demo = [sys.executable, str(ROOT / "scripts" / "demo.py"), str(CELLS), "demo"]
    said = subprocess.run(demo, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    lines = [line.strip() for line in said.partition("Next, ")[2].splitlines() if line.startswith("  ")]
    assert [line.split()[1] for line in lines] == ["check", "annotate", "evaluate"]
    for line in 2 * lines:
        done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"
