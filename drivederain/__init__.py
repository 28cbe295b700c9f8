"""DriveDeRain: a benchmark of methods that take rain off driving photographs."""

from __future__ import annotations

__version__ = "0.1.0"
