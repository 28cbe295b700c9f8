"""What a plugin says of itself: plain frozen records, so that listing plugins imports nothing heavy.

A spec names its implementation as ``"package.module:Class"``; the class is imported only when it runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from drivederain.errors import SpecError

TILE_OVERLAP = 128
"""Pixels that neighbouring tiles have in common at least, where a method does not need another number."""

NAME = re.compile(r"[a-z][a-z0-9_-]*")
"""Names of methods, datasets and metrics: chain expressions, file names and table keys are made of them."""

RESERVED = ("rainy", "clear", "mask", "truth")
"""No names for methods: a run's folder and the report's gallery keep inputs and truths under them."""

IMPLEMENTATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")

Intensity = Literal["light", "medium", "heavy"]
INTENSITIES: tuple[Intensity, ...] = ("light", "medium", "heavy")

Kind = Literal["stage", "refiner"]
WeightsClass = Literal["official", "shipped", "trained here", "given", "none"]


def _check_name(kind: str, name: str) -> None:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SpecError(
            f"{kind} name {name!r} is not usable: use lower-case letters, digits, '_' and '-', a letter first"
        )


def _check_implementation(owner: str, implementation: str) -> None:
    if not isinstance(implementation, str) or not IMPLEMENTATION.fullmatch(implementation):
        raise SpecError(f"{owner}: implementation {implementation!r} is not of the form 'package.module:Class'")


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """Weights that a method can be loaded with.

    ``source`` is ``"package:NAME/path/in/package"`` for weights that ship with a plugin, or an ``https://`` address.
    ``behind`` is, for a refiner, the chain prefix whose estimates it was trained on.
    ``card`` names the model card (JSON) in the same way as ``source``; its ``training_pictures`` are the SHA-256 of the
    pixels of each clear picture that was trained on.
    """

    name: str
    source: str
    sha256: str
    licence: str
    trained_on: str
    weights_class: Literal["official", "shipped"]
    card: str = ""
    behind: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the core must do to a picture before a method sees it, and after."""

    multiple: int = 1
    """Height and width are padded to a multiple of this."""
    minimum: int = 1
    """Smallest height and width, in pixels; smaller pictures are padded."""
    padding: Literal["reflect", "replicate"] = "reflect"
    channel_order: Literal["RGB", "BGR"] = "RGB"
    eight_bit: Literal["round", "truncate"] = "round"
    """How the official code makes 8-bit values of its floats."""
    precisions: tuple[Literal["fp32", "bf16", "fp16"], ...] = ("fp32",)
    """Precisions in which the method holds; ``auto`` is fp32 everywhere, where the method holds in it."""
    tile: int | None = None
    """Pictures with a side above this are cut into overlapping tiles of this size; ``None``: never."""
    tile_overlap: int = TILE_OVERLAP
    """Pixels that neighbouring tiles have in common at least; they are blended over it."""
    tiles_itself: bool = False
    """Whether the method cuts large pictures itself, into tiles of ``Method.tile``, as samplers do in each step. It
    gets whole pictures, and the core sets that side where the user gives another or memory is short."""
    may_tile: bool = True
    """Whether pictures that do not fit into memory may be cut into tiles; no for methods that need the whole."""
    channels_last: bool = False
    """The core gives networks and pictures the channels-last memory format, which some devices are faster in."""


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """A figure from a paper, with the variant of the metric it was computed by."""

    dataset: str
    metric: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class PresetSpec:
    """A recipe of training by name, as in ``train METHOD --preset NAME``."""

    name: str
    summary: str
    training: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Hyperparameters (``drivederain.training.hyperparameters``) that differ from the method's own."""
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Options of the method that differ from its defaults."""
    budget: str = ""
    """As ``"100 epochs"`` or ``"300000 steps"``."""
    source: str = ""
    """Paper, repository or plan that it is from."""


@dataclass(frozen=True, slots=True)
class VariableSpec:
    """A variable of ``tune METHOD`` with the values that are tried, each as what it changes in the setting so far.

    A change is an option of the method (``depth``), a hyperparameter (``training.learning_rate``) or the weight of one
    loss term (``training.losses.vgg``).
    """

    name: str
    values: tuple[Mapping[str, Any], ...] = field(hash=False)
    when: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Options that the setting so far must have: ``{"architecture": "smp"}``. Otherwise the variable is passed over."""

    def __post_init__(self) -> None:
        _check_name("variable", self.name)
        if not self.values:
            raise SpecError(f"variable {self.name}: it names no value")


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A method as a plugin offers it."""

    name: str
    summary: str
    kind: Kind
    implementation: str
    options: str = ""
    """``"package.module:Class"`` of a pydantic model, ``""`` for a method without options."""
    adjustable: tuple[str, ...] = ()
    """Options that come with the weights (``Method.architecture``) and with which any weights work: typing another
    value of one of these does not ask for other weights."""
    version: int = 1
    """Raised by the plugin whenever its outputs could change; part of the cache key."""
    needs: Needs = field(default_factory=Needs)
    stochastic: bool = False
    """It draws from ``Method.generators``; options with a property ``deterministic`` that is true say that it does not.
    """
    trainable: bool = False
    needs_weights: bool = True
    licence: str = ""
    non_commercial: bool = False
    requires: tuple[str, ...] = ()
    """Modules that must be importable; when one is missing, ``extra`` says what to install."""
    extra: str = ""
    paper: str = ""
    weights: tuple[WeightsSpec, ...] = ()
    published: tuple[PublishedScore, ...] = ()
    presets: tuple[PresetSpec, ...] = ()
    tuning: tuple[VariableSpec, ...] = ()
    """What ``tune`` tries by default, in this order."""

    def __post_init__(self) -> None:
        _check_name("method", self.name)
        if self.name in RESERVED:
            raise SpecError(f"method name {self.name!r} is taken by the pictures of a run; choose another")
        _check_implementation(f"method {self.name}", self.implementation)
        if self.options:
            _check_implementation(f"method {self.name}, options", self.options)
        if self.kind not in ("stage", "refiner"):
            raise SpecError(f"method {self.name}: kind {self.kind!r} is neither 'stage' nor 'refiner'")


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A kind of data set, as in ``--data NAME:LOCATION``."""

    name: str
    summary: str
    implementation: str
    location: str = "FOLDER"
    """What stands behind the colon, for the help text."""
    options: str = ""

    def __post_init__(self) -> None:
        _check_name("dataset", self.name)
        _check_implementation(f"dataset {self.name}", self.implementation)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric with all its variants; a score's full name is ``name[variant]``."""

    name: str
    summary: str
    implementation: str
    variants: tuple[str, ...]
    direction: Literal["higher", "lower"]
    unit: str = ""
    decimals: int = 2
    needs_truth: bool = True
    licence: str = ""
    paper: str = ""

    def __post_init__(self) -> None:
        _check_name("metric", self.name)
        _check_implementation(f"metric {self.name}", self.implementation)
        if not self.variants or not all(isinstance(variant, str) and variant for variant in self.variants):
            raise SpecError(f"metric {self.name}: it names no variant; a score without one cannot be compared")
        if self.direction not in ("higher", "lower"):
            raise SpecError(f"metric {self.name}: direction {self.direction!r} is neither 'higher' nor 'lower'")


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A section that a plugin adds to the report. ``html`` is placed in a sandboxed frame, never in the page itself."""

    title: str
    html: str
