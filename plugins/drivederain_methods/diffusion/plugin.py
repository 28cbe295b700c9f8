"""Entry point of the diffusion refiner."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec, WeightsSpec


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="diffusion",
            summary="refiner: a bridge from the estimate of the stage before it, or InstructPix2Pix with LoRA adapters",
            kind="refiner",
            implementation="drivederain_methods.diffusion.method:Diffusion",
            options="drivederain_methods.diffusion.options:DiffusionOptions",
            adjustable=("blend", "gate"),
            version=2,
            # Multiple and minimum are those of options.py.
            needs=Needs(multiple=64, minimum=64, precisions=("fp32", "bf16"), tiles_itself=True),
            stochastic=True,
            trainable=True,
            licence="Apache-2.0",
            paper="Delbracio & Milanfar, InDI, TMLR 2023, arXiv:2303.11435; "
            "Liu et al., I2SB, ICML 2023, arXiv:2302.05872; "
            "Brooks, Holynski & Efros, InstructPix2Pix, CVPR 2023, arXiv:2211.09800",
            presets=(
                PresetSpec(
                    name="phase3",
                    summary="the plan's InstructPix2Pix with LoRA: 30 epochs at 256 pixels, batch 4, four to a step",
                    options={"model": "instruct-pix2pix"},
                    training={
                        "crop": 256,
                        "batch_size": 4,
                        "accumulate": 4,
                        "optimizer": "adamw",
                        "learning_rate": 1e-4,
                        "weight_decay": 1e-2,
                        "schedule": "cosine",
                        "gradient_clip": 1.0,
                        "ema": 0.999,
                        "jitter": 0.0,
                    },
                    budget="30 epochs",
                    source="the plan's Phase 3",
                ),
            ),
            weights=(
                WeightsSpec(
                    name="compact",
                    source="package:drivederain_methods/diffusion/weights/diffusion.safetensors",
                    sha256="65939fe2c4cd26e5460bd15fcc4a81bb9ce32d1ff51b0165b2578e7f7bcb0a27",
                    licence="Apache-2.0",
                    trained_on="40 redistributable road photographs and 119 drawn scenes, drawn rain",
                    weights_class="shipped",
                    card="package:drivederain_methods/diffusion/weights/diffusion.json",
                    behind="unet",
                ),
            ),
        )
    ]
