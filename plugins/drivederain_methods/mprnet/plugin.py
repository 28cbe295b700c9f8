"""Entry point of MPRNet."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec, WeightsSpec
from drivederain_methods.published import on_rain13k, on_rain200

_PAPER = "MPRNet, CVPR 2021, arXiv:2102.02808, table 1"
_PUBLISHED = (
    *on_rain13k((30.27, 0.897), (30.41, 0.890), (36.40, 0.965), (33.64, 0.938), (32.91, 0.916), source=_PAPER),
    *on_rain200((39.47, None), (30.67, None)),
)

_OFFICIAL = PresetSpec(
    name="mprnet-official",
    summary="the paper's: 250 epochs of Adam on Charbonnier and edge loss, batches of 16 at 256 pixels",
    options={"channels": 40, "growth": 20, "full_growth": 16, "blocks": 8, "reduction": 4},
    training={
        "losses": {"charbonnier": 1.0, "edge": 0.05},
        "crop": 256,
        "batch_size": 16,
        "jitter": 0.0,
        "optimizer": "adam",
        "learning_rate": 2e-4,
        "weight_decay": 0.0,
        "schedule": "cosine",
        # Three epochs of warm-up.
        "warm_up": 3 / 250,
        "final": 1e-6 / 2e-4,
        "gradient_clip": None,
        "ema": 0.0,
    },
    budget="250 epochs",
    source="Zamir et al., CVPR 2021, section 4.2, and the settings of the official repository",
)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="mprnet",
            summary="MPRNet: two stages on parts of the picture, one on all (official checkpoint, or a compact one)",
            kind="stage",
            implementation="drivederain_methods.mprnet.method:MPRNet",
            options="drivederain_methods.mprnet.options:MPRNetOptions",
            needs=Needs(multiple=8, precisions=("fp32", "bf16"), tile=1024),
            trainable=True,
            read_off=("channels", "growth", "full_growth", "blocks", "reduction"),
            licence="academic, non-commercial (the architecture's code, through spandrel_extra_arches)",
            non_commercial=True,
            requires=("spandrel", "spandrel_extra_arches"),
            extra="nc",
            paper="Zamir et al., Multi-Stage Progressive Image Restoration, CVPR 2021, arXiv:2102.02808",
            weights=(
                WeightsSpec(
                    name="deraining",
                    source="https://drive.usercontent.google.com/download"
                    "?id=1O3WEJbcat7eTY6doXWeorAbQ1l_WmMnM&export=download&confirm=t",
                    # As another project recorded it; nobody fetched the file here.
                    sha256="d73d057a097e1cc97fbbea8481e98873f61ba4ee416834d9ef8201908e46dee5",
                    licence="academic, non-commercial",
                    trained_on="Rain13K, 13,712 pairs with drawn streaks",
                    weights_class="official",
                ),
            ),
            presets=(_OFFICIAL,),
            published=_PUBLISHED,
        )
    ]
