"""ImageNet weights for the encoder, as a start of training: from a file, from the cache, or downloaded if allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import timm
from segmentation_models_pytorch.encoders import encoders
from torch import Tensor, nn

from drivederain.errors import WeightsError
from drivederain.weights import read_weights
from drivederain_methods.unet.options import UNetOptions

DOWNLOAD_SECONDS = 600.0
"""A download that has not ended by then is given up: servers that send nothing must not hold a run."""
ANSWER_SECONDS = 20
OTHERWISE = "Give a file with --set unet.encoder_weights=FILE, or train without: --set unet.encoder_weights=none."


def load_encoder_weights(encoder: nn.Module, options: UNetOptions, *, download: bool) -> str:
    """Load what ``options.encoder_weights`` asks for into ``encoder``; return in words what was loaded.

    Raises:
        WeightsError: a file that was named cannot be used, or a download that was asked for failed.
    """
    wanted = options.encoder_weights
    if wanted == "none":
        return "random (encoder_weights=none)"
    if wanted == "imagenet":
        path, words = _imagenet(options.encoder, download=download)
        if path is None:
            return words
    else:
        path, words = Path(wanted).expanduser(), f"from the file {Path(wanted).name}"
        if not path.is_file():
            raise WeightsError(
                f"--set unet.encoder_weights={wanted}: there is no such file, nor is it imagenet or none"
            )
    encoder.load_state_dict(_fitting(encoder, read_weights(path).tensors, options.encoder, path))
    return words


def _fitting(encoder: nn.Module, stored: Mapping[str, Tensor], name: str, path: Path) -> dict[str, Tensor]:
    """The encoder's complete state from a file that may hold more (a classifier's head) and count no batches."""
    tensors = {key.removeprefix("encoder."): value for key, value in stored.items()}
    own = encoder.state_dict()
    if all(key.startswith("model.") for key in own) and not any(key.startswith("model.") for key in tensors):
        tensors = {f"model.{key}": value for key, value in tensors.items()}  # timm's, which smp wraps
    missing = [key for key in own if key not in tensors and not key.endswith("num_batches_tracked")]
    shapes = [key for key in own if key in tensors and tensors[key].shape != own[key].shape]
    if missing or shapes:
        first = f"{missing[0]} is missing" if missing else f"{shapes[0]} is of another shape"
        more = f" (and {len(missing) + len(shapes) - 1} more)" if len(missing) + len(shapes) > 1 else ""
        raise WeightsError(f"{path}: these are not weights of the encoder {name}: {first}{more}. {OTHERWISE}")
    return {key: tensors.get(key, value) for key, value in own.items()}


def _imagenet(name: str, *, download: bool) -> tuple[Path | None, str]:
    repository, revision = _source(name)
    if repository is None:
        return None, f"random (no ImageNet weights are known for the encoder {name})"
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def fetch() -> str:
        return hf_hub_download(
            repository,
            filename="model.safetensors",
            revision=revision,
            local_files_only=not download,
            etag_timeout=ANSWER_SECONDS,
        )

    if not download:
        try:
            return Path(fetch()), f"ImageNet ({repository}, from the cache)"
        except LocalEntryNotFoundError:
            return None, "random (ImageNet weights are not in the cache; --download fetches them)"
    try:
        return Path(_within(DOWNLOAD_SECONDS, fetch)), f"ImageNet ({repository}, with --download)"
    except Exception as error:  # requests, httpx, xet and the hub have errors of their own, which differ by version
        raise WeightsError(
            f"the encoder's ImageNet weights {repository} could not be downloaded ({type(error).__name__}: "
            f"{str(error).strip()[:200]}). Try again. {OTHERWISE}"
        ) from error


def _source(name: str) -> tuple[str | None, str | None]:
    """Repository on the Hugging Face hub, and its revision where one is pinned."""
    if name.startswith("tu-"):
        settings = timm.get_pretrained_cfg(name.removeprefix("tu-"), allow_unregistered=True)
        return (settings.hf_hub_id, None) if settings is not None and settings.hf_hub_id else (None, None)
    pinned = encoders.get(name, {}).get("pretrained_settings", {}).get("imagenet", {})
    return pinned.get("repo_id"), pinned.get("revision")


def _within(seconds: float, work: Callable[[], str]) -> str:
    """What ``work`` returns or raises; TimeoutError if that takes longer, and the work is left to its thread."""
    outcome: list[str | Exception] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError(f"nothing came within {seconds:g} seconds")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]
