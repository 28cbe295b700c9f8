from __future__ import annotations

from typing import Any

import pytest

from drivederain.engine.doctor.accelerator import check_accelerator, check_computes, check_precision, convolve

H100 = {
    "device": "cuda:0",
    "name": "NVIDIA H100",
    "memory": 80 * 2**30,
    "compute_capability": "9.0",
    "bf16": True,
    "driver": "570.1",
}


def build(**facts: Any) -> dict[str, Any]:
    return {"version": "2.9.0", "cuda": "", "rocm": "", "no_cuda": "", "nvidia_driver": ""} | facts


def test_a_device_is_described() -> None:
    check = check_accelerator(build(cuda="12.8"), [H100])
    assert check.status == "ok" and check.detail == "NVIDIA H100 (80 GiB, compute capability 9.0, driver 570.1)"
    apple = H100 | {"name": "Apple M3", "memory": None, "compute_capability": "", "driver": ""}
    assert check_accelerator(build(), [apple]).detail == "Apple M3"


@pytest.mark.parametrize(
    ("facts", "status", "words", "remedy"),
    [
        ({"cuda": "12.8"}, "missing", "no NVIDIA driver", "install its driver"),
        ({"nvidia_driver": "570.1"}, "broken", "built for the CPU only", "built for CUDA"),
        ({"nvidia_driver": "570.1", "rocm": "6.2"}, "broken", "built for ROCm 6.2", "built for CUDA"),
        (
            {"nvidia_driver": "470.1", "cuda": "12.8", "no_cuda": "The NVIDIA driver on your system is too old"},
            "broken",
            "CUDA 12.8 with the NVIDIA driver 470.1: The NVIDIA driver on your system is too old",
            "Update the driver",
        ),
        (
            {"nvidia_driver": "570.1", "cuda": "12.8", "no_cuda": "No CUDA GPUs are available"},
            "broken",
            "No CUDA GPUs are available",
            "CUDA_VISIBLE_DEVICES",
        ),
    ],
)
def test_why_cuda_is_not_used(facts: dict[str, Any], status: str, words: str, remedy: str) -> None:
    check = check_accelerator(build(**facts), [])
    assert check.status == status and words in check.detail and remedy in check.remedy
    assert not check.fails, "the default run uses the CPU then"


def test_a_device_that_cannot_compute_fails() -> None:
    def no_kernel(device: str) -> None:
        raise RuntimeError(f"CUDA error: no kernel image is available for execution on {device}")

    check = check_computes("cuda:0", no_kernel)
    assert check.fails and "no kernel image" in check.detail and "--device cpu" in check.remedy
    assert check_computes("cpu", convolve).status == "ok"


def test_precision() -> None:
    assert "auto is bf16" in check_precision([H100]).detail
    assert check_precision([H100 | {"bf16": False}]).detail == "auto is fp32 on NVIDIA H100"
    assert check_precision([]).detail == "auto is fp32 on the CPU"
