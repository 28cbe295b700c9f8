"""Entry point of Restormer."""

from __future__ import annotations

from drivederain.hookspecs import hookimpl
from drivederain.specs import MethodSpec, Needs, PublishedScore, WeightsSpec

_PAPER = "Restormer, CVPR 2022, arXiv:2111.09881, table 1"
_PUBLISHED = (
    ("Test100", 32.00, 0.923),
    ("Rain100H", 31.46, 0.904),
    ("Rain100L", 38.99, 0.978),
    ("Test2800", 34.18, 0.944),
    ("Test1200", 33.19, 0.926),
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
            needs=Needs(multiple=8, precisions=("fp32", "bf16"), tile=1024, tile_overlap=64),
            trainable=True,
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
            ),
            published=tuple(
                PublishedScore(dataset, metric, value, _PAPER)
                for dataset, psnr, ssim in _PUBLISHED
                for metric, value in (("psnr_y[mprnet]", psnr), ("ssim_y[mprnet]", ssim))
            ),
        )
    ]
