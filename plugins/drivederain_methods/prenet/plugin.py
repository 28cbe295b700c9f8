"""Entry point of PReNet."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec, WeightsSpec
from drivederain_methods.published import BY_MPRNET, on_rain13k, on_rain200, published

_PAPER = "Ren et al., PReNet, CVPR 2019, arXiv:1901.09221, trained on each set"
_PUBLISHED = (
    *published(_PAPER, "prenet", {"Rain100H": (29.46, 0.899), "Rain100L": (37.48, 0.979)}),
    *on_rain13k((24.81, 0.851), (26.77, 0.858), (32.44, 0.950), (31.75, 0.916), (31.36, 0.911), source=BY_MPRNET),
    *on_rain200((37.80, None), (29.04, None)),
)

_OFFICIAL = PresetSpec(
    name="prenet-official",
    summary="the paper's: 100 epochs of Adam on negative SSIM, batches of 18 at 100 pixels",
    training={
        "losses": {"ssim": 1.0},
        "crop": 100,
        "batch_size": 18,
        "flip": 0.0,
        "jitter": 0.0,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "schedule": "step",
        "factor": 0.2,
        "milestones": (30, 50, 80),
        "warm_up": 0.0,
        "gradient_clip": None,
        "ema": 0.0,
    },
    budget="100 epochs",
    source="Ren et al., CVPR 2019, section 4, and the settings of the official repository",
)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="prenet",
            summary="PReNet: one small network that looks at its own output six times, with memory",
            kind="stage",
            implementation="drivederain_methods.prenet.method:PReNetMethod",
            options="drivederain_methods.prenet.options:PReNetOptions",
            needs=Needs(eight_bit="truncate", tile=2048),
            trainable=True,
            read_off=("recurrences", "memory", "shared_block", "add"),
            licence="Apache-2.0 (this code; the official repository names no licence)",
            paper="Ren et al., Progressive Image Deraining Networks, CVPR 2019, arXiv:1901.09221",
            weights=(
                WeightsSpec(
                    name="rain100h",
                    source="https://raw.githubusercontent.com/csdwren/PReNet/"
                    "c5ca7c21bb5e43e78d4027ff0dfa7c4c97995d58/logs/Rain100H/PReNet6/net_latest.pth",
                    sha256="127c0098787c5272f1f8583f6c5202e7ef674f750cd145a1691912a6d9e96210",
                    bytes=681_694,
                    licence="none stated by the official repository",
                    trained_on="RainTrainH, 1,254 pairs with drawn streaks",
                    weights_class="official",
                ),
            ),
            presets=(_OFFICIAL,),
            published=_PUBLISHED,
        )
    ]
