"""What goes wrong when rain is asked for on something that cannot carry it."""

from __future__ import annotations

from drivederain.errors import DriveDeRainError


class RainError(DriveDeRainError, ValueError):
    """The clear image, the intensity, the seed or a setting cannot be used to draw rain."""
