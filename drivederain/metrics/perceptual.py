"""LPIPS (Zhang et al., "The unreasonable effectiveness of deep features as a perceptual metric", CVPR 2018), version
0.1, on an AlexNet trunk that the package carries, so that nothing is downloaded."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
import torch.nn.functional as F
from safetensors.torch import load as load_safetensors
from torch import Tensor

from drivederain.errors import MetricError, WeightsError
from drivederain.metrics.metric import Metric, check_batch
from drivederain.metrics.region import drops_of, means_by_region, sums_by_region

TRUNK: Final = Path(__file__).parent / "weights" / "alexnet-features.safetensors"
TRUNK_SHA256: Final = "1e79dbde62a13caeaf6d1d6491a66ee816a833dfa42fb3532b5a74ed1cda2da2"

MINIMUM: Final = 31
"""AlexNet's second pooling has no output below this height or width."""


class LPIPS(Metric):
    """Learned perceptual distance, 0 for identical pictures, lower is nearer. Variant: ``alex``.

    ``image`` is the network's own scalar: the sum over five layers of the mean distance at that layer's resolution. In
    a region it is the mean of the map: the layers' distances enlarged to the picture (bilinear) and added, as the
    ``lpips`` package's ``spatial=True`` does. The mean of the enlarged map over the whole picture differs slightly from
    ``image``.
    """

    variants: ClassVar[tuple[str, ...]] = ("alex",)

    def __init__(self, variant: str) -> None:
        super().__init__(variant)
        self._network: Any = None

    def load(self, device: torch.device) -> None:
        """Build the network on ``device``. Raises :class:`~drivederain.errors.WeightsError` on a damaged trunk."""
        self._network = build_network().to(device)

    def close(self) -> None:
        """Let go of the network."""
        self._network = None

    def score(self, output: Tensor, truth: Tensor, mask: Tensor | None) -> dict[str, Tensor]:
        """See :meth:`Metric.score`. Raises :class:`~drivederain.errors.MetricError` below 31 x 31 pixels."""
        check_batch(type(self).__name__, output, truth, mask, minimum=MINIMUM)
        if self._network is None:
            raise MetricError("LPIPS has no weights yet: call load(device) before score()")
        device = output.device
        scalars, sums = [], []
        # TF32 and autocast would move the distance in the fourth decimal; one picture at a time keeps the value
        # independent of the batch, as convolutions choose their algorithm by its size.
        with (
            torch.inference_mode(),
            torch.autocast(device.type, enabled=False),
            torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True, allow_tf32=False),
        ):
            for i in range(output.shape[0]):
                layers = self._distances(output[i : i + 1], truth[i : i + 1])
                scalars.append(torch.stack([layer.mean() for layer in layers]).sum())
                if mask is not None:
                    size = output.shape[-2:]
                    enlarged = [F.interpolate(layer, size, mode="bilinear", align_corners=False) for layer in layers]
                    sums.append(sums_by_region(torch.stack(enlarged).sum(dim=0)[0, 0], drops_of(mask[i])))
            result = means_by_region(sums) if sums else {}
            return result | {"image": torch.stack(scalars).cpu().double()}

    def _distances(self, output: Tensor, truth: Tensor) -> list[Tensor]:
        """Distance at each place of each of the five layers, 1 x 1 x h x w."""
        network = self._network
        ours, theirs = (
            [_unit(layer) for layer in network.net(network.scaling_layer(picture.float() / 127.5 - 1))]
            for picture in (output, truth)
        )
        return [head((a - b).square_()) for head, a, b in zip(network.lins, ours, theirs, strict=True)]


def _unit(features: Tensor) -> Tensor:
    """Features scaled to length 1 over the channels."""
    return features / (features.square().sum(dim=1, keepdim=True).sqrt() + 1e-10)


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
    features = _read_trunk(trunk, sha256)
    for name in network.state_dict():
        if name.startswith("net."):
            _, _, layer, kind = name.split(".")
            state[name] = features[f"features.{layer}.{kind}"].float()
    network.load_state_dict(state, strict=True, assign=True)
    return network.eval().requires_grad_(False)


def _read_trunk(path: Path, sha256: str) -> dict[str, Tensor]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}; install drivederain again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(f"{path} is damaged: its SHA-256 is not {sha256}; install drivederain again")
    tensors: dict[str, Tensor] = load_safetensors(content)
    return tensors
