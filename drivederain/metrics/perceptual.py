"""LPIPS (Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018), version
0.1, on an AlexNet trunk that the package carries, so that nothing is downloaded."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from drivederain.carried_tensors import carried_tensors
from drivederain.errors import MetricError
from drivederain.metrics.metric import SharedTruthMetric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region
from drivederain.metrics.winograd import replace_convolutions

TRUNK: Final = Path(__file__).parent / "weights" / "alexnet-features.safetensors"
TRUNK_SHA256: Final = "1e79dbde62a13caeaf6d1d6491a66ee816a833dfa42fb3532b5a74ed1cda2da2"

MINIMUM: Final = 31
"""AlexNet's second pooling has no output below this height or width."""


class LPIPS(SharedTruthMetric):
    """Learned perceptual distance, 0 for identical pictures, lower is nearer. Variant: ``alex``.

    ``image`` is the network's own scalar: the sum over five layers of the mean distance at that layer's resolution. In
    a region it is the mean of the map: the layers' distances enlarged to the picture (bilinear) and added, as the
    ``lpips`` package's ``spatial=True`` does. The mean of the enlarged map over the whole picture differs slightly from
    ``image``.
    """

    version: ClassVar[int] = 2
    variants: ClassVar[tuple[str, ...]] = ("alex",)

    def __init__(self, variant: str) -> None:
        super().__init__(variant)
        self._network: Any = None

    def load(self, device: torch.device) -> None:
        """Build the network on ``device``. Raises :class:`~drivederain.errors.WeightsError` on a damaged trunk."""
        network = build_network().to(device)
        if device.type == "cpu":
            # Pooling and sums over the channels are several times faster with a pixel's channels side by side.
            network = network.to(memory_format=torch.channels_last)
            replace_convolutions(network.net)
        self._network = network

    def close(self) -> None:
        """Let go of the network."""
        self._network = None

    def score_many(self, outputs: Sequence[Tensor], truth: Tensor, mask: Tensor | None) -> list[dict[str, Tensor]]:
        """See :meth:`Metric.score_many`. Raises :class:`~drivederain.errors.MetricError` below 31 x 31 pixels."""
        for output in outputs:
            check_batch(type(self).__name__, output, truth, mask, minimum=MINIMUM)
        if self._network is None:
            raise MetricError("LPIPS has no weights yet: call load(device) before score()")
        scalars: list[list[Tensor]] = [[] for _ in outputs]
        sums: list[list[Tensor]] = [[] for _ in outputs]
        # TF32 and autocast would move the distance in the fourth decimal; one picture at a time keeps the value
        # independent of the batch, as convolutions choose their algorithm by its size.
        with (
            torch.inference_mode(),
            torch.autocast(truth.device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            for i in range(truth.shape[0]):
                reference = self._features(truth[i : i + 1])
                drops = None if mask is None else drops_of(mask[i])
                for k, output in enumerate(outputs):
                    layers = self._distances(self._features(output[i : i + 1]), reference)
                    scalars[k].append(torch.stack([layer.mean() for layer in layers]).sum())
                    if drops is not None:
                        sums[k].append(sums_by_region(_enlarged(layers, truth.shape[-2:]), drops))
            return [
                (means_by_region(sums[k]) if mask is not None else {}) | {"image": torch.stack(found).cpu().double()}
                for k, found in enumerate(scalars)
            ]

    def _features(self, picture: Tensor) -> list[Tensor]:
        """Features of the five layers of a uint8 1 x 3 x H x W picture, each scaled to length 1 over the channels."""
        scaling = self._network.scaling_layer
        scaled = picture.float().div_(127.5).sub_(1).sub_(scaling.shift).div_(scaling.scale)
        return [_unit(layer) for layer in self._network.net(scaled)]

    def _distances(self, ours: list[Tensor], theirs: list[Tensor]) -> list[Tensor]:
        """Distance at each place of each of the five layers, 1 x 1 x h x w; ``ours`` are overwritten."""
        return [head(a.sub_(b).square_()) for head, a, b in zip(self._network.lins, ours, theirs, strict=True)]


def _unit(features: Tensor) -> Tensor:
    """Features scaled to length 1 over the channels, in place."""
    return features.div_(torch.linalg.vector_norm(features, dim=1, keepdim=True).add_(1e-10))


def _enlarged(layers: list[Tensor], size: torch.Size) -> Tensor:
    """Sum of the layers' distances, each enlarged to H x W (bilinear)."""
    enlarged = [F.interpolate(layer, size, mode="bilinear", align_corners=False) for layer in layers]
    return torch.stack(enlarged).sum(dim=0)[0, 0]


def build_network(trunk: Path = TRUNK, sha256: str = TRUNK_SHA256) -> Any:
    """The ``lpips`` package's network with the carried trunk, float32 on the CPU, in evaluation mode.

    It is built without weights (``pretrained=False, pnet_rand=True``) on the meta device, which draws no random numbers
    and fetches nothing; then the trunk and the package's own linear heads are put in.
    """
    # Imported here because it takes seconds, with scikit-image and SciPy behind it.
    import lpips

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # lpips calls torchvision by an argument of old
        network = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)
    scaling = lpips.ScalingLayer()
    heads = torch.load(
        Path(lpips.__file__).parent / "weights" / "v0.1" / "alex.pth", map_location="cpu", weights_only=True
    )
    state = {"scaling_layer.shift": scaling.shift, "scaling_layer.scale": scaling.scale}
    for i in range(len(network.lins)):
        # The package registers each head under two names.
        state[f"lins.{i}.model.1.weight"] = state[f"lin{i}.model.1.weight"] = heads[f"lin{i}.model.1.weight"]
    features = carried_tensors(trunk, sha256)
    for name in network.state_dict():
        if name.startswith("net."):
            _, _, layer, kind = name.split(".")
            state[name] = features[f"features.{layer}.{kind}"].float()
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)
