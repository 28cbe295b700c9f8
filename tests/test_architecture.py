"""What is imported when: the command line must answer before torch could be loaded.

That each part imports only the parts below it is kept by import-linter (`tox -e lint`; contracts in pyproject.toml).
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest

HEAVY = ("torch", "torchvision", "lightning", "cv2", "pandas", "scipy", "diffusers", "peft", "lpips")

LIGHT_MODULES = (
    "drivederain",
    "drivederain.errors",
    "drivederain.specs",
    "drivederain.hookspecs",
    "drivederain.registry",
    "drivederain.cli.main",
)

LOADED = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""

DISCOVER = """
import json, sys
from drivederain.registry import Registry
built_in = [plugin for plugin in Registry.discover().plugins if plugin.distribution == "drivederain"]
failed = {plugin.entry_point: plugin.reason for plugin in built_in if plugin.status != "ok"}
print(json.dumps([len(built_in), failed, [name for name in json.loads(sys.argv[1]) if name in sys.modules]]))
"""


def run_python(code: str, *arguments: str) -> str:
    process = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=100)
    assert process.returncode == 0, process.stderr
    return process.stdout


def entry_point_modules() -> list[str]:
    return [found.module for found in distribution("drivederain").entry_points.select(group="drivederain")]


@pytest.mark.parametrize("module", [*LIGHT_MODULES, *entry_point_modules()])
def test_module_imports_nothing_heavy(module: str) -> None:
    assert json.loads(run_python(LOADED, json.dumps([module]), json.dumps(HEAVY))) == []


def test_discovery_imports_nothing_heavy_and_every_built_in_plugin_works() -> None:
    assert json.loads(run_python(DISCOVER, json.dumps(HEAVY))) == [len(entry_point_modules()), {}, []]


def test_implementations_and_options_of_the_built_ins_exist() -> None:
    from drivederain.implementation import load_implementation, missing_modules
    from drivederain.registry import Registry, Spec

    registry = Registry.discover()
    specs: list[Spec] = [*registry.methods.values(), *registry.datasets.values(), *registry.metrics.values()]
    for spec in specs:
        if missing_modules(getattr(spec, "requires", ())):
            continue
        assert isinstance(registry.load(spec), type)
        if options := getattr(spec, "options", ""):
            assert isinstance(load_implementation(options), type)


def test_installed_package_holds_its_data_files() -> None:
    """An editable install hides what a wheel lacks; in tox these tests run on the wheel."""
    import drivederain
    import drivederain_methods
    import drivederain_reports
    import drivederain_suites

    def files(package: object, pattern: str) -> list[Path]:
        return list(Path(str(package.__file__)).parent.glob(pattern))  # type: ignore[attr-defined]

    assert files(drivederain, "py.typed")
    assert files(drivederain, "metrics/**/*.safetensors"), "the LPIPS trunk"
    assert files(drivederain_methods, "**/*.safetensors"), "the shipped weights"
    assert files(drivederain_reports, "templates/*"), "the report's templates"
    assert files(drivederain_suites, "*.toml"), "the suites"
