"""The checks as tests of pytest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from drivederain.testing.method_checks import CHECKS, Check, CheckFailed, CheckSkipped
from drivederain.testing.subject import Subject


class MethodConformance:
    """Derive from it in a test module, and name the method; every check becomes a test."""

    method: ClassVar[str] = ""
    weights: ClassVar[Path | None] = None
    options: ClassVar[Mapping[str, str]] = {}

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name.replace(" ", "-"))
    def test_conformance(self, check: Check) -> None:
        if not self.method:
            pytest.skip("the class names no method")
        try:
            print(check.run(Subject(self.method, weights=self.weights, options=self.options)))
        except CheckSkipped as reason:
            pytest.skip(str(reason))
        except CheckFailed as problem:
            pytest.fail(f"{problem}. It means: {check.means}.", pytrace=False)
        except Exception as error:
            error.add_note(f"{self.method}, {check.name}. It means: {check.means}.")
            raise
