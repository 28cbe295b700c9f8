"""DriveDeRain: a benchmark of methods that take rain off driving photographs.

``from drivederain import train`` and the others do what the commands do. They are imported when they are asked for:
``import drivederain`` alone imports nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = ["DriveDeRainError", "derain", "open_data", "restore", "run", "train", "tune"]

if TYPE_CHECKING:
    from drivederain.api import derain, open_data, restore, run, train, tune
    from drivederain.errors import DriveDeRainError
else:
    # Only where the program runs: to a type checker a module with __getattr__ has every name.
    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in __all__:
            home = "drivederain.errors" if name == "DriveDeRainError" else "drivederain.api"
            return getattr(import_module(home), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
