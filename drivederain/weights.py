"""Find, check and safely read weights: safetensors, or torch files with ``weights_only``. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from drivederain import tf_bundle
from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights
from drivederain.specs import MethodSpec, WeightsClass, WeightsSpec
from drivederain.weights_metadata import METADATA_KEY, about_in, checksum_problem, in_order, metadata, with_checksum

OUTER_KEYS = ("params_ema", "params-ema", "params", "state_dict", "model_state_dict", "net", "model")
"""Under these keys official checkpoints keep their state dict (BasicSR, MPRNet, RESCAN); or under their only one."""


def sha256_of(path: Path) -> str:
    """SHA-256 hex of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_weights(path: Path, *, sha256: str = "") -> LoadedWeights:
    """Read a weights file to the CPU.

    Args:
        path: ``.safetensors``, or any other name for a file of ``torch.save``, read with ``weights_only=True``.
        sha256: what the bytes must hash to, if known.

    Raises:
        WeightsError: missing, of another hash, damaged, holding anything but tensors and plain values, or no tensors.
    """
    _check_file(path)
    if sha256 and sha256_of(path) != sha256:
        raise WeightsError(f"{path}: the file is not the recorded one (SHA-256 differs). Fetch or install it again.")
    if _is_safetensors(path):
        return _read_safetensors(path)
    if path.suffix == tf_bundle.SUFFIX:
        return LoadedWeights(path=path, tensors=tf_bundle.read_bundle(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice on pickle protocols is not for users
            contents = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{path}: refused, for it is damaged, or reading it would run code that it carries. "
            "Fetch it again, or save its state dict alone, with torch.save or as safetensors."
        ) from error
    # Readers answer damaged files with whatever they ran into: RuntimeError, EOFError, KeyError, BadZipFile ...
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise WeightsError(f"{path}: damaged, or no file of torch.save ({reason}). Fetch it again.") from error
    outer = contents if isinstance(contents, Mapping) else {}
    inner = [key for key in (*OUTER_KEYS, *(outer if len(outer) == 1 else ())) if isinstance(outer.get(key), Mapping)]
    tensors = outer[inner[0]] if inner else outer
    tensors = {str(key).removeprefix("module."): value for key, value in tensors.items() if isinstance(value, Tensor)}
    if not tensors:
        raise WeightsError(
            f"{path}: it holds no state dict (tensors by name). Give the file of the weights themselves."
        )
    return LoadedWeights(path=path, tensors=tensors, contents=outer)


def _check_file(path: Path) -> None:
    if not path.is_file():
        what = "this is a folder" if path.is_dir() else "there is no such weights file"
        raise WeightsError(f"{path}: {what}. Check the path given with --weights METHOD=PATH.")


def _is_safetensors(path: Path) -> bool:
    return path.suffix.lower() == ".safetensors"


def _read_safetensors(path: Path) -> LoadedWeights:
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
            header = {key: value for key, value in (file.metadata() or {}).items() if key != METADATA_KEY}
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    if not tensors:
        raise WeightsError(f"{path}: the file holds no tensors. Give the file of the weights themselves.")
    return LoadedWeights(path=path, tensors=tensors, metadata=read_about(path), header=header)


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(f"{path}: damaged, or not in the safetensors layout ({str(error)[:200]}). Fetch it again.")


def serialise(
    tensors: Mapping[str, Tensor],
    about: Mapping[str, Any],
    *,
    half: bool = False,
    header: Mapping[str, str] | None = None,
) -> bytes:
    """A safetensors file with ``about`` as its metadata, and its check sum.

    Args:
        half: store floating tensors as float16.
        header: metadata that other programs look for, beside ours.
    """
    stored = {
        key: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for key, value in tensors.items()
    }
    seen: set[int] = set()
    for key, value in stored.items():
        # A layer that stands in several places has one storage under several names, which the layout does not have.
        if value.data_ptr() in seen:
            stored[key] = value.clone()
        seen.add(value.data_ptr())
    file = bytes(save(stored, metadata={**(header or {}), **metadata(about)}))
    return with_checksum(in_order(file) if header else file)


def load_state(network: nn.Module, weights: LoadedWeights) -> None:
    """Load the state dict strictly; tensors stored as float16 become the network's type.

    Raises:
        WeightsError: keys or shapes differ; the first of each are named.
    """
    own = network.state_dict()
    missing, unknown = sorted(own.keys() - weights.tensors.keys()), sorted(weights.tensors.keys() - own.keys())
    shapes = [key for key in own if key in weights.tensors and own[key].shape != weights.tensors[key].shape]
    if missing or unknown or shapes:
        kinds = (("keys missing", missing), ("keys unknown", unknown), ("of another shape", shapes))
        words = [f"{len(keys)} {what} ({keys[0]})" for what, keys in kinds if keys]
        raise WeightsError(
            f"{weights.path}: the weights are of another architecture: {', '.join(words)}. "
            "Give the options they were trained with (--set METHOD.option=value), or other weights."
        )
    network.load_state_dict(dict(weights.tensors))


@dataclass(frozen=True)
class FoundWeights:
    """Weights that were found for one stage of a chain, before their tensors are read."""

    path: Path
    weights_class: WeightsClass
    name: str
    sha256: str
    licence: str = ""
    trained_on: str = ""
    budget: str = ""
    hardware: str = ""
    """What the budget was used up on; "" where it is not recorded."""
    steps: int = 0
    behind: str = ""
    training_pictures: frozenset[str] = frozenset()
    about: Mapping[str, Any] = field(default_factory=dict)
    """The metadata of the file."""

    @property
    def architecture(self) -> Mapping[str, Any]:
        """The options that decide the network, as stored with the weights."""
        stored = self.about.get("architecture")
        return stored if isinstance(stored, Mapping) else {}


class NoWeightsError(WeightsError):
    """No weights can be had: the chain is skipped, not failed."""


def package_file(source: str) -> Path:
    """The file of ``"package:NAME/path/in/package"``.

    Raises:
        WeightsError: not of that form, leaving the package, or not there.
    """
    scheme, _, rest = source.partition(":")
    package, _, inside = rest.partition("/")
    if scheme != "package" or not inside or ".." in Path(inside).parts:
        raise WeightsError(f"{source!r} does not name a file of a package: write package:NAME/path")
    try:
        path = Path(str(files(package))) / inside
    except ModuleNotFoundError as error:
        raise WeightsError(f"{source}: the package {package} is not installed") from error
    if not path.is_file():
        raise WeightsError(f"{source}: the file is not in the installed package. Install it again.")
    return path


def shipped(spec: WeightsSpec) -> FoundWeights:
    """Weights that ship with a plugin, with what their model card says. Their hash is checked when they are read.

    Raises:
        WeightsError: the file or its card is missing or damaged.
    """
    path = package_file(spec.source)
    about = read_about(path)
    try:
        card = json.loads(package_file(spec.card).read_text(encoding="utf-8")) if spec.card else {}
    except (OSError, ValueError) as error:
        raise WeightsError(f"{spec.card}: the model card is damaged ({error}). Install the package again.") from error
    return FoundWeights(
        path=path,
        weights_class=spec.weights_class,
        name=spec.name,
        sha256=spec.sha256,
        licence=spec.licence,
        trained_on=spec.trained_on,
        behind=spec.behind,
        about=about,
        **_training({**about, **card}),
    )


def given(path: Path) -> FoundWeights:
    """Weights named by the user with ``--weights METHOD=PATH``.

    Raises:
        WeightsError: there is no such file, or it is damaged.
    """
    _check_file(path)
    about = read_about(path)
    return FoundWeights(
        path=path,
        weights_class="given",
        name=path.name,
        sha256=sha256_of(path),
        licence=str(about.get("licence", "as the file's author says")),
        trained_on=str(about.get("trained_on", "not recorded in the file")),
        behind=str(about.get("behind", "")),
        about=about,
        **_training(about),
    )


def _training(about: Mapping[str, Any]) -> dict[str, Any]:
    """How weights were trained, from metadata or a model card, which anybody may have written."""
    steps, pictures = about.get("steps"), about.get("training_pictures")
    return {
        "budget": str(about.get("budget", "")),
        "hardware": str(about.get("hardware", "")),
        "steps": steps if isinstance(steps, int) else 0,
        "training_pictures": frozenset(map(str, pictures)) if isinstance(pictures, list) else frozenset(),
    }


def read_about(path: Path) -> Mapping[str, Any]:
    """What this program wrote of a weights file into its metadata; empty for other people's files.

    Raises:
        WeightsError: a damaged safetensors file.
    """
    if not _is_safetensors(path):
        return {}
    try:
        with safe_open(path, framework="pt") as file:
            return about_in(file.metadata())
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from error


class WeightsCache:
    """The user's cache of weights trained here: ``<cache>/weights/<method>/<key>.safetensors``."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "weights"

    def path(self, method: str, key: str) -> Path:
        return self.folder / method / f"{key}.safetensors"

    def find(self, spec: MethodSpec, key: str) -> FoundWeights | None:
        """Weights trained here under ``key``, if they are there and whole; damaged ones are put aside."""
        path = self.path(spec.name, key)
        try:
            if checksum_problem(path):
                path.replace(path.with_suffix(".damaged"))
                return None
        except FileNotFoundError:  # not trained yet, or another run has just put it aside
            return None
        about = read_about(path)
        return FoundWeights(
            path=path,
            weights_class="trained here",
            name=key[:12],
            sha256=sha256_of(path),
            licence="that of the training data",
            trained_on=str(about.get("trained_on", "")),
            behind=str(about.get("behind", "")),
            about=about,
            **_training(about),
        )
