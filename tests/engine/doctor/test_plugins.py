from __future__ import annotations

from dataclasses import replace

from drivederain.engine.doctor.plugins import check_default_methods, check_method, check_plugins
from drivederain.registry import PluginStatus
from drivederain.specs import MethodSpec

GOOD = PluginStatus("unet", "drivederain_methods.unet.plugin", "drivederain", "0.1.0", "ok", methods=("unet",))
BAD = PluginStatus("odd", "odd.plugin", "odd-plugin", "1.0", "failed", "ImportError: no module named odd")
METHOD = MethodSpec("here", "a method", "stage", "json:JSONDecoder", licence="MIT")


def test_a_strangers_broken_plugin_is_a_note() -> None:
    working, broken = check_plugins([GOOD, BAD])
    assert working.status == "ok" and working.detail == "unet"
    assert broken.status == "broken" and broken.name == "odd-plugin:odd" and broken.detail == BAD.reason
    assert "pip uninstall odd-plugin" in broken.remedy and not broken.fails


def test_a_broken_built_in_fails() -> None:
    _, broken = check_plugins([replace(GOOD, status="failed", reason="SyntaxError")])
    assert broken.fails and "Install the program again" in broken.remedy


def test_a_method_without_its_extra_is_a_note() -> None:
    check = check_method(replace(METHOD, requires=("no_such_module",), extra="nc"), "drivederain", needed=True)
    assert check.status == "missing" and not check.fails
    assert "no_such_module" in check.detail and 'pip install "drivederain[nc]"' in check.remedy


def test_a_method_that_cannot_be_imported() -> None:
    check = check_method(replace(METHOD, implementation="json:NoSuchClass"), "drivederain", needed=True)
    assert check.fails and "NoSuchClass" in check.detail
    assert check_method(METHOD, "drivederain", needed=True).detail == "MIT"
    bound = check_method(replace(METHOD, licence="academic", non_commercial=True), "drivederain", needed=True)
    assert bound.detail == "NON-COMMERCIAL: academic"


def test_the_methods_of_the_default_run() -> None:
    assert check_default_methods(["unet"], ["unet", "identity"]).status == "ok"
    check = check_default_methods(["unet", "diffusion"], ["unet"])
    assert check.fails and "no method diffusion" in check.detail
