"""What a network runs on: the processor, or a graphics card through the CUDA provider of ONNX Runtime.

ONNX Runtime goes on with the processor where a card can't be had, and says so in its log only.  Here a card that was
asked for is used, or it is said why it can't be.
"""

from __future__ import annotations

from typing import Any

from spoticell.errors import ConfigError

CPU, CUDA = "cpu", "cuda"
PROVIDERS = {CPU: "CPUExecutionProvider", CUDA: "CUDAExecutionProvider"}
"""What ONNX Runtime calls each device."""
REMEDY = (
    "Install it: pip install '.[gpu]' in your clone, then pip uninstall -y onnxruntime onnxruntime-gpu and "
    "pip install 'onnxruntime-gpu[cuda,cudnn]', as the two can't lie side by side. Or take the device 'cpu'."
)


def provider_of(device: str) -> str:
    """Give what ONNX Runtime calls a device.

    Parameters
    ----------
    device
        ``"cpu"`` or ``"cuda"``.

    Raises
    ------
    ConfigError
        If there is no such device, or ONNX Runtime here can't use it.

    Examples
    --------
    >>> provider_of("cpu")
    'CPUExecutionProvider'
    """
    if device not in PROVIDERS:
        raise ConfigError(f"the device is {device!r}; it is {' or '.join(map(repr, PROVIDERS))}.")
    import onnxruntime  # noqa: PLC0415 - slow to load, and checks do without

    provider, there = PROVIDERS[device], onnxruntime.get_available_providers()
    if provider not in there:
        found = ", ".join(name.removesuffix("ExecutionProvider") for name in there)
        raise ConfigError(f"onnxruntime {onnxruntime.__version__} here has no CUDA provider; found {found}. {REMEDY}")
    return provider


def load_libraries(device: str) -> None:
    """Load the libraries of CUDA that pip installs, which ONNX Runtime doesn't look for by itself."""
    if device == CUDA:
        import onnxruntime  # noqa: PLC0415 - as above

        onnxruntime.preload_dlls()


def check_used(session: Any, device: str) -> None:  # noqa: ANN401 - of ONNX Runtime, which has no types
    """Refuse a network that was loaded for another device than the one asked for.

    Raises
    ------
    ConfigError
        If a graphics card was asked for and isn't used.
    """
    if PROVIDERS[device] not in session.get_providers():
        raise ConfigError(
            "onnxruntime has a CUDA provider but can't start it: the NVIDIA driver, CUDA or cuDNN are missing, or are "
            "of another version than it needs (https://onnxruntime.ai/docs/execution-providers/"
            "CUDA-ExecutionProvider.html). Mend that, or take the device 'cpu'."
        )
