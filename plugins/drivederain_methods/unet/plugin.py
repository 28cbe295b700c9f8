"""Entry point of the U-Net."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="unet",
            summary="U-Net that predicts what the rain added (segmentation-models-pytorch, or the plan's own)",
            kind="stage",
            implementation="drivederain_methods.unet.method:UNet",
            options="drivederain_methods.unet.options:UNetOptions",
            needs=Needs(multiple=32, minimum=64, precisions=("fp32", "bf16", "fp16"), tile=2048, tile_overlap=128),
            trainable=True,
            licence="Apache-2.0",
            paper="Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597",
        )
    ]
