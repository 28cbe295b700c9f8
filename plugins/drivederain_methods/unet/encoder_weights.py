"""ImageNet weights for the encoder, as a start of training: from a file, from the cache, or downloaded if allowed."""

from __future__ import annotations

from pathlib import Path

from segmentation_models_pytorch.encoders import encoders
from torch import nn

from drivederain.errors import WeightsError
from drivederain.weights import read_weights
from drivederain_methods.unet.options import UNetOptions


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
        path, words = Path(wanted), f"from the file {Path(wanted).name}"
    tensors = dict(read_weights(path).tensors)
    missing = encoder.load_state_dict(
        {key.removeprefix("encoder."): value for key, value in tensors.items()}, strict=False
    ).missing_keys
    if missing:
        raise WeightsError(
            f"{path}: these are not weights of the encoder {options.encoder!r}: {missing[0]} is missing "
            f"(and {len(missing) - 1} more). Give the file of that encoder, or --set unet.encoder_weights=none."
        )
    return words


def _imagenet(name: str, *, download: bool) -> tuple[Path | None, str]:
    settings = encoders.get(name, {}).get("pretrained_settings", {}).get("imagenet")
    if settings is None or "repo_id" not in settings:
        return None, f"random (no ImageNet weights are known for the encoder {name})"
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        found = hf_hub_download(
            settings["repo_id"],
            filename="model.safetensors",
            revision=settings["revision"],
            local_files_only=not download,
            etag_timeout=20,
        )
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
        if download:
            raise WeightsError(
                f"the encoder's ImageNet weights {settings['repo_id']} could not be downloaded ({type(error).__name__}). "
                "Try again, give a file with --set unet.encoder_weights=FILE, or train without: --set unet.encoder_weights=none."
            ) from error
        return None, "random (ImageNet weights are not in the cache; --download fetches them)"
    return Path(found), f"ImageNet ({settings['repo_id']})"
