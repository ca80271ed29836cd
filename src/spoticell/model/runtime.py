"""Running a bundle's network: aligned counts in, fingerprints, node probabilities and familiarity out.

Normalisation, layout and temperature are inside the network, so this module only cuts cells
into batches.  Which probability becomes an answer is decided in ``annotation.decision``.
Axes: ``n`` cells, ``g`` the bundle's genes, ``d`` fingerprint, ``m`` ontology nodes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from spoticell.errors import BundleError, ConfigError
from spoticell.model.bundle import Bundle
from spoticell.model.graph import check_graph
from spoticell.model.manifest import MODEL
from spoticell.model.patience import within

if TYPE_CHECKING:
    from scipy import sparse

# Whoever loaded ONNX Runtime before Spoticell has it reporting: this keeps at least errors and runs out of the reports.
onnxruntime.disable_telemetry_events()

BATCH = 64
"""Cells that are dense at once, 5 MB at 20,000 genes: larger batches outgrow the processor's cache and are slower."""

LONGEST = 60.0
"""Seconds that loading a network and its first run may take; the largest takes one or two."""
MEMORY = 1 << 30
"""Bytes that all networks of the process may take at once, weights and all that they compute."""
FATAL = 4
"""ONNX Runtime writes nothing less to stderr: what else goes wrong it raises, and we say it."""

INPUTS = ("counts_ng", "measured_g")
OUTPUTS = ("fingerprint_nd", "probabilities_nm")
FAMILIARITY = "familiarity_n"
"""An output that bundles before format 1.2 lack."""


@dataclass(frozen=True)
class Prediction:
    """What the network says of ``n`` cells."""

    fingerprint_nd: NDArray[np.float32]
    probabilities_nm: NDArray[np.float32]
    familiarity_n: NDArray[np.float32] | None = None
    """Logarithm of how much speaks for all labels together; None where the bundle doesn't say."""
    n_measured: int = 0
    """Known genes that are measured in the cells."""


class Runtime:
    """A bundle's network, ready to run on the processor.

    Parameters
    ----------
    bundle
        Whose network.
    threads
        How many threads one run may use; all cores that the process may use if not given.

    Raises
    ------
    BundleError
        If the network can't be loaded or has other inputs and outputs than the manifest says.
    ConfigError
        If ``threads`` is less than one.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.bundle = bundle
        self.threads = available_cores() if threads is None else threads
        if self.threads < 1:
            raise ConfigError(f"threads is {threads}; at least 1 is needed.")
        self._session = _open_session(bundle, self.threads)
        _check_shapes(self._session, bundle)
        says_familiarity = any(output.name == FAMILIARITY for output in self._session.get_outputs())
        self._outputs = (*OUTPUTS, FAMILIARITY) if says_familiarity else OUTPUTS
        self._try_out()

    def predict(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> Prediction:
        """Give fingerprint, node probabilities and familiarity of each cell.

        The fingerprint of a cell without counts is zero.

        Parameters
        ----------
        counts_ng
            Counts in the order of the bundle's genes, zero where a gene wasn't measured.
        measured_g
            Which of the bundle's genes were measured at all.

        Raises
        ------
        BundleError
            If the network gives anything but finite numbers.
        """
        n_genes = counts_ng.shape[1]
        if n_genes != self.bundle.manifest.n_genes:
            raise ValueError(
                f"counts have {n_genes} genes; the bundle {self.bundle.name} has {self.bundle.manifest.n_genes}"
            )
        empty_n = counts_ng.sum(axis=1) == 0
        # most droplets of a run are empty, and the network says the same of each: the first stands for all
        shown = np.flatnonzero(~empty_n | (np.cumsum(empty_n) == 1)) if empty_n.any() else None
        found = self._batches(counts_ng if shown is None else counts_ng[shown], measured_g.astype(np.float32))
        if shown is not None:
            place_n = np.where(empty_n, np.argmax(empty_n[shown]), np.searchsorted(shown, np.arange(len(empty_n))))
            found = [values[place_n] for values in found]
        if not all(np.isfinite(values).all() for values in found):
            raise BundleError(
                f"the network of the bundle {self.bundle.name} gives numbers that aren't finite; export it again."
            )
        fingerprint_nd, probabilities_nm, *more = found
        n_measured = int(np.count_nonzero(measured_g))
        prediction = Prediction(fingerprint_nd, probabilities_nm, more[0] if more else None, n_measured)
        prediction.fingerprint_nd[empty_n] = 0
        return prediction

    def _batches(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        widths = {OUTPUTS[0]: (self.bundle.manifest.fingerprint_size,), OUTPUTS[1]: (len(self.bundle.nodes),)}
        shapes = [(counts_ng.shape[0], *widths.get(name, ())) for name in self._outputs]
        found = [np.empty(shape, dtype=np.float32) for shape in shapes]
        for start in range(0, counts_ng.shape[0], BATCH):
            rows = slice(start, start + BATCH)
            given = self._run(counts_ng[rows].toarray().astype(np.float32, copy=False), measured_g)
            for whole, part in zip(found, given, strict=True):
                whole[rows] = part
        return found

    def _run(
        self, batch_ng: NDArray[np.float32], measured_g: NDArray[np.float32], how: onnxruntime.RunOptions | None = None
    ) -> list[NDArray[np.float32]]:
        try:
            found: list[NDArray[np.float32]] = self._session.run(
                self._outputs, dict(zip(INPUTS, (batch_ng, measured_g), strict=True)), how
            )
        except Exception as error:  # ONNX Runtime's errors have no other class in common
            raise BundleError(
                f"the network of the bundle {self.bundle.name} can't be run ({_reason(error)}); export it again."
            ) from error
        return found

    def _try_out(self) -> None:
        """Run a batch of cells without counts, to refuse a network that has no end or needs too much memory."""
        n_genes = self.bundle.manifest.n_genes
        how = onnxruntime.RunOptions()
        how.log_severity_level = FATAL
        empty = np.zeros((BATCH, n_genes), dtype=np.float32), np.ones(n_genes, dtype=np.float32)
        try:
            within(LONGEST, lambda: self._run(*empty, how), stop=lambda: setattr(how, "terminate", True))
        except TimeoutError:
            raise _endless(self.bundle) from None


def available_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _open_session(bundle: Bundle, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = FATAL
    # Threads that wait in a loop for the next bit of work help on an idle machine only; on a busy one, such as a
    # server, they take the time of those that work.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A network may name other files for its weights, which nobody has checked; inside a file there can't be any.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(bundle.path / MODEL))
    if _bounded():
        options.add_session_config_entry("session.use_env_allocators", "1")
    contents = bundle.read(MODEL)
    check_graph(contents, bundle.manifest, where=str(bundle.path))

    def load() -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])

    try:
        return within(LONGEST, load)
    except TimeoutError:
        raise _endless(bundle) from None
    except Exception as error:  # ONNX Runtime's errors have no other class in common
        raise BundleError(
            f"ONNX Runtime {onnxruntime.__version__} can't load {MODEL} of {bundle.path}: {_reason(error)}"
        ) from error


@cache
def _bounded() -> bool:
    """Bound the memory of the process's networks; false if another user of ONNX Runtime has settled it already."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    try:
        onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(MEMORY, -1, -1, -1))
    except Exception:  # noqa: BLE001 - ONNX Runtime's errors have no other class in common
        return False
    return True


def _reason(error: Exception) -> str:
    said = str(error)
    # older versions work out what is constant already on loading, outside the bound
    if "Available memory of" in said or "bad_alloc" in said:
        return f"it needs more than {MEMORY >> 20:,} MiB of memory"
    return said.partition("\n")[0][:200] or type(error).__name__


def _endless(bundle: Bundle) -> BundleError:
    return BundleError(f"the network of the bundle {bundle.name} has no end in {LONGEST:.0f} seconds; export it again.")


def _check_shapes(session: onnxruntime.InferenceSession, bundle: Bundle) -> None:
    manifest = bundle.manifest
    found = {item.name: list(item.shape) for item in (*session.get_inputs(), *session.get_outputs())}
    needed = {
        INPUTS[0]: manifest.n_genes,
        INPUTS[1]: manifest.n_genes,
        OUTPUTS[0]: manifest.fingerprint_size,
        OUTPUTS[1]: len(manifest.nodes),
    }
    if isinstance(found.get(INPUTS[0], ["n"])[0], int):
        raise BundleError(
            f"the network of the bundle {bundle.path} takes {found[INPUTS[0]][0]} cells at a time and no other number; "
            "export the bundle again."
        )
    for name, width in needed.items():
        if name not in found or not found[name] or found[name][-1] != width:
            raise BundleError(
                f"the network of the bundle {bundle.path} doesn't fit its manifest: {name} should be {width} wide "
                f"and is {found.get(name, 'missing')}; export the bundle again."
            )
    if manifest.trust and FAMILIARITY not in found:
        raise BundleError(
            f"the bundle {bundle.path} weighs how familiar a cell looks, which its network doesn't say; "
            "export it again."
        )
    if len(found.get(FAMILIARITY, ["n"])) != 1:
        raise BundleError(
            f"the network of the bundle {bundle.path} should give one {FAMILIARITY} a cell and gives "
            f"{found[FAMILIARITY]}; export it again."
        )
