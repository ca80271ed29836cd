"""A signal that comes while an HDF5 file is written waits: raised there, it would crash the process."""

import signal
from contextlib import ExitStack

import h5py
import numpy as np
import pytest

from spoticell.io.disk import Disk, hdf5_on_disk
from spoticell.io.signals import undisturbed


def test_a_signal_waits_for_the_end_of_a_write(tmp_path, monkeypatch):
    signalled, write = [], Disk.write

    def signal_and_write(self, data):
        if not signalled:
            signalled.append(signal.raise_signal(signal.SIGINT))
        return write(self, data)

    monkeypatch.setattr(Disk, "write", signal_and_write)
    (tmp_path / "cells.h5").touch()
    with hdf5_on_disk(tmp_path / "cells.h5", "w") as (file, _):
        write_more = ExitStack()
        write_more.enter_context(undisturbed())
        file["a"] = np.arange(100_000)
        file.flush()
        with pytest.raises(KeyboardInterrupt):
            write_more.close()
    assert signalled
    with h5py.File(tmp_path / "cells.h5") as file:
        assert file["a"].shape == (100_000,)
