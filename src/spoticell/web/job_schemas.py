"""The shapes of jobs: what is asked of a run, and what is told of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from spoticell.web.schemas import Shape, Share

MOST_TYPES, LONGEST_TYPE = 50, 200
"""How many types a run may be told to allow, or to exclude, and characters in one."""
TypeName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TYPE)]
Column = Annotated[str, Field(min_length=1, max_length=1000)]
Types = Annotated[list[TypeName], Field(max_length=MOST_TYPES)]


class OwnTable(Shape):
    """A table that was kept with a job."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$")]


class JobSettings(Shape):
    """What was asked of a run."""

    model: str
    threshold: Share | None
    """Lowest probability at which a type is named; null until the run is done if none was given, then the model's."""
    allow: list[str] = Field(default_factory=list)
    """Types that an answer may be, with their subtypes; any if there are none."""
    deny: list[str] = Field(default_factory=list)
    """Types that an answer can't be, with their subtypes."""
    tissue: str | None = None
    """Where the cells are from; types of other tissues are no answer."""
    groups: str | None = None
    """Groups of cells that are named too: a column about the cells, or ``auto`` for groups that are found."""
    by: str | None = None
    """Column that says from which sample each cell is."""
    condition: str | None = None
    """Column that says under which of two conditions each sample was taken."""
    each_cell_alone: bool = False
    """Whether cells are named without a look at their neighbours in the sample."""
    markers: OwnTable | None = None
    """The visitor's table of known markers; null for the server's, if it has one."""
    cellxgene: bool = False
    """Whether the annotated file has the column of types that the CELLxGENE schema asks for."""


class JobInfo(Shape):
    """A job, and all that is known of it so far."""

    id: str
    """The key to the job: whoever has it can see and delete the job."""
    name: str
    """Name of the file."""
    bytes: int
    state: Literal["checking", "ready", "queued", "running", "done", "failed", "cancelled"]
    stage: str
    """What is being done, in words."""
    progress: Share
    position: int | None
    """Place in the queue, from 1."""
    error: str | None
    """One sentence for a person, if the job failed."""
    notice: str | None
    """What became of a new run that was cancelled or failed; the job is done then, with its earlier result."""
    seconds: float | None
    """How long a run of it takes on this server, about; null where that isn't known."""
    seconds_left: float | None
    """How long the run still takes, about; null if none is at work."""
    findings: dict[str, Any] | None
    """What was found in the file, as ``spoticell check --json`` prints it, and ``columns`` that a run may name.

    ``choices`` tells some values of each, and which can be the condition with which samples."""
    lines: list[str]
    """The same in words."""
    warnings: list[str]
    """What the owner of the file should read."""
    created: str
    expires: str
    """When file and results are deleted."""
    settings: JobSettings | None
    """Null until the job is run."""
    links: dict[str, str]


class RunOrder(Shape):
    """How to name the cells; whatever is left out is as the model has it."""

    model_config = ConfigDict(extra="forbid")

    model: str | None = Field(default=None, max_length=200)
    """One of the server's models; the first if not given."""
    threshold: Share | None = None
    """Lowest probability at which a type is named; the model's if not given."""
    allow: Types = Field(default_factory=list)
    """Types that an answer may be, with subtypes: Cell Ontology ids or names; any if not given."""
    deny: Types = Field(default_factory=list)
    """Types that an answer can't be, with their subtypes."""
    tissue: str | None = Field(default=None, max_length=100)
    """Where the cells are from; types of other tissues are no answer then."""
    groups: Column | None = None
    """Groups of cells to name too: one of the ``columns`` of the findings, or ``auto`` for groups that are found."""
    by: Column | None = None
    """The one of the ``columns`` that says from which sample each cell is."""
    condition: Column | None = None
    """The one of the ``columns`` that says under which of two conditions each sample was taken; with ``by`` only."""
    each_cell_alone: bool = False
    """Whether to name cells without a look at their neighbours in the sample."""
    markers: OwnTable | None = None
    """A table of known markers that was kept with the job; the server's, if it has one, where none is given."""
    cellxgene: bool = False
    """Whether to write the column of types that the CELLxGENE schema asks for."""


class KeptTable(OwnTable):
    """A table of known markers that was kept with a job, and what is understood of it."""

    types: int
    genes: int
    unread: int
    """Names of types and genes that aren't understood; they don't count."""
