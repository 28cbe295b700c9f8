"""Energy of a stretch of work, where the hardware counts it: NVIDIA's management library, Intel's and AMD's RAPL."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import TracebackType
from typing import Protocol

import torch

POWERCAP = Path("/sys/class/powercap")
PACKAGE = re.compile(r"intel-rapl:\d+")
"""Whole processor packages; ``intel-rapl:0:1`` is a part of one. Linux gives AMD's counters the same name."""


class Counter(Protocol):
    """A counter of joules that only goes up while it is read now and then."""

    def joules(self) -> float:
        """Since some point in the past."""


class NvmlCounter:
    """What the whole GPU took since its driver was loaded."""

    def __init__(self, device: torch.device) -> None:
        """
        Raises:
            Exception: no NVML here, or a GPU that does not count (those before Volta).
        """
        self._nvml = importlib.import_module("pynvml")
        self._nvml.nvmlInit()
        # By UUID: NVML numbers all GPUs of the machine, torch those that CUDA_VISIBLE_DEVICES leaves.
        uuid = f"GPU-{torch.cuda.get_device_properties(device).uuid}"
        self._handle = self._nvml.nvmlDeviceGetHandleByUUID(uuid)
        self.joules()

    def joules(self) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1000


class RaplCounter:
    """What all processor packages took since this was made; each counter that starts again at 0 is followed."""

    def __init__(self, powercap: Path = POWERCAP) -> None:
        """
        Raises:
            OSError: no counters, or only the administrator may read them.
        """
        folders = sorted(powercap.iterdir()) if powercap.is_dir() else []
        self._packages = [folder for folder in folders if PACKAGE.fullmatch(folder.name)]
        if not self._packages:
            raise FileNotFoundError("no RAPL counters in /sys/class/powercap")
        self._ranges = [self._read(package / "max_energy_range_uj") for package in self._packages]
        self._last = [self._read(package / "energy_uj") for package in self._packages]
        self._microjoules = 0

    def joules(self) -> float:
        now = [self._read(package / "energy_uj") for package in self._packages]
        for before, after, full in zip(self._last, now, self._ranges, strict=True):
            self._microjoules += after - before if after >= before else after + full - before
        self._last = now
        return self._microjoules / 1e6

    @staticmethod
    def _read(file: Path) -> int:
        return int(file.read_text())


class EnergyMeter:
    """``with meter:`` around each stretch of work; ``joules`` is the sum of all stretches.

    It is the energy of the whole device (on the CPU: of all processor packages), whoever used it meanwhile. On CUDA a
    stretch must end with a wait for the device. RAPL's counters start again at 0 about once an hour under load, so a
    stretch should be shorter.
    """

    def __init__(self, device: torch.device) -> None:
        self.reason = ""
        """Why there are no figures; "" where there are."""
        self._counter: Counter | None = None
        self._began = self._sum = 0.0
        try:
            if device.type == "cuda":
                self._counter = NvmlCounter(device)
            elif device.type == "cpu":
                self._counter = RaplCounter()
            else:
                self.reason = f"{device.type} devices tell no energy"
        except Exception as error:  # whatever NVML and its loader raise where it does not work
            self.reason = f"no energy counter can be read: {str(error) or type(error).__name__}"

    def __enter__(self) -> EnergyMeter:
        self._began = self._read()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sum += self._read() - self._began

    @property
    def joules(self) -> float | None:
        """Of all stretches so far; ``None`` where the device does not tell, for the ``reason``."""
        return None if self._counter is None else self._sum

    def _read(self) -> float:
        if self._counter is None:
            return 0.0
        try:
            return self._counter.joules()
        except Exception as error:  # a counter may go away when the machine sleeps or its driver restarts
            self._counter, self.reason = None, f"the energy counter stopped: {error}"
            return 0.0
