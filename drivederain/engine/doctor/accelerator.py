"""Whether an accelerator is used, why not, and what the automatic precision is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drivederain.engine.doctor.check import Check

FEATURE = "accelerator"
CHOOSE = "https://pytorch.org/get-started/locally says which to install."


def check_accelerator(build: Mapping[str, Any], devices: Sequence[Mapping[str, Any]]) -> Check:
    """``build`` as ``torch_build`` gives it, ``devices`` as ``accelerators`` does. Without one the CPU is used."""
    if devices:
        return Check(FEATURE, "device", "ok", ", ".join(_described(device) for device in devices))
    driver, built_for = build["nvidia_driver"], build["cuda"]
    if not driver:
        reason = "no NVIDIA driver and no Apple GPU is found; the CPU is used"
        return Check(FEATURE, "device", "missing", reason, "If there is an NVIDIA GPU, install its driver.")
    if not built_for:
        what = f"ROCm {build['rocm']}" if build["rocm"] else "the CPU only"
        reason = f"the NVIDIA driver {driver} is there, but torch {build['version']} is built for {what}"
        return Check(FEATURE, "device", "broken", reason, f"Install a torch that is built for CUDA. {CHOOSE}")
    reason = f"torch {build['version']} for CUDA {built_for} with the NVIDIA driver {driver}: {build['no_cuda']}"
    if "driver" in build["no_cuda"].lower():
        remedy = f"Update the driver, or install a torch for an older CUDA. {CHOOSE}"
    else:
        remedy = "Look at what `nvidia-smi` lists, and at CUDA_VISIBLE_DEVICES if it is set."
    return Check(FEATURE, "device", "broken", reason, remedy)


def _described(device: Mapping[str, Any]) -> str:
    parts = [f"{device['memory'] / 2**30:.0f} GiB"] if device["memory"] else []
    parts += [f"compute capability {device['compute_capability']}"] if device["compute_capability"] else []
    parts += [f"driver {device['driver']}"] if device["driver"] else []
    return f"{device['name']} ({', '.join(parts)})" if parts else str(device["name"])


def check_computes(device: str, compute: Callable[[str], object]) -> Check:
    """``compute(device)`` does a little work there. A torch without kernels for the device fails only then."""
    try:
        compute(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = f"torch finds {device}, but cannot compute on it: {' '.join(str(error).split())[:300]}"
        remedy = f"Use --device cpu, or install a torch that is built for this device. {CHOOSE}"
        return Check(FEATURE, "computes", "broken", reason, remedy, needed=True)
    return Check(FEATURE, "computes", "ok", f"a convolution ran on {device}", needed=True)


def convolve(device: str) -> None:
    """A small convolution, the work that all the networks are made of."""
    import torch

    ones = torch.ones(1, 3, 16, 16, device=device)
    torch.nn.functional.conv2d(ones, torch.ones(4, 3, 3, 3, device=device)).sum().item()


def check_precision(devices: Sequence[Mapping[str, Any]]) -> Check:
    """What ``--precision auto`` is here."""
    if devices and devices[0]["bf16"]:
        detail = "auto is bf16 for methods that hold in it, fp32 for the others"
    elif devices:
        detail = f"auto is fp32 on {devices[0]['name']}"
    else:
        detail = "auto is fp32 on the CPU"
    return Check(FEATURE, "precision", "ok", detail)
