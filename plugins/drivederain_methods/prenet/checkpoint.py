"""Official checkpoints of PReNet, whatever their tensors are called."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from torch import Tensor

from drivederain.method import LoadedWeights

KNOWN = re.compile(r"(?:^|.*\.)(conv0|res_conv[1-5]|conv_[ifgo]|conv)\.(\d+)\.(weight|bias)$")
"""Our names, whatever stands before them (``module.``, ``generator.``)."""
ANCESTOR = re.compile(r"(?:^|.*\.)det_(conv0|conv[1-5]|conv_mask)\.(\d+)\.(weight|bias)$")
"""Names of the network that the one for real photos was made from (attentive GAN for raindrops)."""

FOR_REAL_PHOTOS: dict[str, Any] = {"memory": "behind", "add": False, "recurrences": 4}


def by_our_names(weights: LoadedWeights) -> tuple[LoadedWeights, bool]:
    """The weights with our names, and whether they had those of the network for real photos.

    Names that are neither stay, and ``load_state`` complains of them.
    """
    tensors: dict[str, Tensor] = {}
    ancestor = False
    for name, value in weights.tensors.items():
        if known := KNOWN.match(name):
            tensors[".".join(known.groups())] = value
        elif old := ANCESTOR.match(name):
            block, layer, kind = old.groups()
            ours = {"conv0": "conv0", "conv_mask": "conv"}.get(block, f"res_{block}")
            tensors[f"{ours}.{layer}.{kind}"] = value
            ancestor = True
        else:
            tensors[name] = value
    return replace(weights, tensors=tensors), ancestor


def read_off(weights: LoadedWeights) -> dict[str, Any]:
    """What the tensors, by our names, tell of the network: one block or five, and whether it has no memory."""
    told: dict[str, Any] = {"shared_block": "res_conv2.0.weight" not in weights.tensors}
    if "conv_i.0.weight" not in weights.tensors:
        told["memory"] = "none"
    return told
