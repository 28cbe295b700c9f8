"""The options of a cell that are not the defaults, as they would be typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from drivederain.errors import SpecError
from drivederain.implementation import load_implementation
from drivederain.registry import Registry


class TypedOptions:
    """Knows the defaults of the installed methods; of methods that are not installed every option is told."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._defaults: dict[str, Mapping[str, Any]] = {}

    def words(self, parts: Mapping[str, Any] | None) -> str:
        """``unet.depth=3 diffusion.steps=8``, the first stage first; "" where all are the defaults."""
        found: list[str] = []
        while isinstance(parts, Mapping):
            method, options = str(parts.get("method", "?")), parts.get("options")
            if isinstance(options, Mapping):
                defaults = self._of(method)
                own = {name: value for name, value in options.items() if defaults.get(name, options) != value}
                found[:0] = [f"{method}.{name}={_text(value)}" for name, value in own.items()]
            parts = parts.get("before")
        return " ".join(found)

    def _of(self, method: str) -> Mapping[str, Any]:
        if method not in self._defaults:
            self._defaults[method] = self._read(method)
        return self._defaults[method]

    def _read(self, method: str) -> Mapping[str, Any]:
        spec = self.registry.methods.get(method)
        if spec is None or not spec.options:
            return {}
        try:
            model: type[BaseModel] = load_implementation(spec.options, owner=f"method {method}, options")
            return model().model_dump(mode="json")
        except (SpecError, ValidationError):  # a plugin that is broken by now, or an option that must be given
            return {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
