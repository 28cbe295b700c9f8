"""Entry point of Restormer."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PresetSpec, WeightsSpec
from drivederain_methods.published import on_rain13k, on_rain200

_PAPER = "Restormer, CVPR 2022, arXiv:2111.09881, table 1"
_PUBLISHED = (
    *on_rain13k((32.00, 0.923), (31.46, 0.904), (38.99, 0.978), (34.18, 0.944), (33.19, 0.926), source=_PAPER),
    *on_rain200((40.99, None), (32.00, None)),
)

_LEGS = ((92, 128, 8), (64, 160, 5), (48, 192, 4), (36, 256, 2), (36, 320, 1), (24, 384, 1))
"""Thousands of iterations, crop and batch on each of eight GPUs."""
_OFFICIAL = PresetSpec(
    name="restormer-official",
    summary="the paper's: 300,000 iterations of AdamW on L1, crops from 128 to 384 pixels",
    options={"dim": 48, "blocks": (4, 6, 6, 8), "refinement": 4, "heads": (1, 2, 4, 8), "ffn": 2.66},
    training={
        "losses": {"l1": 1.0},
        "crop": 128,
        "batch_size": 8,
        "progressive": tuple(
            {"until": sum(leg[0] for leg in _LEGS[: number + 1]) / 300, "crop": crop, "batch_size": batch}
            for number, (_, crop, batch) in enumerate(_LEGS)
        ),
        "jitter": 0.0,
        "optimizer": "adamw",
        "learning_rate": 3e-4,
        "weight_decay": 1e-4,
        "schedule": "cosine",
        "warm_up": 0.0,
        "hold": 92 / 300,
        "final": 1e-6 / 3e-4,
        "gradient_clip": 0.01,
        "ema": 0.0,
    },
    budget="300000 steps",
    source="Zamir et al., CVPR 2022, section 4, and the settings of the official repository",
)


@hookimpl
def drivederain_methods() -> list[MethodSpec]:
    return [
        MethodSpec(
            name="restormer",
            summary="Restormer: transposed-attention transformer (official checkpoint, or a compact one)",
            kind="stage",
            implementation="drivederain_methods.restormer.method:Restormer",
            options="drivederain_methods.restormer.options:RestormerOptions",
            needs=Needs(multiple=8, precisions=("fp32", "bf16"), tile=1024),
            trainable=True,
            read_off=("dim", "blocks", "refinement", "heads", "ffn"),
            licence="academic, non-commercial (the architecture's code, through spandrel_extra_arches)",
            non_commercial=True,
            requires=("spandrel", "spandrel_extra_arches"),
            extra="nc",
            paper="Zamir et al., Restormer, CVPR 2022, arXiv:2111.09881",
            weights=(
                WeightsSpec(
                    name="compact",
                    source="package:drivederain_methods/restormer/weights/restormer.safetensors",
                    sha256="d9df60a4d9b14d03ab337cc7e6e40c0ffd1b79cebe9a80c7ba17382ab9408092",
                    licence="Apache-2.0",
                    trained_on="40 redistributable road photographs and 240 drawn scenes, drawn rain",
                    weights_class="shipped",
                    card="package:drivederain_methods/restormer/weights/restormer.json",
                ),
                WeightsSpec(
                    name="deraining",
                    source="https://github.com/swz30/Restormer/releases/download/v1.0/deraining.pth",
                    # As another project recorded it; nobody fetched the file here.
                    sha256="225ed9acf80b3527d7080e5182918f642a23a78ef8593ad700b7e924bd660681",
                    licence="academic, non-commercial",
                    trained_on="Rain13K, 13,712 pairs with drawn streaks",
                    weights_class="official",
                ),
            ),
            presets=(_OFFICIAL,),
            published=_PUBLISHED,
        )
    ]
