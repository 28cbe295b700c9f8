from __future__ import annotations

from pathlib import Path

import pytest

from drivederain.engine.doctor.python import check_import, check_python


def test_python_is_held_to_what_the_package_wants() -> None:
    assert check_python("3.12.4", ">=3.11,<3.14").status == "ok"
    old = check_python("3.10.1", ">=3.11,<3.14")
    assert old.fails and "3.10.1" in old.detail and ">=3.11,<3.14" in old.remedy


def test_an_import_tells_its_version() -> None:
    check = check_import("pluggy", "python -m pip install pluggy")
    assert check.status == "ok" and check.detail[0].isdigit()


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("import no_such_module_at_all", "missing", "no_such_module_at_all is not installed"),
        ("raise OSError('libcudart.so.13: cannot open shared object file')", "broken", "OSError: libcudart"),
        ("raise ImportError('cannot import name x')", "broken", "cannot import name x"),
    ],
)
def test_an_import_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, status: str, words: str
) -> None:
    (tmp_path / "fails_when_imported.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    check = check_import("fails_when_imported", "python -m pip install it")
    assert check.status == status and check.fails
    assert words in check.detail and "python -m pip install it" in check.remedy
