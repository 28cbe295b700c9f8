"""LoRA adapters (Hu et al., ICLR 2022) on the attention of the base, in the layout that diffusers and peft share.

A file of ours is what ``StableDiffusionInstructPix2PixPipeline.load_lora_weights`` loads, and files that diffusers' own
training scripts wrote are read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from diffusers import UNet2DConditionModel
from diffusers.utils import convert_unet_state_dict_to_peft
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor, nn

from drivederain.errors import OptionError, WeightsError
from drivederain.method import LoadedWeights

NAME = "default"
"""Of the adapter, as peft has it."""
PREFIX = "unet."
"""Of its tensors and settings in a file, which may hold adapters of the text encoder too."""
SETTINGS: dict[str, type | tuple[type, ...]] = {
    "r": int,
    "lora_alpha": (int, float),
    "rank_pattern": dict,
    "alpha_pattern": dict,
    "use_rslora": bool,
    "use_dora": bool,
    "lora_bias": bool,
}
"""Of peft's, those that decide what adapters of given tensors do, and what they are."""
_BASE = "Give the base they were trained on (--set diffusion.base=FOLDER)."
_LAYERS = "Give layers of its attention, as to_q,to_k,to_v,to_out.0."
HEADER = "lora_adapter_metadata"
"""Where diffusers looks for rank and alpha: without them alpha is taken for the rank, and outputs differ."""


def add_adapters(unet: UNet2DConditionModel, *, rank: int, alpha: float, targets: Sequence[str]) -> list[nn.Parameter]:
    """Add adapters that change nothing yet; return their parameters, the only ones that are trained.

    Raises:
        OptionError: a target that names no layer which can have an adapter.
    """
    config = LoraConfig(r=rank, lora_alpha=alpha, init_lora_weights="gaussian", target_modules=list(targets))
    try:
        parameters = _add(unet, config)
    # Of a type of peft's own, or ValueError for layers of another kind.
    except Exception as error:
        raise OptionError(f"diffusion.targets={','.join(targets)}: {_short(error)}. {_LAYERS}") from error
    layers = _layers(adapter_state(unet))
    for target in targets:
        if not any(layer == target or layer.endswith(f".{target}") for layer in layers):
            raise OptionError(f"diffusion.targets={','.join(targets)}: the base has no layer {target}. {_LAYERS}")
    return parameters


def _add(unet: UNet2DConditionModel, config: LoraConfig) -> list[nn.Parameter]:
    unet.add_adapter(config, adapter_name=NAME)
    return [parameter for parameter in unet.parameters() if parameter.requires_grad]


def adapter_state(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    """The tensors of the adapters by the names that they have in a file."""
    return {f"{PREFIX}{key}": value for key, value in get_peft_model_state_dict(unet, adapter_name=NAME).items()}


def adapter_header(unet: UNet2DConditionModel) -> dict[str, str]:
    """The settings of the adapters, where diffusers looks for them.

    Those that decide the outputs alone, so that adapters which were made and ones which were loaded say the same.
    """
    config = unet.peft_config[NAME].to_dict()
    settings = {name: config[name] for name in SETTINGS if name in config}
    settings["target_modules"] = _layers(adapter_state(unet))
    return {HEADER: json.dumps({f"{PREFIX}{name}": value for name, value in settings.items()}, sort_keys=True)}


def _layers(tensors: Iterable[str]) -> list[str]:
    """Names of the layers that have adapters, from the names of their tensors."""
    return sorted({re.split(r"\.lora_[AB]\.", key.removeprefix(PREFIX))[0] for key in tensors if ".lora_" in key})


def load_adapters(
    unet: UNet2DConditionModel, weights: LoadedWeights, *, beside: Sequence[str] = ()
) -> list[nn.Parameter]:
    """Add the adapters of a file, with the rank, alpha and targets that it names or shows; return their parameters.

    Args:
        beside: tensors of the file that are no adapters and that somebody else takes.

    Raises:
        WeightsError: it holds no adapters for this network, some that fit none of its layers, or others too.
    """
    given = {key.removeprefix(PREFIX): value for key, value in weights.tensors.items() if key.startswith(PREFIX)}
    others = sorted(key for key in weights.tensors if not key.startswith(PREFIX) and key not in beside)
    tensors = convert_unet_state_dict_to_peft(given) if given else {}
    if not any(".lora_A." in key for key in tensors):
        raise WeightsError(
            f"{weights.path}: it holds no LoRA adapters of a U-Net (names that begin with {PREFIX} and hold lora). "
            "Give a file of adapters, as diffusers saves them or as train makes them."
        )
    if others or any(key.endswith(".alpha") for key in tensors):
        other = others[0] if others else next(key for key in tensors if key.endswith(".alpha"))
        raise WeightsError(
            f"{weights.path}: beside adapters of the U-Net it holds {other}, which is not used here. "
            "Load the file with diffusers and save the adapters of the U-Net alone (save_lora_weights)."
        )
    try:
        parameters = _add(unet, _config(tensors, weights))
    # What a stranger wrote of its adapters may be anything.
    except Exception as error:
        if isinstance(error, WeightsError):
            raise
        raise WeightsError(
            f"{weights.path}: its adapters do not fit the base model ({_short(error)}). {_BASE}"
        ) from error
    own = get_peft_model_state_dict(unet, adapter_name=NAME)
    # Loading passes over names that it does not know, and leaves what a file lacks as it is.
    missing, unknown = sorted(own.keys() - tensors.keys()), sorted(tensors.keys() - own.keys())
    shapes = [key for key in own if key in tensors and own[key].shape != tensors[key].shape]
    if missing or unknown or shapes:
        kinds = (("missing", missing), ("unknown", unknown), ("of another shape", shapes))
        words = [f"{len(keys)} {what} ({keys[0]})" for what, keys in kinds if keys]
        raise WeightsError(f"{weights.path}: the adapters are for another base model: {', '.join(words)}. {_BASE}")
    set_peft_model_state_dict(unet, tensors, adapter_name=NAME)
    return parameters


def _config(tensors: Mapping[str, Tensor], weights: LoadedWeights) -> LoraConfig:
    ranks = {key.split(".lora_A.")[0]: value.shape[0] for key, value in tensors.items() if ".lora_A." in key}
    layers, named = _layers(tensors), _named(weights)
    if named:
        return LoraConfig(target_modules=layers, init_lora_weights="gaussian", **named)
    # Old files say nothing: their alpha is their rank.
    rank = max(ranks.values())
    patterns = {name: each for name, each in ranks.items() if each != rank}
    return LoraConfig(
        r=rank,
        lora_alpha=rank,
        target_modules=layers,
        init_lora_weights="gaussian",
        rank_pattern=patterns,
        alpha_pattern=patterns,
    )


def _named(weights: LoadedWeights) -> dict[str, Any]:
    """What of ``SETTINGS`` the file says of its adapters; empty where it says nothing.

    Raises:
        WeightsError: it says something that cannot be read.
    """
    text = weights.header.get(HEADER)
    if text is None:
        return {}
    try:
        said = {name.removeprefix(PREFIX): value for name, value in json.loads(text).items() if name.startswith(PREFIX)}
        named = {name: said[name] for name in SETTINGS if name in said}
        wrong = next((name for name, value in named.items() if not isinstance(value, SETTINGS[name])), None)
        if wrong is not None:
            raise ValueError(f"{wrong} is {named[wrong]!r}")
    except (ValueError, AttributeError) as error:
        raise WeightsError(
            f"{weights.path}: what it says of its adapters ({HEADER}) cannot be read: {error}. Save them anew."
        ) from error
    return named


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
