"""What is asked of a run: the model, which cells' numbers to read, which types an answer may be.

The same options stand behind the command line, Python and the web page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from spoticell.annotation.allowed import Allowed, allowed_types, listed
from spoticell.annotation.commands import python_call, shell_command
from spoticell.annotation.matches import open_for
from spoticell.biology.markers import Markers
from spoticell.errors import ConfigError
from spoticell.io.address import Place
from spoticell.io.marker_table import read_markers
from spoticell.keys import KEY_ADDED
from spoticell.model.bundle import DEFAULT, PACKAGED, Bundle, load_bundle
from spoticell.model.device import CPU, provider_of
from spoticell.model.pulled import pulled_name

if TYPE_CHECKING:
    from spoticell.index import OpenIndex

Model: TypeAlias = Bundle | Path | str
"""A loaded bundle, the folder of one, or the name of one that is packaged or was pulled."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
MOST_THREADS = 1024
"""A process that starts far more may be ended by the system without a word."""


@dataclass(frozen=True)
class Options:
    """What is asked of a run, checked when it is made.

    Raises
    ------
    ConfigError
        If a value can't be.

    Examples
    --------
    >>> Options(tissue="lung").command("cells.h5ad", "named.h5ad")
    'spoticell annotate cells.h5ad -o named.h5ad --tissue lung'
    >>> Options(threshold=2)
    Traceback (most recent call last):
    spoticell.errors.ConfigError: the threshold is 2; it is a probability, from 0 to 1.
    """

    model: Model = DEFAULT
    index: OpenIndex | Path | str | None = None
    """Reference cells to match with: an open index, its folder or address, or the name of a packaged one."""
    threshold: float | None = None
    """Lowest probability at which a type is named, in [0, 1]; the model's own if None."""
    allow: Sequence[str] = ()
    """Types that an answer may be, with their subtypes; any if there are none."""
    deny: Sequence[str] = ()
    """Types that an answer can't be, with their subtypes."""
    tissue: str | None = None
    """Where the cells are from: types of other tissues are then no answer.  If None, the cells themselves say it; with
    ``"any"`` types of all tissues can be."""
    layer: str | None = None
    """The one matrix to read; the best if None."""
    gene_column: str | None = None
    """The one column that names the genes; the best if None."""
    key_added: str = KEY_ADDED
    """What every key that is written starts with."""
    threads: int | None = None
    """How many threads to use; all cores that the process may use if None."""
    each_cell_alone: bool = False
    """Whether cells are named without a look at their neighbours in the sample."""
    by: str | None = None
    """Column about the cells that says from which sample each is."""
    condition: str | None = None
    """Column about the cells that says under which of two conditions each sample was taken."""
    groups: str | None = None
    """Groups of cells to name: a column about cells, or ``"auto"`` for groups that are found; none if None."""
    markers: Path | str | None = None
    """Table of known markers of types, which tells the genes of a group that mark its type; none if None."""
    cellxgene: bool = False
    """Whether to write the column of types that the CELLxGENE schema asks for."""
    device: str = CPU
    """What runs the network: ``"cpu"``, or ``"cuda"`` for a graphics card."""

    def __post_init__(self) -> None:
        for name in ("allow", "deny"):
            object.__setattr__(self, name, listed(getattr(self, name)))
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ConfigError(f"the threshold is {self.threshold}; it is a probability, from 0 to 1.")
        if not self.key_added or "/" in self.key_added or self.key_added.startswith("_"):
            raise ConfigError(f"key_added is {self.key_added!r}; it must not be empty, start with '_' or hold '/'.")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise ConfigError(f"threads is {self.threads}; it must be from 1 to {MOST_THREADS:,}.")

        if self.device != CPU:
            # asked for only if needed, as a processor is always there
            provider_of(self.device)
        if self.markers is not None and self.groups is None:
            raise ConfigError("markers tell the genes of groups; give groups too.")

    @cached_property
    def bundle(self) -> Bundle:
        """The model's bundle, loaded and checked when it is first asked for."""
        return loaded(self.model)

    @cached_property
    def allowed(self) -> Allowed | None:
        """The types that an answer may be; None where that is any that the model knows."""
        return allowed_types(self.bundle, allow=self.allow, deny=self.deny, tissue=self.tissue)

    @property
    def tells_tissue(self) -> bool:
        """Whether it is told which types the sample can hold: by a tissue, or by the types themselves."""
        return self.tissue is not None or bool(self.allow)

    @cached_property
    def opened(self) -> OpenIndex | None:
        """The index, opened and found to be of the model; None where none is asked for."""
        return None if self.index is None else open_for(self.bundle, self.index, threads=self.threads)

    @cached_property
    def known_markers(self) -> Markers | None:
        """The table of markers, read when it is first asked for; None where there is none."""
        return None if self.markers is None else read_markers(self.markers, self.bundle.vocabulary)

    @property
    def lowest(self) -> float:
        """Probability at which a type is named: the threshold that is asked for, or the model's."""
        return self.bundle.manifest.threshold if self.threshold is None else self.threshold

    def settled(self) -> Options:
        """Give the same in the words of model and ontology, and without what is as if not asked for."""
        allowed = self.allowed
        named = replace(
            self,
            model=_name_of(self.bundle),
            threshold=None if self.threshold == self.bundle.manifest.threshold else self.threshold,
            index=None if self.opened is None else self.opened.folder,
            threads=None,
            device=CPU,
        )
        if allowed is None:
            return named
        return replace(named, allow=allowed.allow, deny=allowed.deny, tissue=allowed.tissue)

    def changed(self) -> dict[str, Any]:
        """Give the options that aren't at their defaults, in the order in which they are listed."""
        return {
            item.name: value for item in fields(self) if (value := getattr(self, item.name)) not in (item.default, ())
        }

    def command(
        self,
        cells: Place | str,
        output: Place | str,
        report: Place | str | None = None,
        *,
        also: Mapping[str, Any] = NOTHING,
    ) -> str:
        """Give the command line that does the same; ``also`` is what was given besides, such as tables."""
        return shell_command(cells, output, report, self.changed() | dict(also))

    def python(
        self,
        cells: Place | str | None,
        output: Place | str | None = None,
        report: Place | str | None = None,
        *,
        also: Mapping[str, Any] = NOTHING,
    ) -> str:
        """Give the lines of Python that do the same; ``cells`` is None for an AnnData object."""
        return python_call(cells, output, report, self.changed() | dict(also))


def loaded(model: Model) -> Bundle:
    """Give a model's bundle, as it is if it is loaded already."""
    return model if isinstance(model, Bundle) else load_bundle(model)


def _name_of(bundle: Bundle) -> str:
    """Give what `load_bundle` takes: a packaged bundle's name, a pulled one's name and revision, another's folder."""
    return bundle.name if bundle.path.parent == PACKAGED else pulled_name(bundle.path) or str(bundle.path)
