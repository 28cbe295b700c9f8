"""Drops are cut out and filled from around them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivederain.errors import MethodError
from drivederain.method import LoadedWeights, MaskedMethod
from drivederain_methods.baselines.drop_map import drops_in
from drivederain_methods.baselines.options import InpaintOptions

ALGORITHMS = {"telea": cv2.INPAINT_TELEA, "navier-stokes": cv2.INPAINT_NS}


class Inpaint(MaskedMethod):
    """Fills drops by OpenCV's inpainting (Telea 2004, or Bertalmio et al., CVPR 2001)."""

    options: InpaintOptions

    def load(self, weights: LoadedWeights | None, device: torch.device) -> None:
        """Nothing to load."""

    def restore(self, rainy: Tensor, mask: Tensor | None = None) -> Tensor:
        pictures = (rainy.float() * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        masks = self._masks(pictures, mask)
        algorithm = ALGORITHMS[self.options.algorithm]
        filled = [
            cv2.inpaint(np.ascontiguousarray(picture), drops.astype(np.uint8), self.options.radius, algorithm)
            for picture, drops in zip(pictures, masks, strict=True)
        ]
        restored = torch.from_numpy(np.stack(filled)).permute(0, 3, 1, 2).to(rainy.device)
        return restored.float() / 255

    def _masks(self, pictures: NDArray[np.uint8], mask: Tensor | None) -> list[NDArray[np.bool_]]:
        if self.options.drops == "estimated":
            return [drops_in(picture) for picture in pictures]
        if mask is None:
            raise MethodError("inpaint.drops=mask, and there is no drop mask of this picture; use drops=estimated")
        found: NDArray[np.bool_] = (mask[:, 0] > self.options.threshold).cpu().numpy()
        return list(found)

    def facts(self) -> dict[str, str | int | float | bool]:
        drops = "the data's drop masks" if self.options.drops == "mask" else "drops estimated from the picture"
        return {"network": f"none: OpenCV inpainting ({self.options.algorithm}) of {drops}", "parameters": 0}
