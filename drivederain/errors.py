"""Errors that a user can meet. Each says what is wrong, names the file or option, and gives the remedy."""

from __future__ import annotations


class DriveDeRainError(Exception):
    """Something that the user can mend. Shown as one plain message, without a traceback."""


class SpecError(DriveDeRainError):
    """A plugin's specification, a chain expression or a name that cannot be resolved."""


class DataError(DriveDeRainError):
    """A picture, pair, folder or split that cannot be used; the message names the file."""


class WeightsError(DriveDeRainError):
    """Weights that are missing, damaged, of another architecture, or not allowed to be loaded."""


class OptionError(DriveDeRainError):
    """An option of the command line, of a suite or of a method whose value is not usable."""


class MetricError(DriveDeRainError):
    """A metric that cannot be computed on the given pictures; the caller writes a skipped row."""


class MethodError(DriveDeRainError):
    """A method that broke its contract: wrong shape, NaN, wrong type."""
