"""The settings of a training: named ones that travel with the package, or a YAML file of the user's.

Every field has a bound, so that a slip of the pen is found before the first step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from spoticell.errors import ConfigError
from spoticell.model.bundle import CODE_BITS, CODE_LIMIT

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(gt=0)]

ConfigName: TypeAlias = str | Path | Mapping[str, Any]
"""A named config, a YAML file, or plain settings."""


class Settings(BaseModel):
    """What all groups of settings share: nothing unknown is accepted, nothing changes afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkConfig(Settings):
    """Shape of the network."""

    layout: Literal["learned", "alphabetical", "chromosomal", "random"] = "learned"
    scaling: Literal["sqrt", "log1p"] = "sqrt"
    """``sqrt``: square roots of counts, unit length (survives panels); ``log1p``: log1p of counts per 10,000."""
    weigh_genes: Annotated[float, Field(ge=0)] = 1.0
    """A gene counts as much as the share of labels whose data sets measure it, to this power; 0 counts all alike."""
    cell_length: Positive = 200.0
    """Length of a scaled cell.  An optimiser moves all weights by steps of one size, so the longer the cells, the more
    the weights of the genes learn and the less of their random start is left beside it."""
    cnn: bool = False
    """Whether the picture goes through the convolutions."""
    transformer: bool = False
    """Whether the parts of the picture go through the transformer."""
    stem_channels: Count = 20
    """Channels that each 5 x 5 window of pixels is turned into, with weights of its own for each pixel."""
    cell_token: Annotated[int, Field(ge=0)] = 48
    """Size of the summary of all genes, which also joins the parts in the transformer; 0 for none."""
    channels: tuple[Count, Count, Count, Count] = (16, 32, 64, 128)
    width: Count = 128
    """Size of a token."""
    heads: Count = 4
    fusion: tuple[Count, Count] = (256, 128)
    fingerprint: Count = 64
    members: Count = 1
    """How many networks look at a cell side by side: each has its share of the summary and of the fusion, a
    fingerprint, and batches of its own to learn from.  Their logits are averaged, and their fingerprints added up.
    More than one only where the summary is all that is read."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    nearness: Annotated[float, Field(ge=0, le=100)] = 0.0
    """How much the likeness of a cell to the examples of the nearest label counts in its familiarity."""

    @model_validator(mode="after")
    def _members_have_their_shares(self) -> Self:
        sizes = (self.cell_token, *self.fusion)
        if self.members > 1 and (self.cnn or self.transformer or any(size % self.members for size in sizes)):
            raise ValueError(
                "members: more than one needs cnn and transformer off, and cell_token and fusion that "
                f"{self.members} divides"
            )
        return self


class AugmentConfig(Settings):
    """How complete cells are made incomplete in training."""

    panels: Fraction = 0.8
    """Share of cells seen through a gene panel: another data set's genes, a real panel or a random one."""
    borrowed_panels: Fraction = 0.4
    """Of those, the share seen through the genes of another data set, drawn as often as its cells are."""
    real_panels: Fraction = 0.2
    """Of those, the share that gets a real panel (where any are given)."""
    smallest_panel: Fraction = 0.008
    """Smallest random panel, as a share of the genes; sizes are even on a log scale."""
    thinning: Fraction = 0.5
    """Share of cells whose counts are thinned (binomially)."""
    smallest_depth: Annotated[float, Field(gt=0, le=1)] = 0.08
    """Strongest thinning: the share of counts kept; depths are even on a log scale."""
    states: Fraction = 0.15
    """Share of cells that are put into a state which any type may be in, such as the answer to interferon."""
    gene_noise: Annotated[float, Field(ge=0, le=3)] = 1.0
    """How far genes differ between laboratories: each gets a factor whose logarithm has a standard deviation between
    0 and this, the same for the cells of a batch that share a panel; 0 for none."""


class TrainConfig(Settings):
    """Everything that decides a training, but the cells and the seed."""

    network: NetworkConfig = NetworkConfig()
    augment: AugmentConfig = AugmentConfig()
    loss: Literal["hierarchical", "flat", "bce"] = "hierarchical"
    """``hierarchical``: cross-entropy of the label's node; ``flat``: of the label, kin or not; ``bce``: each node on
    its own, and a penalty."""
    subtypes: Fraction = 0.5
    """With the hierarchical loss: what weight on a subtype counts for a cell that is labelled with the type, against 1
    for weight on the type itself.  With 1 a type's weight drifts to whichever of its subtypes is near."""
    contrast: Annotated[float, Field(ge=0)] = 0.2
    """Weight of the fingerprint's own loss, cells of a kind together, beside the labels'; 0 for none."""
    contrast_temperature: Positive = 0.1
    """Softness of that loss: smaller looks at nearer neighbours."""
    precision: Literal["single", "bfloat16"] = "single"
    """Numbers that convolutions and products are made with; ``bfloat16`` takes up to a quarter less time where the
    processor has it (Linux lists ``avx512_bf16`` or ``amx_bf16``) and several times as much where it hasn't."""
    optimizer: Literal["adamw", "adam"] = "adamw"
    schedule: Literal["one-cycle", "plateau"] = "one-cycle"
    learning_rate: Positive = 2e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    batch_size: Annotated[int, Field(ge=2)] = 256
    accumulate: Count = 1
    """Batches whose mean gradient makes a step, for each member in each process that trains."""
    epochs: Count = 12
    cells_per_epoch: Annotated[int, Field(ge=0)] = 0
    """Cells drawn in an epoch; 0 for as many as there are, but at least 8,192."""
    patience: Count = 10
    """Epochs without a better validation before training stops."""
    class_balance: Fraction = 0.5
    """0 draws cells as they come, 1 draws every type equally often."""
    weight_average: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay of the running average of the weights that is validated and kept; 0 for none."""
    source_weights: dict[str, Positive] = {}
    """How often cells of a data set are drawn, against 1 for the others; by file name without its ending."""
    validation: tuple[str, ...] = ()
    """Data sets held out for validation, by file name without ending; none: a tenth of the cells, by donor if known."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 300
    """Time after which the state is kept, epoch or no epoch."""
    validation_cells: Count = 20_000
    """Most cells of a store that are held in memory for validation."""
    code_bits: Annotated[int, Field(gt=0, le=CODE_LIMIT, multiple_of=8)] = CODE_BITS
    """Bits of the binary code of a fingerprint."""
    threshold: Fraction = 0.5
    """Probability that an answer of the exported bundle needs."""

    def changed(self, **settings: Any) -> TrainConfig:  # noqa: ANN401 - checked by the model
        """Give the config with other settings; those that are None stay.

        Examples
        --------
        >>> TrainConfig().changed(epochs=3, batch_size=None).epochs
        3
        """
        given = {name: value for name, value in settings.items() if value is not None}
        return TrainConfig.model_validate(self.model_dump() | given)


def load_config(*names: ConfigName) -> TrainConfig:
    """Give a named config, or read one from a YAML file or from plain settings.

    Parameters
    ----------
    names
        ``default``, ``original``, the path of a YAML file, or settings.  File and settings state what differs from the
        default.  Of several the later ones say what differs from the earlier ones: of a group, such as ``network``,
        only what they state.

    Raises
    ------
    ConfigError
        If there is no such config or file, it isn't YAML, or a setting is unknown or out of bounds.

    Examples
    --------
    >>> load_config("original").optimizer
    'adam'
    >>> config = load_config({"network": {"weigh_genes": 2}}, "dual-path", {"epochs": 3})
    >>> config.network.weigh_genes, config.network.cnn, config.epochs
    (2.0, True, 3)
    """
    stated: dict[str, Any] = {}
    for name in names:
        settings, where = _read(name)
        # each by itself first, so that a slip is told with the file that it is in
        _checked(settings, where)
        for field, value in settings.items():
            stated[field] = {**stated.get(field, {}), **value} if isinstance(value, Mapping) else value
    return TrainConfig.model_validate(stated)


def settled(config: TrainConfig | ConfigName | Sequence[ConfigName]) -> TrainConfig:
    """Give the config that is meant: as it is if it is one, else of one name, or of several as `load_config` has it."""
    if isinstance(config, TrainConfig):
        return config
    return load_config(config) if isinstance(config, str | Path | Mapping) else load_config(*config)


def named_configs() -> list[str]:
    """Names of the configs that travel with the package."""
    folder = files("spoticell").joinpath("training", "configs")
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def _read(name: ConfigName) -> tuple[Any, str]:
    """Give the settings of a config as they are stated, and how messages call it."""
    if isinstance(name, Mapping):
        return dict(name), "that was given"
    shipped = files("spoticell").joinpath("training", "configs")
    if str(name) in named_configs():
        text = shipped.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except OSError:
            raise ConfigError(
                f"There is no config {str(name)!r}: neither a file nor one of {', '.join(named_configs())}."
            ) from None
    try:
        return yaml.safe_load(text) or {}, str(name)
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"The config {name} is not YAML: {error}".replace("\n", " ")) from None


def _checked(settings: Any, where: str) -> TrainConfig:  # noqa: ANN401 - checked by the model
    try:
        return TrainConfig.model_validate(settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"The config {where} can't be used: {field}: {first['msg']}.") from None
