"""Peak memory of a stretch of work: of the accelerator where there is one, else of this process."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

MEGABYTE = 2**20


class PeakMemory:
    """``start()``, then ``peak_mb()``.

    On CUDA it is what torch allocated at most. On the CPU it is the resident set of the whole process at most, which
    Linux lets us reset; elsewhere it is the peak since the process started.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def start(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
        elif sys.platform == "linux":
            try:
                Path("/proc/self/clear_refs").write_text("5")
            except OSError:
                return  # containers may forbid it; the peak is then that of the process so far

    def peak_mb(self) -> float:
        """In megabytes (2**20 bytes)."""
        if self.device.type == "cuda":
            return float(torch.cuda.max_memory_allocated(self.device)) / MEGABYTE
        if sys.platform == "linux":
            status = Path("/proc/self/status").read_text()
            return int(status.split("VmHWM:")[1].split()[0]) / 1024
        import resource

        # macOS counts bytes here.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
