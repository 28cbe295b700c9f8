"""NIQE (Mittal, Soundararajan and Bovik, "Making a completely blind image quality analyzer", IEEE Signal Processing
Letters 20(3), 2013), computed by the package ``pyiqa``, of the extra ``noref``."""

from __future__ import annotations

import hashlib
import importlib.metadata
import math
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

from drivederain.carried_tensors import carried_tensors
from drivederain.errors import MetricError
from drivederain.metrics.metric import NoReferenceMetric, check_output

ROAD: Final = Path(__file__).parent / "weights" / "niqe-road.safetensors"
ROAD_SHA256: Final = "fb2bbdd7fffde6c69f065451812d619e1664e776f38753988faeebad7b8a5548"
OFFICIAL: Final = "niqe_modelparameters.mat"
"""As pyiqa calls the file of the authors' release in its folder."""
PATCH: Final = 96
"""Pixels a side of the patches whose statistics are compared."""
MINIMUM: Final = 2 * PATCH
"""Below it there are too few patches for a covariance."""
FEATURES: Final = 36


class NIQE(NoReferenceMetric):
    """Distance of a picture's natural scene statistics from those of pristine photographs, 0 or more, lower is better.

    Variants: ``official`` has the parameters of the authors' release, which ``pyiqa`` fetches and this does not;
    ``road`` has parameters fitted in the same way to clear road photographs, which the package carries.

    It ranks rain on a windshield badly: docs/metrics.md says how often it calls a rainy picture better than the same
    road without rain. It is worked out on the CPU, in float64, wherever the run is.
    """

    variants: ClassVar[tuple[str, ...]] = ("road", "official")

    def __init__(self, variant: str) -> None:
        super().__init__(variant)
        self._niqe: Any = None
        self._mean = self._covariance = torch.empty(0)

    @classmethod
    def data_version(cls, variant: str) -> str:
        """The version of ``pyiqa`` and the SHA-256 of the parameters; "" where they are not there."""
        try:
            path = ROAD if variant == "road" else _pyiqa_folder() / OFFICIAL
            return f"pyiqa {importlib.metadata.version('pyiqa')} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        except (MetricError, OSError, importlib.metadata.PackageNotFoundError):
            return ""

    def load(self, device: torch.device) -> None:
        """Read the parameters. Raises :class:`~drivederain.errors.MetricError` without the package or its file."""
        folder = _pyiqa_folder()
        from pyiqa.archs.niqe_arch import calculate_niqe

        self._mean, self._covariance = _road() if self.variant == "road" else _official(folder / OFFICIAL)
        self._niqe = calculate_niqe

    def close(self) -> None:
        """Let go of the parameters."""
        self._niqe = None

    def score_output(self, output: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`NoReferenceMetric.score_output`; of whole pictures alone, of at least 192 x 192 pixels.

        NaN for a picture without any texture, whose statistics do not exist.
        """
        check_output(type(self).__name__, output)
        height, width = output.shape[-2:]
        if min(height, width) < MINIMUM:
            raise MetricError(
                f"NIQE needs at least {MINIMUM}x{MINIMUM} pixels, and the picture is {width}x{height};"
                " use larger pictures or leave this metric out"
            )
        if self._niqe is None:
            raise MetricError("NIQE has no parameters yet: call load(device) before score_output()")
        with torch.inference_mode():
            values = [self._value(picture[None].cpu().float() / 255) for picture in output]
        return {"image": torch.tensor(values, dtype=torch.float64)}

    def _value(self, picture: Tensor) -> float:
        try:
            return float(self._niqe(picture, mu_pris_param=self._mean, cov_pris_param=self._covariance))
        except torch.linalg.LinAlgError:  # no patch has texture, so that there is no covariance
            return math.nan


def _pyiqa_folder() -> Path:
    """Where pyiqa keeps what it has fetched. Raises :class:`~drivederain.errors.MetricError` without pyiqa."""
    try:
        from pyiqa.utils.download_util import DEFAULT_CACHE_DIR
    except ImportError as error:
        raise MetricError(
            f"NIQE needs the package pyiqa ({error}); install it by: pip install 'drivederain[noref]'"
        ) from error
    return Path(DEFAULT_CACHE_DIR)


def _road() -> tuple[Tensor, Tensor]:
    tensors = carried_tensors(ROAD, ROAD_SHA256)
    return tensors["mean"], tensors["covariance"]


def _official(path: Path) -> tuple[Tensor, Tensor]:
    from scipy.io import loadmat

    if not path.is_file():
        raise MetricError(
            f"niqe[official] needs the authors' parameters, and there is no {path}; with a network, fetch them by:"
            " python -c \"import pyiqa; pyiqa.create_metric('niqe')\", or choose niqe[road], which needs none"
        )
    try:
        found = loadmat(path)
        mean = torch.from_numpy(found["mu_prisparam"]).double().flatten()
        covariance = torch.from_numpy(found["cov_prisparam"]).double()
    except Exception as error:  # loadmat raises what it likes on a damaged file
        raise MetricError(f"{path} cannot be read ({error}); delete it and fetch it again") from error
    if mean.shape != (FEATURES,) or covariance.shape != (FEATURES, FEATURES) or not covariance.isfinite().all():
        raise MetricError(f"{path} does not hold {FEATURES} means and their covariance; delete it and fetch it again")
    return mean, covariance
