"""A training takes the machine as it finds it."""

import pytest

torch = pytest.importorskip("torch", reason="training needs torch")

from spoticell.training import ranks  # noqa: E402


@pytest.mark.rows(57)
def test_a_machine_without_an_accelerator_trains_on_its_processor(monkeypatch):
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    alone = ranks.join_ranks()
    assert (alone.world, alone.device.type, alone.is_first) == (1, "cpu", True)
