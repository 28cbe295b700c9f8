from __future__ import annotations

import subprocess
import sys

import pytest

from drivederain.data.options import chosen_options
from drivederain.data.plugin import drivederain_datasets
from drivederain.data.sources import parse_source
from drivederain.errors import DataError, OptionError

SPECS = {spec.name: spec for spec in drivederain_datasets()}


@pytest.mark.parametrize(
    ("text", "name", "location"),
    [
        ("synthetic:photos", "synthetic", "photos"),
        ("synthetic:C:\\photos", "synthetic", "C:\\photos"),
        ("paired:C:/rainy:D:/clear", "paired", "C:/rainy:D:/clear"),
        ("scenes", "scenes", ""),
        ("scenes:40x360x640", "scenes", "40x360x640"),
        ("v40:/a b/ü", "v40", "/a b/ü"),
    ],
)
def test_sources(text, name, location):
    source = parse_source(text, SPECS)
    assert (source.spec.name, source.location) == (name, location)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sinthetic:photos", "Did you mean 'synthetic'"),
        ("V40:photos", "Did you mean 'v40'"),
        ("synthetic", "names no location: write --data synthetic:PHOTOS"),
        ("real: ", "names no location"),
        ("C:\\photos", r"does not say what lies there. Write synthetic:C:\\photos"),
        ("some/photos", "Write synthetic:some/photos"),
        ("raindrop:x", "Write NAME:LOCATION with one of: paired, rain13k, real, scenes, synthetic, v40"),
        ("", "there is no data set ''"),
    ],
)
def test_unusable_sources(text, message):
    with pytest.raises(DataError) as error:
        parse_source(text, SPECS)
    assert message.replace("\\\\", "\\") in str(error.value)


def test_an_existing_folder_alone(tmp_path):
    with pytest.raises(DataError, match="does not say what lies there"):
        parse_source(str(tmp_path), SPECS)


def test_options():
    defaults = {"clear": "clear", "rainy": "rain"}
    assert chosen_options("v40", {}, defaults) == defaults
    given = {"clear": "c", "v40.rainy": "r", "real.scene": "stem"}
    assert chosen_options("v40", given, defaults) == {"clear": "c", "rainy": "r"}
    with pytest.raises(OptionError, match=r"cleer.*Did you mean clear\? It has: clear, rainy"):
        chosen_options("v40", {"cleer": "x"}, defaults)


def test_implementations_exist_and_the_plugin_imports_nothing_heavy():
    code = (
        "import importlib, sys, drivederain.data.plugin as plugin\n"
        "heavy = {'torch', 'cv2', 'numpy', 'pandas', 'pyarrow', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "for spec in plugin.drivederain_datasets():\n"
        "    module, name = spec.implementation.split(':')\n"
        "    getattr(importlib.import_module(module), name)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.returncode) == ("[]", 0), result.stderr
