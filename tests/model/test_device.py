"""What runs the network.  No test has a graphics card: providers are made up, and a card's session runs on the CPU."""

import onnxruntime
import pytest

import spoticell
from spoticell.annotation.options import Options
from spoticell.errors import ConfigError
from spoticell.model import device
from spoticell.model.runtime import Runtime

BOTH = ["CUDAExecutionProvider", "CPUExecutionProvider"]


class Session:
    """A session that ONNX Runtime loads for a card, while another provider may be what it runs on."""

    asked = ()
    runs_on = BOTH

    def __init__(self, contents, options, *, providers, enable_fallback):
        assert not enable_fallback
        Session.asked = providers
        self._inner = type(self).real(contents, options, providers=["CPUExecutionProvider"])

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def get_providers(self):
        return self.runs_on


@pytest.fixture
def card(monkeypatch):
    """A machine whose ONNX Runtime knows CUDA."""
    loaded = []
    Session.real, Session.runs_on = onnxruntime.InferenceSession, BOTH
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: BOTH)
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: loaded.append(True))
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    return loaded


def test_a_network_is_loaded_for_the_card_that_is_asked_for(card, tiny_bundle, tiny_cells):
    named = spoticell.annotate(tiny_cells, model=tiny_bundle, device="cuda", threads=1, on_progress=False)
    assert Session.asked == ["CUDAExecutionProvider"]
    assert card
    assert named.options.device == "cuda"


def test_a_card_that_cannot_be_started_is_an_error_and_nothing_falls_back(card, tiny_bundle):
    Session.runs_on = ["CPUExecutionProvider"]
    with pytest.raises(ConfigError, match="can't start it: the NVIDIA driver, CUDA or cuDNN are missing"):
        Runtime(tiny_bundle, device="cuda")


def test_without_the_provider_it_is_said_what_was_found_and_what_to_install_before_cells_are_read(monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(ConfigError, match=r"has no CUDA provider; found CPU\. Install it: pip install '\.\[gpu\]'"):
        spoticell.annotate("no-such-file.h5ad", device="cuda")


def test_another_device_is_refused():
    with pytest.raises(ConfigError, match="the device is 'tpu'; it is 'cpu' or 'cuda'"):
        Options(device="tpu")


def test_the_processor_loads_no_library_of_a_card(card, tiny_bundle):
    Session.runs_on = ["CPUExecutionProvider"]
    Runtime(tiny_bundle)
    assert Session.asked == ["CPUExecutionProvider"]
    assert not card


def test_what_repeats_a_run_does_so_without_a_card(card, tiny_bundle):
    assert Options(tiny_bundle, device="cuda").settled().device == device.CPU
    assert "--device cuda" in Options(device="cuda").command("a.h5ad", "b.h5ad")
