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
    """Weights that a method can be loaded with."""

    name: str
    """What they are called, as in ``--weights METHOD=NAME`` and ``weights fetch METHOD:NAME``."""
    source: str
    """``"package:NAME/path/in/package"`` of weights that ship with the plugin, or an ``https://`` address, which
    ``weights fetch`` fetches."""
    sha256: str
    """Of the file, in hexadecimal; may be empty for an address of which nobody recorded it."""
    licence: str
    """Of the weights, which need not be that of the code."""
    trained_on: str
    """The data, in words for the report."""
    weights_class: Literal["official", "shipped"]
    """``official``: made by the authors of the method; ``shipped``: by those of the plugin, in its distribution. The
    report ranks them apart."""
    bytes: int = 0
    """Size of the file behind an address; 0: not recorded."""
    card: str = ""
    """The model card (JSON), named in the same way as ``source``; its ``training_pictures`` are the SHA-256 of the
    pixels of each clear picture that was trained on."""
    behind: str = ""
    """Of a refiner: the chain prefix whose estimates it was trained on."""

    def __post_init__(self) -> None:
        _check_name("weights", self.name)


@dataclass(frozen=True, slots=True)
class Needs:
    """What the core must do to a picture before a method sees it, and after."""

    multiple: int = 1
    """Height and width are padded to a multiple of this."""
    minimum: int = 1
    """Smallest height and width, in pixels; smaller pictures are padded."""
    padding: Literal["reflect", "replicate"] = "reflect"
    """How pictures are padded to ``multiple`` and ``minimum``; what was added is cut off the output."""
    channel_order: Literal["RGB", "BGR"] = "RGB"
    """Order in which the network wants the channels; the core turns them before and back after."""
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
    mask: bool = False
    """A stage that uses the drop masks of the data: ``restore(rainy, mask)`` gets B x 3 x H x W, 1 where drops are and
    the same in all channels. Options with a property ``uses_masks`` that is false say that it gets ``None``."""
    channels_last: bool = False
    """The core gives networks and pictures the channels-last memory format, which some devices are faster in."""


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """A figure from a paper, with the variant of the metric it was computed by."""

    dataset: str
    """As the field calls it: ``Rain100L``, ``Test1200``."""
    metric: str
    """With its variant, as ``psnr_y[mprnet]``."""
    value: float
    """In the unit of the metric: dB of PSNR, SSIM from 0 to 1."""
    source: str
    """The paper and its table."""


@dataclass(frozen=True, slots=True)
class PresetSpec:
    """A recipe of training by name, as in ``train METHOD --preset NAME``."""

    name: str
    """As in ``--preset NAME``."""
    summary: str
    """One line for ``show METHOD``."""
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
    """As in ``tune METHOD --variables NAME``."""
    values: tuple[Mapping[str, Any], ...] = field(hash=False)
    """What is tried, each as the changes that it makes."""
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
    """As in ``--methods NAME``: lower-case letters, digits, ``_`` and ``-``, a letter first."""
    summary: str
    """One line for ``list`` and the report."""
    kind: Kind
    """``stage``: restores a rainy picture; ``refiner``: improves the estimate of what stands before it in a chain."""
    implementation: str
    """``"package.module:Class"`` of the class, which is imported only when it runs."""
    location: str = ""
    """What stands behind the name and a colon, for the help text: ``PATH`` of a method that is named with the file of
    its weights, as in ``checkpoint:PATH``; "" for all others."""
    options: str = ""
    """``"package.module:Class"`` of a pydantic model, ``""`` for a method without options."""
    adjustable: tuple[str, ...] = ()
    """Options that come with the weights (``Method.architecture``) and with which any weights work: typing another
    value of one of these does not ask for other weights."""
    version: int = 1
    """Part of the cache key, as the plugin's Python files are. Raised whenever the outputs could change for another
    reason: compiled code, data files, a dependency."""
    needs: Needs = field(default_factory=Needs)
    """What the core does to a picture before the method sees it, and after."""
    stochastic: bool = False
    """It draws from ``Method.generators``; options with a property ``deterministic`` that is true say that it does not.
    """
    trainable: bool = False
    """It has a recipe, so ``train``, ``tune`` and ``run --train`` take it."""
    read_off: tuple[str, ...] = ()
    """Options that are read off other people's weights, in which they are not stored: of such weights the report does
    not show them, since what stands in the options need not be what was loaded."""
    needs_weights: bool = True
    """Without weights it is skipped, and the reason says how to get some."""
    licence: str = ""
    """Of the method's code."""
    non_commercial: bool = False
    """The licence forbids commercial use: said in ``list``, in the run and in the report."""
    requires: tuple[str, ...] = ()
    """Modules that must be importable; when one is missing, ``extra`` says what to install."""
    extra: str = ""
    """Extra of the plugin's distribution that brings ``requires``, as ``"nc"``; "": the distribution brings them."""
    paper: str = ""
    """Authors, title, venue and year."""
    weights: tuple[WeightsSpec, ...] = ()
    """What it can be loaded with; the first that ships is loaded where the user names none."""
    published: tuple[PublishedScore, ...] = ()
    """Figures from papers, which the report puts beside the measured ones."""
    presets: tuple[PresetSpec, ...] = ()
    """Recipes by name."""
    tuning: tuple[VariableSpec, ...] = ()
    """What ``tune`` tries by default, in this order."""
    file: str = ""
    """The file that a user named with such a method; set by the core, which calls the method after it."""
    family: str = ""
    """What the method was called before that."""

    def __post_init__(self) -> None:
        _check_name("method", self.name)
        if self.name in RESERVED:
            raise SpecError(f"method name {self.name!r} is taken by the pictures of a run; choose another")
        _check_implementation(f"method {self.name}", self.implementation)
        if self.options:
            _check_implementation(f"method {self.name}, options", self.options)
        if self.location and not self.needs_weights:
            raise SpecError(f"method {self.name}: the file at its location is its weights, so it needs weights")
        if self.kind not in ("stage", "refiner"):
            raise SpecError(f"method {self.name}: kind {self.kind!r} is neither 'stage' nor 'refiner'")


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """A kind of data set, as in ``--data NAME:LOCATION``."""

    name: str
    """As in ``--data NAME:LOCATION``."""
    summary: str
    """One line for ``list``."""
    implementation: str
    """``"package.module:Class"`` of the class, imported only when it is read."""
    location: str = "FOLDER"
    """What stands behind the colon, for the help text."""
    options: str = ""
    """``"package.module:Class"`` of a pydantic model, "" for a data set without options."""

    def __post_init__(self) -> None:
        _check_name("dataset", self.name)
        _check_implementation(f"dataset {self.name}", self.implementation)


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """A metric with all its variants; a score's full name is ``name[variant]``."""

    name: str
    """As in ``--metrics NAME``; a score's full name is ``name[variant]``."""
    summary: str
    """One line for ``list`` and the report."""
    implementation: str
    """``"package.module:Class"``, imported only when it scores."""
    variants: tuple[str, ...]
    """At least one, as the names of protocols."""
    direction: Literal["higher", "lower"]
    """Which values are better."""
    unit: str = ""
    """As ``dB``; "" for a bare number."""
    decimals: int = 2
    """Shown in tables."""
    needs_truth: bool = True
    """It compares with the clear picture; others also score real rain without one."""
    by_default: bool = True
    """It scores where a suite names no metrics; ``False`` for what needs an extra of its own."""
    licence: str = ""
    """Of the metric's code or weights, where it is not ours."""
    paper: str = ""
    """Authors, title, venue and year."""

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
    """Its heading, as text."""
    html: str
    """A fragment or page; scripts in it do not run."""
