import json
import platform
import subprocess
import sys

import pytest

HELD = """
import json, os
from pathlib import Path
import numpy as np
from spoticell.io.heap import kept_memory

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

with kept_memory():
    resident = [resident_mb()]
    for _ in range(2):
        held = [np.ones(1 << 20) for _ in range(20)]
        del held
        resident.append(resident_mb())
print(json.dumps([*resident, resident_mb()]))
"""
"""Run in a process of its own: another test may have left free memory."""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_memory_of_a_training_goes_back_to_the_system_after_it():
    ran = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True)
    before, first, second, after = json.loads(ran.stdout)
    assert first > before + 100  # kept for what comes next
    assert second < first + 100  # and used for it
    assert after < before + 100
