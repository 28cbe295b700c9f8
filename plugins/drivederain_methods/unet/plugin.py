"""Entry point of the U-Net."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec, WeightsSpec
from drivederain_methods.unet.tuning import GRID

_PHASE2 = PresetSpec(
    name="phase2",
    summary="the plan's: 100 epochs of Adam at 1e-4 on L1 + VGG + SSIM, batches of 8 at 256 pixels",
    training={
        "size": 256,
        "crop": 256,
        "batch_size": 8,
        "losses": {"l1": 1.0, "vgg": 0.1, "ssim": 0.1},
        "optimizer": "adam",
        "learning_rate": 1e-4,
        "weight_decay": 0.0,
        "schedule": "plateau",
        "factor": 0.5,
        "plateau_patience": 5,
        "warm_up": 0.0,
        "ema": 0.0,
        "patience": 15,
        "target_psnr": 28.0,
        "target_ssim": 0.85,
    },
    budget="100 epochs",
    source="the plan of the user, phase 2",
)


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
                channels_last=True,  # 1.25 times as fast on the CPU, in less memory (benchmarks/speed/precision.py)
            ),
            trainable=True,
            licence="Apache-2.0",
            paper="Ronneberger et al., U-Net, MICCAI 2015, arXiv:1505.04597",
            presets=(_PHASE2,),
            tuning=GRID,
            weights=(
                WeightsSpec(
                    name="compact",
                    source="package:drivederain_methods/unet/weights/unet.safetensors",
                    sha256="c7a0beb9175a6a089942d753b0d728a0d1317538c21a00425d277798382f8a0b",
                    licence="Apache-2.0",
                    trained_on="40 redistributable road photographs and 238 drawn scenes, drawn rain",
                    weights_class="shipped",
                    card="package:drivederain_methods/unet/weights/unet.json",
                ),
            ),
        )
    ]
