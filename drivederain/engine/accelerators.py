"""The torch build and the accelerators that it finds. Torch is imported when it is asked for, and may be broken."""

from __future__ import annotations

import subprocess
import warnings
from pathlib import Path
from typing import Any

from drivederain.engine.hardware import processor_name

DRIVER_FILE = Path("/proc/driver/nvidia/version")


def torch_build() -> dict[str, Any]:
    """Version, what it was built for, threads, and why it uses no CUDA (``""``: it does); or only its ``error``."""
    try:
        import torch
    except Exception as error:  # a broken install raises ImportError, OSError for a library, RuntimeError ...
        return {"error": f"{type(error).__name__}: {error}"}
    return {
        "version": torch.__version__,
        "cuda": torch.version.cuda or "",
        "rocm": getattr(torch.version, "hip", None) or "",
        "cudnn": torch.backends.cudnn.version() if torch.backends.cudnn.is_available() else None,
        "cpu_instructions": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "mps": torch.backends.mps.is_available(),
        "no_cuda": _why_no_cuda(),
        "nvidia_driver": nvidia_driver(),
    }


def _why_no_cuda() -> str:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the same is in the error
            torch.cuda.init()
    except (RuntimeError, AssertionError) as error:
        return " ".join(str(error).split())
    return "" if torch.cuda.is_available() else "torch finds no CUDA device"


def accelerators() -> list[dict[str, Any]]:
    """Those that torch can use. Memory is in bytes, ``None`` where it is the processor's own.

    ``bf16``: whether ``--precision auto`` takes it there.
    """
    import torch

    if torch.backends.mps.is_available():
        return [
            {
                "device": "mps",
                "name": processor_name(),
                "memory": None,
                "compute_capability": "",
                "bf16": False,
                "driver": "",
            }
        ]
    driver = nvidia_driver()
    found = []
    for number in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(number)
        with torch.cuda.device(number):
            bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        found.append(
            {
                "device": f"cuda:{number}",
                "name": properties.name,
                "memory": properties.total_memory,
                "compute_capability": f"{properties.major}.{properties.minor}",
                "bf16": bf16,
                "driver": driver,
            }
        )
    return found


def nvidia_driver() -> str:
    """The version of the NVIDIA driver; ``""`` where there is none."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return _driver_of_the_kernel(DRIVER_FILE)
    lines = done.stdout.split()
    return lines[0] if lines else ""


def _driver_of_the_kernel(file: Path) -> str:
    """From ``NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug ...``."""
    try:
        words = file.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return ""
    return next((word for word in words if word[:1].isdigit() and "." in word), "unknown")
