"""LoRA adapters (Hu et al., ICLR 2022) on the attention of the base, in the layout that diffusers and peft share.

A file of ours is what ``StableDiffusionInstructPix2PixPipeline.load_lora_weights`` loads, and files that diffusers' own
training scripts wrote are read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from diffusers import UNet2DConditionModel
from diffusers.utils import convert_unet_state_dict_to_peft
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor, nn

from drivederain.errors import WeightsError
from drivederain.method import LoadedWeights

NAME = "default"
"""Of the adapter, as peft has it."""
PREFIX = "unet."
"""Of its tensors and settings in a file, which may hold adapters of the text encoder too."""
HEADER = "lora_adapter_metadata"
"""Where diffusers looks for rank and alpha: without them alpha is taken for the rank, and outputs differ."""


def add_adapters(unet: UNet2DConditionModel, *, rank: int, alpha: float, targets: Sequence[str]) -> list[nn.Parameter]:
    """Add adapters that change nothing yet; return their parameters, the only ones that are trained."""
    return _add(unet, LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights="gaussian", target_modules=list(targets)))


def _add(unet: UNet2DConditionModel, config: LoraConfig) -> list[nn.Parameter]:
    unet.add_adapter(config, adapter_name=NAME)
    return [parameter for parameter in unet.parameters() if parameter.requires_grad]


def adapter_state(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The tensors of the adapters by the names that they have in a file."""
    return {f"{PREFIX}{key}": value for key, value in get_peft_model_state_dict(unet, adapter_name=NAME).items()}


def adapter_header(unet: UNet2DConditionModel) -> dict[str, str]:
    """The settings of the adapters, as diffusers writes them into a file's metadata."""
    settings = {f"{PREFIX}{name}": _plain(value) for name, value in unet.peft_config[NAME].to_dict().items()}
    return {HEADER: json.dumps(settings, sort_keys=True)}


def load_adapters(unet: UNet2DConditionModel, weights: LoadedWeights) -> list[nn.Parameter]:
    """Add the adapters of a file, with the rank, alpha and targets that it names or shows; return their parameters.

    Raises:
        WeightsError: it holds no adapters for this network, or some that fit none of its layers.
    """
    given = {key.removeprefix(PREFIX): value for key, value in weights.tensors.items() if key.startswith(PREFIX)}
    tensors = convert_unet_state_dict_to_peft(given) if given else {}
    if not any(".lora_A." in key for key in tensors):
        raise WeightsError(
            f"{weights.path}: it holds no LoRA adapters of a U-Net (names that begin with {PREFIX} and hold lora). "
            "Give a file of adapters, as diffusers saves them or as train makes them."
        )
    parameters = _add(unet, _config(tensors, weights))
    own = get_peft_model_state_dict(unet, adapter_name=NAME)
    # Loading passes over names that it does not know, and leaves what a file lacks as it is.
    missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    shapes = [key for key in own if key in tensors and own[key].shape != tensors[key].shape]
    if missing or unknown or shapes:
        kinds = (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        words = [f"{len(keys)} {what} ({keys[0]})" for what, keys in kinds if keys]
        raise WeightsError(
            f"{weights.path}: the adapters are for another base model: {', '.join(words)}. "
            "Give the base they were trained on (--set diffusion.base=FOLDER)."
        )
    set_peft_model_state_dict(unet, tensors, adapter_name=NAME)
    return parameters


def _config(tensors: Mapping[str, Tensor], weights: LoadedWeights) -> LoraConfig:
    ranks = {key.split(".lora_A.")[0]: value.shape[0] for key, value in tensors.items() if ".lora_A." in key}
    layers = sorted({re.split(r"\.lora_[AB]\.", key)[0] for key in tensors})
    named = _named(weights)
    if not named:
        # Old files say nothing: their alpha is their rank.
        rank = max(ranks.values())
        patterns = {name: each for name, each in ranks.items() if each != rank}
        return LoraConfig(
            r=rank,
            lora_alpha=rank,
            target_modules=layers,
            rank_pattern=patterns,
            alpha_pattern=patterns,
        )
    known = LoraConfig(target_modules=layers).to_dict().keys()
    kept = ("r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora", "lora_bias")
    return LoraConfig(target_modules=layers, **{name: named[name] for name in kept if name in named and name in known})


def _named(weights: LoadedWeights) -> dict[str, Any]:
    """What the file says of its adapters; empty where it says nothing.

    Raises:
        WeightsError: it says something that cannot be read.
    """
    text = weights.header.get(HEADER)
    if text is None:
        return {}
    try:
        settings = json.loads(text)
        return {name.removeprefix(PREFIX): value for name, value in settings.items() if name.startswith(PREFIX)}
    except (ValueError, AttributeError) as error:
        raise WeightsError(
            f"{weights.path}: what it says of its adapters ({HEADER}) cannot be read: {error}"
        ) from error


def _plain(value: Any) -> Any:
    """As JSON has it; the order of a set depends on the process."""
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    return value if isinstance(value, str | int | float | bool | list | tuple | type(None)) else str(value)
