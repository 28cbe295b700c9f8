"""Drawn street scenes: clear pictures for the embedded default, with no photograph in the project."""

from __future__ import annotations

from .draw import Scene, draw_scene
from .parameters import SCENES_VERSION, TIMES_OF_DAY, SceneParameters

__all__ = ["SCENES_VERSION", "TIMES_OF_DAY", "Scene", "SceneParameters", "draw_scene"]
