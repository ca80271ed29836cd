import os
import platform
from pathlib import Path

import numpy as np
import pytest

from spoticell.train.memory import kept_memory


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such setting")
def test_memory_of_a_training_goes_back_to_the_system_after_it():
    with kept_memory():
        resident = [resident_mb()]
        for _ in range(2):
            held = [np.ones(1 << 20) for _ in range(20)]
            del held
            resident.append(resident_mb())
    assert resident[1] > resident[0] + 100  # kept for what comes next
    assert resident[2] < resident[1] + 100  # and used for it
    assert resident_mb() < resident[0] + 100
