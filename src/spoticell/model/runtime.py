"""Running a bundle's network: aligned counts in, fingerprints, node probabilities and familiarity out.

Normalisation, layout and temperature are inside the network, so this module only cuts cells into batches.  Where it can
be, the first layer is worked out on sparse counts, see ``first_layer``.  Which probability becomes an answer is decided
in ``annotation.decision``.
Axes: ``n`` cells, ``g`` the bundle's genes, ``d`` fingerprint, ``c`` labels, ``m`` ontology nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import TypeAlias

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy import sparse

from spoticell.biology.label_weights import LabelWeights
from spoticell.errors import BundleError, ConfigError
from spoticell.io.in_order import available_cores
from spoticell.model.bundle import Bundle
from spoticell.model.device import CPU, check_used, load_libraries, provider_of
from spoticell.model.first_layer import Parted, part_graph
from spoticell.model.graph import INPUTS, check_graph
from spoticell.model.manifest import MODEL
from spoticell.model.patience import within

# Whoever loaded ONNX Runtime before Spoticell has it reporting: this keeps at least errors and runs out of the reports.
onnxruntime.disable_telemetry_events()

BATCH = 64
"""Cells that are dense at once, 5 MB at 20,000 genes: larger batches outgrow the processor's cache and are slower."""
REST_BATCH = 256
"""Cells that go through what comes after a first layer on sparse counts at once."""
PICTURE_BATCH = 64
"""The same where the picture of a cell is looked at, which has more numbers."""
ALIKE = 1e-4
"""How far what a network says in two parts may be from what it says whole."""

LONGEST = 60.0
"""Seconds that loading a network and its first run may take; the largest takes one or two."""
MEMORY = 1 << 30
"""Bytes that all networks of the process may take at once, weights and all that they compute."""
FATAL = 4
"""ONNX Runtime writes nothing less to stderr: what else goes wrong it raises, and we say it."""

OUTPUTS = ("fingerprint_nd", "probabilities_nm")
FAMILIARITY = "familiarity_n"
"""An output that bundles before format 1.2 lack."""


Floats: TypeAlias = NDArray[np.float32]


class Prediction:
    """What the network says of ``n`` cells.

    Parameters
    ----------
    fingerprint_nd
        Fingerprint of each cell.
    probabilities_nm
        Probability of each node; given, or worked out from ``weight_nc``.
    familiarity_n
        Logarithm of how much speaks for all labels together; None where the bundle doesn't say.
    n_measured
        Known genes that are measured in the cells.
    weight_nc
        Weight of each label, where the network says that.
    weights
        The way from the labels' weights to the nodes' probabilities.
    """

    def __init__(
        self,
        fingerprint_nd: Floats,
        probabilities_nm: Floats | None = None,
        familiarity_n: Floats | None = None,
        n_measured: int = 0,
        *,
        weight_nc: Floats | None = None,
        weights: LabelWeights | None = None,
    ) -> None:
        if probabilities_nm is None and (weight_nc is None or weights is None):
            raise ValueError("either the nodes' probabilities are needed or the labels' weights")
        self.fingerprint_nd, self.familiarity_n, self.n_measured = fingerprint_nd, familiarity_n, n_measured
        self.weight_nc = weight_nc
        self._probabilities_nm, self._weights = probabilities_nm, weights

    @cached_property
    def probabilities_nm(self) -> Floats:
        """Probability of each node, ``(n, m)``."""
        if self._probabilities_nm is not None or self._weights is None or self.weight_nc is None:
            return np.asarray(self._probabilities_nm)
        return self._weights.summed(self.weight_nc)


class Runtime:
    """A bundle's network, ready to run.

    Parameters
    ----------
    bundle
        Whose network.
    threads
        How many threads may run it at once; as many as the process may use cores if not given.  Each run has one: it is
        quicker to run several blocks of cells side by side.
    device
        What runs it, see ``device``.

    Raises
    ------
    BundleError
        If the network can't be loaded or has other inputs and outputs than the manifest says.
    ConfigError
        If ``threads`` is less than one, or the device can't be used.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, device: str = CPU) -> None:
        self.bundle = bundle
        self.threads = available_cores() if threads is None else threads
        if self.threads < 1:
            raise ConfigError(f"threads is {threads}; at least 1 is needed.")
        contents = bundle.read(MODEL)
        check_graph(contents, bundle.manifest, where=str(bundle.path))
        self._session = _open_session(contents, bundle, device)
        _check_shapes(self._session, bundle)
        says_familiarity = any(output.name == FAMILIARITY for output in self._session.get_outputs())
        self._outputs = (*OUTPUTS, FAMILIARITY) if says_familiarity else OUTPUTS
        self._try_out()
        self._in_parts = _InParts.of(contents, bundle, self._outputs, whole=self._whole, device=device)

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
        shown_ng = counts_ng if shown is None else sparse.csr_array(counts_ng[shown])
        says = self._whole if self._in_parts is None else self._in_parts
        found = says(shown_ng, measured_g)
        if shown is not None:
            place_n = np.where(empty_n, np.argmax(empty_n[shown]), np.searchsorted(shown, np.arange(len(empty_n))))
            found = [values[place_n] for values in found]
        if not all(np.isfinite(values).all() for values in found):
            raise BundleError(
                f"the network of the bundle {self.bundle.name} gives numbers that aren't finite; export it again."
            )
        fingerprint_nd, said, *more = found
        fingerprint_nd[empty_n] = 0
        known_n, n_measured = more[0] if more else None, int(np.count_nonzero(measured_g))
        if self._in_parts is None or not self._in_parts.ends_in_weights:
            return Prediction(fingerprint_nd, said, known_n, n_measured)
        weights = self.bundle.label_weights
        return Prediction(fingerprint_nd, None, known_n, n_measured, weight_nc=said, weights=weights)

    def _whole(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> list[Floats]:
        """Give what the whole network says of counts, some cells at a time."""
        measured = measured_g.astype(np.float32)
        return _in_batches(
            lambda rows: self._run(counts_ng[rows].toarray().astype(np.float32, copy=False), measured),
            counts_ng.shape[0],
            BATCH,
        )

    def _run(self, batch_ng: Floats, measured_g: Floats, how: onnxruntime.RunOptions | None = None) -> list[Floats]:
        given = dict(zip(INPUTS, (batch_ng, measured_g), strict=True))
        return _run(self._session, self._outputs, given, self.bundle, how)

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


class _InParts:
    """A network whose first layer is worked out on sparse counts."""

    def __init__(self, parted: Parted, bundle: Bundle, outputs: Sequence[str], device: str) -> None:
        self._first, self._windows, self._given, self._bundle = parted.first, parted.windows, parted.given, bundle
        self.ends_in_weights = parted.weights is not None
        self._outputs = [parted.weights if name == OUTPUTS[1] and parted.weights else name for name in outputs]
        self._session = _open_session(parted.rest, bundle, device)

    @classmethod
    def of(
        cls, contents: bytes, bundle: Bundle, outputs: Sequence[str], *, whole: Callable[..., list[Floats]], device: str
    ) -> _InParts | None:
        """Part a network, if it can be and says in parts what it says whole."""
        manifest = bundle.manifest
        sums = bundle.is_of_this_ontology and manifest.calibration is None
        reach = (len(manifest.labels), len(manifest.nodes)) if sums else None
        parted = part_graph(contents, n_genes=manifest.n_genes, outputs=outputs, reach=reach)
        if parted is None:
            return None
        try:
            in_parts = cls(parted, bundle, outputs, device)
            cells = _some_cells(manifest.n_genes)
            said, meant = in_parts(*cells), whole(*cells)
        except BundleError:
            return None
        if in_parts.ends_in_weights:
            said[1] = bundle.label_weights.summed(said[1])
        alike = all(np.allclose(one, other, rtol=ALIKE, atol=ALIKE) for one, other in zip(said, meant, strict=True))
        return in_parts if alike else None

    def __call__(self, counts_ng: sparse.csr_array, measured_g: NDArray[np.bool_]) -> list[Floats]:
        """Give what the network says of counts."""
        made_nk = self._first(counts_ng, measured_g)
        measured = measured_g.astype(np.float32)

        def run(rows: slice) -> list[Floats]:
            values = [made_nk[rows]]
            if self._windows is not None:
                values += [self._windows(self._first.scaled(counts_ng[rows], measured_g)), measured]
            return _run(self._session, self._outputs, dict(zip(self._given, values, strict=True)), self._bundle)

        return _in_batches(run, len(made_nk), REST_BATCH if self._windows is None else PICTURE_BATCH)


def _some_cells(n_genes: int) -> tuple[sparse.csr_array, NDArray[np.bool_]]:
    """Give made cells, shallow and deep ones and one without counts, and genes of which most are measured."""
    rng = np.random.default_rng(0)
    measured_g = rng.random(n_genes) < 0.9
    counts_ng = rng.poisson(rng.gamma(0.3, size=n_genes) * np.array([[0], [0.05], [1], [20]])) * measured_g
    return sparse.csr_array(counts_ng.astype(np.float32)), measured_g


def _in_batches(run: Callable[[slice], list[Floats]], n_cells: int, size: int) -> list[Floats]:
    """Run some cells at a time, and give what is said of all."""
    parts = [run(slice(start, start + size)) for start in range(0, max(n_cells, 1), size)]
    return parts[0] if len(parts) == 1 else [np.concatenate(values) for values in zip(*parts, strict=True)]


def _run(
    session: onnxruntime.InferenceSession,
    outputs: Sequence[str],
    given: dict[str, Floats],
    bundle: Bundle,
    how: onnxruntime.RunOptions | None = None,
) -> list[Floats]:
    try:
        found: list[Floats] = session.run(outputs, given, how)
    except Exception as error:  # ONNX Runtime's errors have no other class in common
        raise BundleError(
            f"the network of the bundle {bundle.name} can't be run ({_reason(error)}); export it again."
        ) from error
    return found


def _open_session(contents: bytes, bundle: Bundle, device: str) -> onnxruntime.InferenceSession:
    provider = provider_of(device)
    load_libraries(device)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.log_severity_level = FATAL
    # A network may name other files for its weights, which nobody has checked; inside a file there can't be any.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(bundle.path / MODEL))
    if _bounded():
        options.add_session_config_entry("session.use_env_allocators", "1")

    def load() -> onnxruntime.InferenceSession:
        # without its own way back it raises what goes wrong
        return onnxruntime.InferenceSession(contents, options, providers=[provider], enable_fallback=0)

    try:
        session = within(LONGEST, load)
    except TimeoutError:
        raise _endless(bundle) from None
    except Exception as error:  # ONNX Runtime's errors have no other class in common
        raise BundleError(
            f"ONNX Runtime {onnxruntime.__version__} can't load {MODEL} of {bundle.path}: {_reason(error)}"
        ) from error
    check_used(session, device)
    return session


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
