"""Entry point of the U-Net."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, WeightsSpec


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="unet",
            summary="U-Net that predicts what the rain added (segmentation-models-pytorch, or the plan's own)",
            kind="stage",
            implementation="drivederain_methods.unet.method:UNet",
            options="drivederain_methods.unet.options:UNetOptions",
            needs=Needs(
                multiple=32,
                minimum=64,
                precisions=("fp32", "bf16", "fp16"),
                tile=2048,
                tile_overlap=128,
                channels_last=True,  # 1.25 times as fast on the CPU, in less memory (benchmarks/speed/precision.py)
            ),
            trainable=True,
            licence="Apache-2.0",
            paper="Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597",
            weights=(
                WeightsSpec(
                    name="compact",
                    source="package:drivederain_methods/unet/weights/unet.safetensors",
                    sha256="e03fd4efd5251910335048f87d5bca60d03c42a607d8473170932ee8ad1ecd3c",
                    licence="Apache-2.0",
                    trained_on="40 redistributable road photographs and 240 drawn scenes, drawn rain",
                    weights_class="shipped",
                    card="package:drivederain_methods/unet/weights/unet.json",
                ),
            ),
        )
    ]
